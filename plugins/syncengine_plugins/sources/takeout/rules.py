"""The steps of the matching cascade that compare names, and the names that an ordinary sidecar has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import NamedTuple

from syncengine_plugins.sources.takeout.names import (
    SIDECAR_STEM_UNITS,
    SIDECAR_SUFFIX,
    Counted,
    NameKey,
    cut,
    cut_sidecar_stems,
    media_key,
    same_format,
    split_counter,
    split_extension,
    units,
)
from syncengine_plugins.sources.takeout.readings import Sidecar


class Rule(NamedTuple):
    """One step of the cascade: media file and sidecar belong together where their keys meet.

    ``overrules_title`` is for names so sure that a title which reads otherwise does not count.
    """

    name: str
    media_keys: Callable[[Counted], Iterable[Hashable]]
    sidecar_keys: Callable[[Sidecar], Iterable[Hashable]]
    overrules_title: bool = False


def _whole_name(reading: Counted) -> Iterable[Hashable]:
    return (reading,)


def _bases(sidecar: Sidecar) -> Iterable[Hashable]:
    return {Counted(base.name, base.counter) for base in sidecar.bases}


def _sure_bases(sidecar: Sidecar) -> Iterable[Hashable]:
    return {Counted(base.name, base.counter) for base in sidecar.bases if base.sure}


def _cut_name(reading: Counted) -> Iterable[Hashable]:
    stems = cut_sidecar_stems(reading.name)
    plain = split_counter(reading.name)
    if not reading.counter and plain.counter:
        # Where the cut takes the "(n)" away, nothing says that it is part of the title.
        stems -= cut_sidecar_stems(plain.name)
    return {Counted(stem, reading.counter) for stem in stems}


def _sidecar_stem(sidecar: Sidecar) -> Iterable[Hashable]:
    return (Counted(sidecar.stem, sidecar.counter),)


def _format_of_name(reading: Counted) -> Iterable[Hashable]:
    stem, extension = split_extension(reading.name)
    return ((stem, same_format(extension), reading.counter),)


def _formats_of_bases(sidecar: Sidecar) -> Iterator[Hashable]:
    for base in sidecar.bases:
        stem, extension = split_extension(base.name)
        yield stem, same_format(extension), base.counter


def _bare_name(reading: Counted) -> Iterable[Hashable]:
    return ((split_extension(reading.name)[0], "", reading.counter),)


def _comparable_name(reading: Counted) -> Iterable[Hashable]:
    key = media_key(reading.name)
    return {(key, reading.counter), (NameKey(key.stem, ""), reading.counter)}


def _names_by_title(sidecar: Sidecar) -> Iterable[Hashable]:
    return {(key, sidecar.counter) for key in sidecar.title_keys}


EXACT = (
    Rule("exact", _whole_name, _bases),
    Rule("exact", _whole_name, _sure_bases, overrules_title=True),
)
BY_PARTS = (
    Rule("cut", _cut_name, _sidecar_stem),
    Rule("extension", _format_of_name, _formats_of_bases),
    Rule("extension", _bare_name, _formats_of_bases),
    Rule("title", _comparable_name, _names_by_title),
)


def sidecar_names(name: str) -> tuple[str, set[str]]:
    """Return the title and the file names of the sidecar of a media file whose name is its title."""
    whole = name + SIDECAR_SUFFIX
    return name, {f"{whole}.json", f"{cut(whole, SIDECAR_STEM_UNITS)}.json", f"{name}.json"}


def counted_sidecar_names(name: str) -> tuple[str, Iterable[str]]:
    """Return the same for a name with a counter; no file names where the cut may have made different names equal."""
    title, counter = split_counter(name)
    if not counter or units(title) >= SIDECAR_STEM_UNITS:
        return title, ()
    return title, [f"{stem[:-5]}({counter}).json" for stem in sidecar_names(title)[1]]
