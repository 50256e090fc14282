"""Finds the sidecar of every photo and video of one folder, surest rules first."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncengine_plugins.sources.takeout.names import split_counter, split_end_counter


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
    """Match the media files of one folder, over all parts of an export, with the folder's sidecars."""
    by_name: dict[tuple[str, int], int] = {}
    for sidecar in sorted(sidecars, key=lambda one: one.key):
        base, counter = split_end_counter(sidecar.file_name.removesuffix(".json"))
        by_name.setdefault((base.removesuffix(".supplemental-metadata"), counter), sidecar.key)
    pairs = {}
    for item in media:
        found = by_name.get((item.name, 0), by_name.get(tuple(split_counter(item.name))))
        if found is not None:
            pairs[item.key] = Pairing(found, "exact")
    used = {found.sidecar for found in pairs.values()}
    return FolderMatches(
        pairs,
        tuple(sorted(item.key for item in media if item.key not in pairs)),
        tuple(sorted(one.key for one in sidecars if one.key not in used)),
    )
