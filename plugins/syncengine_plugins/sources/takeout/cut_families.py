"""Matches sidecars whose cut names collided although those of their media files did not.

``x.json``, ``x(1).json``, ... of different titles are numbered by themselves, so a counter says nothing; the titles do.
Those that lead to one media name belong to its files in the order of both counters, if no number is missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import NamedTuple

from syncengine_plugins.sources.takeout.names import (
    NameKey,
    media_key,
    split_extension,
)
from syncengine_plugins.sources.takeout.own_sidecars import Matching
from syncengine_plugins.sources.takeout.readings import Agreement, Found, MediaFile, Sidecar


class _Numbered(NamedTuple):
    counter: int
    media: MediaFile


class _Family:
    """The sidecars of one cut name.

    Attributes:
        complete: numbered from 0 on without a gap.
        with_media_counters: numbers occur twice, so a sidecar has its media file's number.
    """

    def __init__(self, sidecars: list[Sidecar]) -> None:
        self.sidecars = sorted(sidecars, key=lambda one: (one.counter, one.file_name, one.title))
        counters = [one.counter for one in self.sidecars]
        self.complete = counters == list(range(len(counters)))
        self.with_media_counters = len(set(counters)) < len(counters)

    def title_groups(self) -> list[list[Sidecar]]:
        """Group the sidecars by the media name that their titles lead to."""
        groups: dict[Hashable, list[Sidecar]] = defaultdict(list)
        for sidecar in self.sidecars:
            groups[sidecar.title_keys, split_extension(sidecar.title)[1]].append(sidecar)
        return list(groups.values())


def match_cut_families(matching: Matching) -> None:
    """Match the families of several titles; other rules leave their sidecars alone from now on.

    Args:
        matching: after the exact rules.
    """
    by_stem = defaultdict(list)
    for sidecar in matching.sidecars:
        if sidecar.may_be_cut:
            by_stem[sidecar.stem].append(sidecar)
    families = [_Family(sidecars) for sidecars in by_stem.values() if len(sidecars) > 1]
    mixed = [(family, groups) for family in families if len(groups := family.title_groups()) > 1]
    if not mixed:
        return
    by_key = _media_by_key(matching)
    for family, groups in mixed:
        matching.mixed.update(family.sidecars)
        for group in sorted(groups, key=lambda group: _vagueness(group, by_key)):
            if group[0].title:
                _match_group(matching, family, group, by_key)


def _match_group(
    matching: Matching, family: _Family, group: list[Sidecar], by_key: dict[NameKey, list[_Numbered]]
) -> None:
    numbered = _named_by(group, by_key, matching)
    if len({one.counter for one in numbered}) < len(numbered):
        return
    if family.with_media_counters:
        for counter, media in numbered:
            same = [sidecar for sidecar in group if sidecar.counter == counter]
            if len(same) == 1:
                _pair_if_free(matching, media, same[0])
        return
    alike = [one.counter for one in numbered] == list(range(len(group)))
    for (counter, media), sidecar in _in_order(numbered, group, everyone=alike and family.complete):
        # Whatever else is missing, the first of a name is the first of its title.
        if family.complete or sidecar.counter == 0:
            # More files than sidecars: copies are among them whose suffix was cut off.
            doubted = len(numbered) > len(group) or (counter != sidecar.counter and len(group) > 1)
            _pair_if_free(matching, media, sidecar, approximate=doubted)


def _in_order(
    numbered: list[_Numbered], group: list[Sidecar], *, everyone: bool
) -> Iterator[tuple[_Numbered, Sidecar]]:
    if everyone:
        yield from zip(numbered, group, strict=True)
    elif numbered and numbered[0].counter == 0:
        yield numbered[0], group[0]


def _pair_if_free(matching: Matching, media: MediaFile, sidecar: Sidecar, *, approximate: bool = False) -> None:
    if media in matching.open and sidecar in matching.free:
        matching.pair(media, Found(sidecar, "title", approximate))


def _whole_names(group: list[Sidecar], by_key: dict[NameKey, list[_Numbered]]) -> list[NameKey]:
    """Return the names in the folder that are titles of the group, not cut."""
    return sorted({key for sidecar in group if (key := media_key(sidecar.title)) in by_key})


def _vagueness(group: list[Sidecar], by_key: dict[NameKey, list[_Numbered]]) -> tuple[bool, bool]:
    """Return the rank of a group in its family: whole titles first, titles without an extension last."""
    return split_extension(group[0].title)[1] == "", not _whole_names(group, by_key)


def _named_by(group: list[Sidecar], by_key: dict[NameKey, list[_Numbered]], matching: Matching) -> list[_Numbered]:
    """Return the media files of the name that the titles lead to, in the order of their counters.

    Vague titles, cut or without an extension, get what the others of their family left.
    """
    vague = _vagueness(group, by_key)
    keys = _whole_names(group, by_key) or sorted(group[0].title_keys)
    least = Agreement.SAME_STEM if vague[0] else Agreement.SAME_NAME
    options = {one.media: one for key in keys for one in by_key.get(key, ())}
    named = [
        one
        for one in options.values()
        if (one.media in matching.open or not any(vague)) and group[0].agreement(one.media) >= least
    ]
    return sorted(named, key=lambda one: (one.counter, one.media.name))


def _media_by_key(matching: Matching) -> dict[NameKey, list[_Numbered]]:
    by_key = defaultdict(list)
    for media in matching.media:
        for reading in media.readings:
            key = media_key(reading.name)
            for each in dict.fromkeys((key, NameKey(key.stem, ""))):
                by_key[each].append(_Numbered(reading.counter, media))
    return by_key
