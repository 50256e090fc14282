"""The rules that give a media file a sidecar of its own: exact, cut, extension, title, prefix."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from syncengine.api import Kind
from syncengine_plugins.sources.takeout.names import (
    SIDECAR_STEM_UNITS,
    SIDECAR_SUFFIX,
    Counted,
    NameKey,
    companion_key,
    cut,
    cut_sidecar_stems,
    extension_fits,
    kind_of,
    media_key,
    nfc,
    same_format,
    split_counter,
    split_extension,
    units,
)
from syncengine_plugins.sources.takeout.readings import Agreement, MediaFile, Sidecar

LEAST_PREFIX_UNITS = 40
"""A shorter beginning of a name must hold the whole stem to count as a sidecar's."""

_MOST_OPTIONS = 32
"""More sidecars than these for one media file are no answer, and would take long to weigh."""

_Ranked = TypeVar("_Ranked")


class Found(NamedTuple):
    """The sidecar of a media file, the rule that found it, and the sidecars that say the same of it."""

    sidecar: Sidecar
    rule: str
    approximate: bool = False
    twins: tuple[Sidecar, ...] = ()


class _Rule(NamedTuple):
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


_EXACT = (
    _Rule("exact", _whole_name, _bases),
    _Rule("exact", _whole_name, _sure_bases, overrules_title=True),
)
_BY_PARTS = (
    _Rule("cut", _cut_name, _sidecar_stem),
    _Rule("extension", _format_of_name, _formats_of_bases),
    _Rule("extension", _bare_name, _formats_of_bases),
    _Rule("title", _comparable_name, _names_by_title),
)


def _sidecar_names(name: str) -> tuple[str, set[str]]:
    """Return the title and the file names of the sidecar of a media file whose name is its title."""
    whole = name + SIDECAR_SUFFIX
    return name, {f"{whole}.json", f"{cut(whole, SIDECAR_STEM_UNITS)}.json", f"{name}.json"}


def _counted_sidecar_names(name: str) -> tuple[str, Iterable[str]]:
    """Return the same for a name with a counter; no file names where the cut may have made different names equal."""
    title, counter = split_counter(name)
    if not counter or units(title) >= SIDECAR_STEM_UNITS:
        return title, ()
    return title, [f"{stem[:-5]}({counter}).json" for stem in _sidecar_names(title)[1]]


class Matching:
    """The media files and sidecars of a folder while they are being matched.

    Args:
        media: every media file once, in a fixed order.
        sidecars: every sidecar once, in a fixed order.
    """

    def __init__(self, media: Collection[MediaFile], sidecars: Collection[Sidecar]) -> None:
        self.media = media
        self.sidecars = sidecars
        self.found: dict[MediaFile, Found] = {}
        self.free = dict.fromkeys(sidecars)
        self.open = dict.fromkeys(media)
        self._mixed: set[Sidecar] = set()

    def match_own(self) -> None:
        """Give each media file the sidecar that Google wrote for it."""
        self._match_as_written()
        for rule in _EXACT:
            self._apply(rule)
        self._match_mixed_families()
        for rule in _BY_PARTS:
            self._apply(rule)
        self._match_prefixes()
        self._doubt_cut_counters()
        self._doubt_rivals()

    def _match_as_written(self) -> None:
        """Match what is written in full, in one normal form, and confirmed by the title: nearly all of a library.

        It also tells names apart that differ in their normal form only.
        """
        by_name = defaultdict(list)
        for sidecar in self.free:
            by_name[sidecar.file_name].append(sidecar)
        for names_of in (_sidecar_names, _counted_sidecar_names):
            for media in tuple(self.open):
                title, names = names_of(media.name)
                written = [sidecar for name in names for sidecar in by_name.get(name, ())]
                if len(written) == 1 and nfc(written[0].title) == nfc(title) and written[0] in self.free:
                    self._pair(media, Found(written[0], "exact"))

    def _apply(self, rule: _Rule) -> None:
        """Apply a rule to all open media files: first with ``(n)`` as part of the title, then as a counter."""
        for as_counter in (False, True):
            if not self.free or not self.open:
                return
            index = defaultdict(list)
            for sidecar in self.free:
                if sidecar not in self._mixed:
                    for key in rule.sidecar_keys(sidecar):
                        index[key].append(sidecar)
            proposals = []
            for media in self.open:
                reading = media.readings[-1] if as_counter else media.readings[0]
                if as_counter and not reading.counter:
                    continue
                options = {sidecar: None for key in rule.media_keys(reading) for sidecar in index.get(key, ())}
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
                self._pair(only, Found(sidecar, rule, not extension_fits(sidecar.title, only.name), twins[only]))

    def share(self, media: MediaFile, found: Found) -> None:
        """Give an open media file a sidecar that others may have as well."""
        self._pair(media, found)

    def _pair(self, media: MediaFile, found: Found) -> None:
        self.found[media] = found
        del self.open[media]
        for sidecar in (found.sidecar, *found.twins):
            self.free.pop(sidecar, None)

    def _match_mixed_families(self) -> None:
        """Match sidecars whose cut names collided although those of their media files did not.

        Such a family, ``x.json``, ``x(1).json``, is numbered by itself, so a counter says nothing; its titles do. Those
        that lead to one media name belong to its files in the order of both counters, if no number is missing.
        """
        families = defaultdict(list)
        for sidecar in self.sidecars:
            if units(sidecar.stem) >= SIDECAR_STEM_UNITS - 1:
                families[sidecar.stem].append(sidecar)
        mixed = [family for family in families.values() if len({_title_group(one) for one in family}) > 1]
        if not mixed:
            return
        by_key = self._media_by_key()
        for family in mixed:
            self._mixed.update(family)
            family.sort(key=lambda one: one.counter)
            counters = [one.counter for one in family]
            whole = counters == list(range(len(family)))
            own_numbers = len(set(counters)) == len(counters)
            groups = defaultdict(list)
            for sidecar in sorted(family, key=lambda one: split_extension(one.title)[1] == ""):
                groups[_title_group(sidecar)].append(sidecar)
            for group in groups.values():
                self._match_title_group(group, by_key, in_order=whole, same_counters=not own_numbers)

    def _match_title_group(
        self,
        group: list[Sidecar],
        by_key: dict[NameKey, list[tuple[int, MediaFile]]],
        *,
        in_order: bool,
        same_counters: bool,
    ) -> None:
        """Match the sidecars of a mixed family whose titles lead to one media name."""
        if not group[0].title:
            return
        title = group[0].title
        bare = split_extension(title)[1] == ""
        keys = [media_key(title)] if media_key(title) in by_key else sorted(group[0].title_keys)
        options = (one for key in keys for one in by_key.get(key, ()))
        numbered = {media: counter for counter, media in options if media in self.open or not bare}
        least = Agreement.SAME_STEM if bare else Agreement.SAME_NAME
        agreed = [(numbered[media], media) for media in numbered if group[0].agreement(media) >= least]
        counted = sorted(agreed, key=lambda one: (one[0], one[1].name))
        if not counted or len({counter for counter, _ in counted}) < len(counted):
            return
        if same_counters:
            by_counter = defaultdict(list)
            for sidecar in group:
                by_counter[sidecar.counter].append(sidecar)
            self._settle("title", [(media, by_counter.get(counter, [])) for counter, media in counted])
            return
        complete = [counter for counter, _ in counted] == list(range(len(group)))
        certain = group if in_order and complete else group[:1]
        for (counter, media), sidecar in zip(counted, certain, strict=False):
            if (
                media in self.open
                and sidecar in self.free
                and (in_order or sidecar.counter == 0)
                and (complete or counter == 0)
            ):
                self._pair(media, Found(sidecar, "title", approximate=counter != sidecar.counter and len(group) > 1))

    def _media_by_key(self) -> dict[NameKey, list[tuple[int, MediaFile]]]:
        by_key = defaultdict(list)
        for media in self.media:
            for reading in media.readings:
                key = media_key(reading.name)
                by_key[key].append((reading.counter, media))
                if key.extension:
                    by_key[NameKey(key.stem, "")].append((reading.counter, media))
        return by_key

    def _doubt_cut_counters(self) -> None:
        """Flag counters behind cut names where media files and sidecars are not numbered alike.

        An edited copy may have lost its suffix to the cut and be numbered among the others without a sidecar.
        """
        counted = {media: found for media, found in self.found.items() if found.rule == "cut" and media.plain.counter}
        if not counted:
            return
        names = {media.plain.name for media in counted}
        of_media, of_sidecars = defaultdict(set), defaultdict(set)
        for media in self.media:
            if media.plain.name in names:
                of_media[media.plain.name].add(media.plain.counter)
        for sidecar in self.sidecars:
            of_sidecars[sidecar.stem].add(sidecar.counter)
        for media, found in counted.items():
            if of_media[media.plain.name] != of_sidecars[found.sidecar.stem]:
                self.found[media] = found._replace(approximate=True)

    def _doubt_rivals(self) -> None:
        """Flag media files that a left-over sidecar could as well be that of.

        With both "X(1).jpg.json" and "X.jpg(1).json", or both "X.json" and "X.jpg.json", there is no telling whose the
        file of that name is when the other media file is called differently.
        """
        if not self.free or not self.found:
            return
        by_key = self._media_by_key()
        for sidecar in self.free:
            for counter, media in (one for key in sidecar.title_keys for one in by_key.get(key, ())):
                if counter == sidecar.counter and media in self.found:
                    self.found[media] = self.found[media]._replace(approximate=True)

    def _match_prefixes(self) -> None:
        """Match what is left where a sidecar's name begins exactly one name of the folder, matched or not."""
        candidates = [sidecar for sidecar in self.free if sidecar not in self._mixed and sidecar.stem]
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


def _title_group(sidecar: Sidecar) -> Hashable:
    return sidecar.title_keys, split_extension(sidecar.title)[1]


def _begun_by(stem: str, names: list[str]) -> Iterator[str]:
    """Yield the media names, of sorted ``names`` with the sidecar suffix, that a sidecar's stem is the beginning of."""
    start = bisect_left(names, stem)
    for name in names[start : start + _MOST_OPTIONS]:
        if not name.startswith(stem):
            return
        media_name = name.removesuffix(SIDECAR_SUFFIX)
        if units(stem) >= LEAST_PREFIX_UNITS or len(stem) >= len(split_extension(media_name)[0]):
            yield media_name
