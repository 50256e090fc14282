"""The words for people: counts, sizes and names as text."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
MAX_SHOWN = 10


def size_text(size: float) -> str:
    """Return bytes for people, in decimal units: ``3.4 MB``."""
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError(size)


def duration_text(seconds: float) -> str:
    """Return a duration for people: ``4.2 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def printable(text: str) -> str:
    """Return text that a terminal can be given: what a source may call a file is not to move its cursor."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def folded(sentences: Sequence[str]) -> list[str]:
    """Return sentences of which those that say the same of several things are one, with a count and an example.

    A sentence that concerns a thing names it first: ``Rome/a.jpg.json: a sidecar without its photo or video``.
    """
    things: dict[str, list[str]] = {}
    for sentence in sentences:
        thing, _, said = sentence.rpartition(": ")
        things.setdefault(said, []).append(thing)
    return [_together(said, named) for said, named in things.items()]


def _together(said: str, named: list[str]) -> str:
    if len(named) == 1:
        return ": ".join(filter(None, (*named, said)))
    return f"{len(named):,} times: {said}" + (f" ({named[0]}, ...)" if named[0] else "")
