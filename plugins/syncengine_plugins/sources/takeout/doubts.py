"""Flags matches that the names allow and do not prove."""

from __future__ import annotations

from collections import defaultdict

from syncengine_plugins.sources.takeout.names import Counted, NameKey, media_key, split_counter
from syncengine_plugins.sources.takeout.own_sidecars import Matching


def flag_cut_counters(matching: Matching) -> None:
    """Flag counters behind cut names where media files and sidecars are not numbered alike.

    An edited copy may have lost its suffix to the cut and be numbered among the others without a sidecar.
    """
    counted = {media: found for media, found in matching.found.items() if found.rule == "cut" and media.plain.counter}
    if not counted:
        return
    names = {media.plain.name for media in counted}
    of_media, of_sidecars = defaultdict(set), defaultdict(set)
    for media in matching.media:
        if media.plain.name in names:
            of_media[media.plain.name].add(media.plain.counter)
    for sidecar in matching.sidecars:
        of_sidecars[sidecar.stem].add(sidecar.counter)
    for media, found in counted.items():
        if of_media[media.plain.name] != of_sidecars[found.sidecar.stem]:
            matching.found[media] = found._replace(approximate=True)


def flag_rivals(matching: Matching) -> None:
    """Flag media files that a left-over sidecar could as well be that of.

    With both "X(1).jpg.json" and "X.jpg(1).json", or both "X.json" and "X.jpg.json", there is no telling whose the
    file of that name is when the other media file is called differently.
    """
    contested = {(key, sidecar.counter) for sidecar in matching.free for key in sidecar.title_keys}
    if not contested:
        return
    for media, found in matching.found.items():
        for reading in media.readings:
            key = media_key(reading.name)
            if not contested.isdisjoint({(key, reading.counter), (NameKey(key.stem, ""), reading.counter)}):
                matching.found[media] = found._replace(approximate=True)


def flag_contested_counters(matching: Matching) -> None:
    """Flag counters of a title where another title holds one of them.

    With both "X(1).jpg.json", of a title that ends so, and "X.jpg(1).json", media files and sidecars are numbered
    apart: the second X.jpg may be X(2).jpg, or the other title's file X(1)(1).jpg.
    """
    as_title = {
        media.plain
        for media, found in matching.found.items()
        if "(" in media.name and media.plain.counter and not found.sidecar.counter
    }
    if not as_title:
        return
    told = {Counted(base.name, base.counter) for sidecar in matching.sidecars for base in sidecar.bases if base.sure}
    contested = {plain.name for plain in as_title & told}
    if not contested:
        return
    for media, found in matching.found.items():
        inner = split_counter(media.plain.name)
        if media.plain.counter and not contested.isdisjoint((media.plain.name, inner.name)):
            matching.found[media] = found._replace(approximate=True)
