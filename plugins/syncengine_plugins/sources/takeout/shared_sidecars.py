"""The rules by which media files share a sidecar: edited copies, the moving half of a photo, forgotten duplicates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from syncengine.api import Kind
from syncengine_plugins.sources.takeout.live_photos import STILLS
from syncengine_plugins.sources.takeout.names import (
    MEDIA_STEM_UNITS,
    Counted,
    NameKey,
    companion_key,
    cut,
    edited_stems,
    extension_fits,
    kind_of,
    media_key,
    nfc,
    same_format,
    split_extension,
    units,
)
from syncengine_plugins.sources.takeout.own_sidecars import Matching
from syncengine_plugins.sources.takeout.readings import Found, MediaFile, Sidecar

_LEAST_SUFFIX = len("-ed")
"""What is left of a cut suffix when it still tells something."""


class _Owner(NamedTuple):
    """Who others may share a sidecar with.

    Args:
        media: a file of the folder, or one that a left-over sidecar tells of.
        absent: the sidecar of one that is not in the folder; None for one that is.
    """

    media: MediaFile
    absent: Found | None = None

    def sidecar(self, matching: Matching) -> Found | None:
        """Return what was matched to it; None for a file of the folder without one, whose copies have none either."""
        return self.absent or matching.found.get(self.media)


class _Owners:
    """The owners of sidecars, by the names under which those who share one look for them."""

    def __init__(self, owners: Iterable[_Owner]) -> None:
        self.by_stem: dict[Counted, list[_Owner]] = defaultdict(list)
        self.by_companion: dict[Counted, list[_Owner]] = defaultdict(list)
        self.by_name: dict[str, list[_Owner]] = defaultdict(list)
        for owner in owners:
            for name, counter in owner.media.readings:
                stem, extension = split_extension(name)
                self.by_stem[Counted(stem, counter)].append(owner)
            if same_format(extension) in STILLS:
                self.by_companion[companion_key(owner.media.name)].append(owner)
            self.by_name[owner.media.readings[0].name].append(owner)


def match_shared(matching: Matching) -> None:
    """Give media files without a sidecar of their own the one that they share, where the rules allow it.

    Args:
        matching: after the rules that give a sidecar of one's own. Sidecars that are free now belong to media files
            that are not in the folder.
    """
    if not matching.open:
        return
    owners = _Owners([*map(_Owner, matching.media), *_absent_owners(matching.free)])
    for rule, find in (
        ("edited", _edited_owners),
        ("companion", _companion_owners),
        ("edited", _edited_owners),  # of companions
        ("forgotten duplicate", _duplicate_owners),
    ):
        _share(matching, rule, find, owners)


def _absent_owners(free: Iterable[Sidecar]) -> Iterator[_Owner]:
    """Yield the media files that left-over sidecars tell of by their whole names, if the titles do not contradict."""
    for sidecar in free:
        names = {base.name: base.counter for base in sidecar.bases if base.sure}
        if sidecar.title:
            names = {name: counter for name, counter in names.items() if media_key(name) in sidecar.title_keys}
            if not sidecar.counter:
                stem, extension = split_extension(nfc(sidecar.title))
                names.setdefault(cut(stem, MEDIA_STEM_UNITS, up=True) + extension, 0)
        for name, counter in names.items():
            stem, extension = split_extension(name)
            if extension:
                whole = f"{stem}({counter}){extension}" if counter else name
                yield _Owner(MediaFile(whole), Found(sidecar, ""))


def _share(
    matching: Matching, rule: str, find: Callable[[MediaFile, _Owners], Iterable[_Owner]], owners: _Owners
) -> None:
    """Let open media files share the sidecar of the owners that ``find`` names, when they have one among them."""
    told = {key for sidecar in matching.free if sidecar.title for key in sidecar.title_keys}
    shared = {}
    for media in matching.open:
        key = media_key(media.plain.name)
        if not told.isdisjoint((key, NameKey(key.stem, ""))):
            continue  # one of the left-over sidecars is its own, although nothing says which
        named = list(find(media, owners))
        founds = [found for owner in named if (found := owner.sidecar(matching)) is not None]
        if founds and len(founds) == len(named) and len({found.sidecar for found in founds}) == 1:
            doubted = any(found.approximate for found in founds) or _doubtful(rule, media, named[0])
            shared[media] = Found(founds[0].sidecar, rule, doubted)
    for media, found in shared.items():
        matching.pair(media, found)


def _doubtful(rule: str, media: MediaFile, owner: _Owner) -> bool:
    """Whether two photos may be behind the names after all."""
    if rule == "edited":
        stem, original = (split_extension(one.plain.name)[0] for one in (media, owner.media))
        return not extension_fits(owner.media.name, media.name) or len(stem) - len(original) < _LEAST_SUFFIX
    return rule == "forgotten duplicate"


def _edited_owners(media: MediaFile, owners: _Owners) -> Iterator[_Owner]:
    """Yield the originals of an edited copy: of the same format if there are any, else of the same kind."""
    for reading in media.readings:
        stem, extension = split_extension(reading.name)
        for original in edited_stems(stem):
            candidates = owners.by_stem.get(Counted(original, reading.counter), [])
            yield from _nearest(candidates, extension)


def _nearest(candidates: list[_Owner], extension: str) -> list[_Owner]:
    """Return the owners in the very extension, else those in the format, else those of the kind."""
    kind = kind_of("x" + extension)
    tests: tuple[Callable[[str], bool], ...] = (
        lambda other: other == extension,
        lambda other: other.lower() == extension.lower(),
        lambda other: same_format(other) == same_format(extension),
        lambda other: kind_of("x" + other) is kind,
        lambda other: kind is Kind.VIDEO,
    )
    for test in tests:
        near = [owner for owner in candidates if test(split_extension(owner.media.name)[1])]
        if near:
            return near
    return []


def _companion_owners(media: MediaFile, owners: _Owners) -> list[_Owner]:
    """Return the stills that a movie may be the moving half of; ``X.MP.jpg`` rather than ``X.jpg`` for ``X.MP``."""
    if kind_of(media.plain.name) is not Kind.VIDEO:
        return []
    stills = owners.by_companion.get(companion_key(media.name), [])
    named_after = [owner for owner in stills if split_extension(owner.media.plain.name)[0] == media.plain.name]
    return named_after or stills


def _duplicate_owners(media: MediaFile, owners: _Owners) -> list[_Owner]:
    """Return the twin of ``X(1).jpg`` for which Google wrote one sidecar only.

    That befalls names as long as a cut one: their edited copies lose the whole suffix to the cut. A shorter name has a
    sidecar with its counter, so where that is missing, another photo's would be wrong.
    """
    plain = media.plain
    stem, extension = split_extension(plain.name)
    if not plain.counter or units(stem) < MEDIA_STEM_UNITS + min(0, 4 - len(extension)):
        return []
    return [owner for owner in owners.by_name.get(plain.name, []) if owner.absent is None]
