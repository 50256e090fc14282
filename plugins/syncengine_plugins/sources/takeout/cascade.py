"""Finds the sidecar of every photo and video of one folder, surest rules first.

Google links a media file to its sidecar by nothing but their names, and cuts, numbers and replaces characters in both.
Each rule is a pair of keys, one of the media file and one of the sidecar; where they meet, the title inside the sidecar
has a veto. A rule goes over all media files before the next one may take a sidecar. In doubt nothing is matched: a
photo without a sidecar is dated by its own metadata and reported, one with another photo's sidecar is dated wrongly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from syncengine_plugins.sources.takeout.cut_families import match_cut_families
from syncengine_plugins.sources.takeout.doubts import flag_contested_counters, flag_cut_counters, flag_rivals
from syncengine_plugins.sources.takeout.own_sidecars import Matching
from syncengine_plugins.sources.takeout.readings import MediaFile, Sidecar
from syncengine_plugins.sources.takeout.shared_sidecars import match_shared


class MediaName(msgspec.Struct, frozen=True):
    """A photo or video of the folder: the caller's key, the file name as exported."""

    key: int
    name: str


class SidecarName(msgspec.Struct, frozen=True):
    """A photo's sidecar in the folder.

    Args:
        key: the caller's.
        file_name: as exported, with ``.json``.
        title: as the JSON says; empty when it does not.
        instant: capture time in milliseconds, when known.
    """

    key: int
    file_name: str
    title: str = ""
    instant: int | None = None


class Pairing(msgspec.Struct, frozen=True):
    """What was matched to a media file.

    Args:
        sidecar: key of the sidecar.
        rule: the rule that found it.
        approximate: the sidecar is the best there is, yet perhaps that of a twin.
    """

    sidecar: int
    rule: str
    approximate: bool = False


class FolderMatches(msgspec.Struct, frozen=True):
    """What was matched in a folder.

    Args:
        pairs: by the key of the media file.
        unmatched_media: keys, sorted.
        unmatched_sidecars: keys of the sidecars that serve no media file, sorted.
    """

    pairs: dict[int, Pairing]
    unmatched_media: tuple[int, ...]
    unmatched_sidecars: tuple[int, ...]


def match_folder(media: Sequence[MediaName], sidecars: Sequence[SidecarName]) -> FolderMatches:
    """Match the media files of one folder with the sidecars of the same folder.

    Args:
        media: photos and videos, from all parts of an export; files of one name share their sidecar.
        sidecars: photo sidecars of that folder, likewise.

    Returns:
        The same for every order of the input.
    """
    matching = Matching(_group_media(media), _group_sidecars(sidecars))
    matching.match_exact()
    match_cut_families(matching)
    matching.match_parts()
    flag_cut_counters(matching)
    flag_rivals(matching)
    flag_contested_counters(matching)
    match_shared(matching)
    pairs: dict[int, Pairing] = {}
    used: set[int] = set()
    for one, found in matching.found.items():
        pairing = Pairing(found.sidecar.keys[0], found.rule, found.approximate)
        pairs.update(dict.fromkeys(one.keys, pairing))
        used.update(key for sidecar in (found.sidecar, *found.twins) for key in sidecar.keys)
    return FolderMatches(
        pairs,
        tuple(sorted(one.key for one in media if one.key not in pairs)),
        tuple(sorted(one.key for one in sidecars if one.key not in used)),
    )


def _group_media(media: Sequence[MediaName]) -> list[MediaFile]:
    by_name = defaultdict(list)
    for one in media:
        by_name[one.name].append(one.key)
    return [MediaFile(name, by_name[name]) for name in sorted(by_name)]


def _group_sidecars(sidecars: Sequence[SidecarName]) -> list[Sidecar]:
    groups = defaultdict(list)
    for one in sidecars:
        groups[one.file_name, one.title, one.instant].append(one.key)
    ordered = sorted(groups, key=lambda group: (group[0], group[1], group[2] is not None, group[2] or 0))
    return [Sidecar(*group, groups[group]) for group in ordered]
