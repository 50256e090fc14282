"""The rules that give a media file a sidecar of its own: exact, cut, extension, title, prefix."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from syncengine.api import Kind
from syncengine_plugins.sources.takeout.names import (
    SIDECAR_SUFFIX,
    Counted,
    companion_key,
    extension_fits,
    kind_of,
    nfc,
    split_extension,
    units,
)
from syncengine_plugins.sources.takeout.readings import Agreement, Found, MediaFile, Sidecar
from syncengine_plugins.sources.takeout.rules import BY_PARTS, EXACT, Rule, counted_sidecar_names, sidecar_names

LEAST_PREFIX_UNITS = 40
"""A shorter beginning of a name must hold the whole stem to count as a sidecar's."""

_MOST_OPTIONS = 32
"""More sidecars than these for one media file are no answer, and would take long to weigh."""

_Ranked = TypeVar("_Ranked")


class Matching:
    """The media files and sidecars of a folder while they are being matched.

    Args:
        media: every media file once, in a fixed order.
        sidecars: every sidecar once, in a fixed order.

    Attributes:
        found: what was matched so far.
        open: media files without a sidecar.
        free: sidecars that no media file has.
        mixed: sidecars whose counters mean nothing to rules that compare names.
    """

    def __init__(self, media: Collection[MediaFile], sidecars: Collection[Sidecar]) -> None:
        self.media = media
        self.sidecars = sidecars
        self.found: dict[MediaFile, Found] = {}
        self.free = dict.fromkeys(sidecars)
        self.open = dict.fromkeys(media)
        self.mixed: set[Sidecar] = set()

    def match_exact(self) -> None:
        """Match the names that are written in full."""
        self._match_as_written()
        for rule in EXACT:
            self._apply(rule)

    def match_parts(self) -> None:
        """Match the names that are cut, differ in their extension, or are known from the title only."""
        for rule in BY_PARTS:
            self._apply(rule)
        self._match_prefixes()

    def _match_as_written(self) -> None:
        """Match what is written in full, in one normal form, and confirmed by the title: nearly all of a library.

        It also tells names apart that differ in their normal form only.
        """
        by_name = defaultdict(list)
        for sidecar in self.free:
            by_name[sidecar.file_name].append(sidecar)
        for names_of in (sidecar_names, counted_sidecar_names):
            for media in tuple(self.open):
                title, names = names_of(media.name)
                written = [sidecar for name in names for sidecar in by_name.get(name, ())]
                if len(written) == 1 and nfc(written[0].title) == nfc(title) and written[0] in self.free:
                    self.pair(media, Found(written[0], "exact"))

    def _apply(self, rule: Rule) -> None:
        """Apply a rule to all open media files: first with ``(n)`` as part of the title, then as a counter."""
        if not self.open:
            return
        index = defaultdict(list)
        for sidecar in self.free:
            if sidecar not in self.mixed:
                for key in rule.sidecar_keys(sidecar):
                    index[key].append(sidecar)
        whole = [(media, media.readings[0]) for media in self.open]
        self._propose(rule, index, whole)
        self._propose(rule, index, [(media, media.plain) for media in self.open if media.plain.counter])

    def _propose(
        self, rule: Rule, index: Mapping[Hashable, list[Sidecar]], readings: Iterable[tuple[MediaFile, Counted]]
    ) -> None:
        proposals = []
        for media, reading in readings:
            options = dict.fromkeys(
                sidecar for key in rule.media_keys(reading) for sidecar in index.get(key, ()) if sidecar in self.free
            )
            if 0 < len(options) <= _MOST_OPTIONS:
                proposals.append((media, list(options)))
        self._settle(rule.name, proposals, overrules_title=rule.overrules_title)

    def _settle(
        self, rule: str, proposals: Iterable[tuple[MediaFile, list[Sidecar]]], *, overrules_title: bool = False
    ) -> None:
        """Pair whoever has exactly one other; whom several want, and who may have several, is left to later rules."""
        takers: dict[Sidecar, list[tuple[MediaFile, Agreement]]] = defaultdict(list)
        twins: dict[MediaFile, tuple[Sidecar, ...]] = {}
        for media, options in proposals:
            agreed = _best(((sidecar, sidecar.agreement(media)) for sidecar in options), overrules_title)
            agreed.sort(key=lambda one: one[0].file_name)
            if agreed and all(sidecar.same_asset(agreed[0][0]) for sidecar, _ in agreed[1:]):
                takers[agreed[0][0]].append((media, agreed[0][1]))
                twins[media] = tuple(sidecar for sidecar, _ in agreed[1:])
        for sidecar, wanting in takers.items():
            only = _only_taker(_best(wanting, overrules_title))
            if only is not None:
                self.pair(only, Found(sidecar, rule, not extension_fits(sidecar.title, only.name), twins[only]))

    def pair(self, media: MediaFile, found: Found) -> None:
        """Give an open media file its sidecar; whoever shares it calls this as well."""
        self.found[media] = found
        del self.open[media]
        for sidecar in (found.sidecar, *found.twins):
            self.free.pop(sidecar, None)

    def _match_prefixes(self) -> None:
        """Match what is left where a sidecar's name begins exactly one name of the folder, matched or not."""
        candidates = [sidecar for sidecar in self.free if sidecar not in self.mixed and sidecar.stem]
        if not candidates or not self.open:
            return
        names = sorted({reading.name + SIDECAR_SUFFIX for media in self.media for reading in media.readings})
        by_reading = defaultdict(list)
        for media in self.media:
            for reading in media.readings:
                by_reading[reading].append(media)
        options: dict[MediaFile, list[Sidecar]] = defaultdict(list)
        for sidecar in candidates:
            begun = list(_begun_by(sidecar.stem, names))
            if len(begun) == 1:
                for media in by_reading.get(Counted(begun[0], sidecar.counter), ()):
                    options[media].append(sidecar)
        self._settle("prefix", ((media, some) for media, some in options.items() if media in self.open))


def _best(ranked: Iterable[tuple[_Ranked, Agreement]], overrules_title: bool) -> list[tuple[_Ranked, Agreement]]:
    """Return those with the best agreement; contradictions only where the name overrules the title."""
    allowed = [one for one in ranked if overrules_title or one[1] is not Agreement.CONTRADICTS]
    highest = max((agreement for _, agreement in allowed), default=Agreement.CONTRADICTS)
    return [one for one in allowed if one[1] == highest]


def _only_taker(wanting: list[tuple[MediaFile, Agreement]]) -> MediaFile | None:
    """Return the one media file that wants a sidecar; of a still and its own movies, the still."""
    if len(wanting) == 1:
        return wanting[0][0]
    stills = [media for media, _ in wanting if kind_of(media.plain.name) is Kind.PHOTO]
    if len(stills) != 1 or len({companion_key(media.name) for media, _ in wanting}) > 1:
        return None
    return stills[0]


def _begun_by(stem: str, names: list[str]) -> Iterator[str]:
    """Yield the media names, of sorted ``names`` with the sidecar suffix, that a sidecar's stem is the beginning of."""
    start = bisect_left(names, stem)
    for name in names[start : start + _MOST_OPTIONS]:
        if not name.startswith(stem):
            return
        media_name = name.removesuffix(SIDECAR_SUFFIX)
        if units(stem) >= LEAST_PREFIX_UNITS or len(stem) >= len(split_extension(media_name)[0]):
            yield media_name
