"""The matching cascade against a generator that names files as Google does."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine_plugins.sources.takeout.cascade import FolderMatches, MediaName, SidecarName, match_folder
from syncengine_plugins.sources.takeout.names import SIDECAR_SUFFIX, cut, nfc, split_counter, split_extension, units

QUICK = settings(deadline=None, max_examples=120)

LONG = "Screenshot_2023-04-05-18-07-21-83_abb9c8060a0a"  # 46 units
PARTS = ["IMG_1", "IMG_2", "a&b", "e\u0301t\u00e9", "\U0001f600", " (2)", "(1)", ".LONG", "x"]
ENDS = ["", "1", "a", "ab", "\U0001f600", "\U0001f600z", "e\u0301", "-01.COVER"]
STEMS = st.one_of(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("".join),
    st.builds(
        lambda length, end, more: LONG[:length] + end + more,
        st.sampled_from([20, 40, 41, 42, 43, 44, 45, 46]),
        st.sampled_from(ENDS),
        st.sampled_from(ENDS),
    ),
)


def titles(extensions: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.builds(str.__add__, STEMS, st.sampled_from(extensions)), min_size=1, max_size=12)


@dataclass(frozen=True)
class Library:
    """A folder as Google would write it, with the truth: which media file belongs to which sidecar."""

    media: list[MediaName]
    sidecars: list[SidecarName]
    truth: dict[int, int]


def safe(title: str) -> str:
    return "".join("_" if char in '&?/\\:*"<>|%' else char for char in title)


def numbered(name: str, counter: int) -> str:
    """Set the counter before whatever follows the last dot, as Google does."""
    if not counter:
        return name
    stem, dot, extension = name.rpartition(".")
    return f"{stem}({counter}){dot}{extension}" if dot else f"{name}({counter})"


def write(originals: Sequence[str], suffix: str, edits: Collection[int], *, shared_counters: bool) -> Library:
    """Name the media files and sidecars of originals, in this order.

    Args:
        originals: titles.
        suffix: between media name and ``.json``.
        edits: which of them have an edited copy as well.
        shared_counters: a sidecar has its media file's counter or the next free one; else sidecars are numbered among
            themselves.
    """
    library = Library([], [], {})
    taken: set[str] = set()
    for index, title in enumerate(originals):
        stem, extension = split_extension(safe(title))
        name = cut(stem, 47, up=True) + (extension or ".jpg")
        counter = next(n for n in itertools.count() if numbered(name, n) not in taken)
        told = cut(cut(stem, 47, up=True) + extension + suffix, 46)
        first = counter if shared_counters else 0
        file_names = (f"{told}({n}).json" if n else f"{told}.json" for n in itertools.count(first))
        file_name = next(one for one in file_names if one not in taken)
        edited = numbered(cut(stem + "-edited", 47, up=True) + (extension or ".jpg"), counter)
        told_apart = units(stem) + len("-ed") <= 47
        keep_edit = index in edits and told_apart and edited not in {*taken, numbered(name, counter)}
        written = {index: numbered(name, counter)} | ({500 + index: edited} if keep_edit else {})
        library.media.extend(MediaName(key, one) for key, one in written.items())
        library.sidecars.append(SidecarName(1000 + index, file_name, title, index * 1000))
        library.truth.update(dict.fromkeys(written, 1000 + index))
        taken.update([*written.values(), file_name])
    return library


def libraries(
    extensions: list[str], ordinary: Callable[[str], bool] = lambda title: True
) -> st.SearchStrategy[Library]:
    return st.builds(
        write,
        titles(extensions).map(lambda some: list(filter(ordinary, some))).filter(are_told_apart),
        st.sampled_from([SIDECAR_SUFFIX, SIDECAR_SUFFIX, ""]),
        st.sets(st.integers(0, 11), max_size=3),
        shared_counters=st.booleans(),
    )


def are_told_apart(originals: list[str]) -> bool:
    """Leave out what nobody can tell apart: titles equal but for normal form, extension or a counter of their own."""
    counted = [split_counter(nfc(title)) for title in originals]
    if {plain for plain, counter in counted if counter} & {nfc(title) for title in originals}:
        return False
    stems = {title: cut(nfc(safe(split_extension(title)[0])), 46) for title in originals}
    bare = {stems[title] for title in originals if not split_extension(title)[1]}
    return all(
        one == other or (nfc(one) != nfc(other) and (stems[one] != stems[other] or stems[one] not in bare))
        for one, other in itertools.combinations(stems, 2)
    )


def is_not_cut_inside_a_character(title: str) -> bool:
    return nfc(title) == title or units(title) < 46


def has_no_counter_of_its_own(title: str) -> bool:
    return "(" not in title


def wrong(library: Library, found: FolderMatches) -> list[str]:
    """Describe the matches that are wrong and do not say that they may be."""
    names = {one.key: one.name for one in library.media}
    files = {one.key: one.file_name for one in library.sidecars}
    return [
        f"{names[key]!r} got {files[pairing.sidecar]!r} by {pairing.rule}"
        for key, pairing in found.pairs.items()
        if pairing.sidecar != library.truth[key] and not pairing.approximate
    ]


EVERY_EXTENSION = [".jpg", ".jpg", ".jpg", ".JPG", ".jpeg", ".HEIC", ".png", ".mp4", ""]


@QUICK
@given(libraries(EVERY_EXTENSION))
def test_no_media_file_gets_the_sidecar_of_another(library: Library) -> None:
    assert wrong(library, match_folder(library.media, library.sidecars)) == []


@QUICK
@given(libraries([".jpg", ".jpg", ".JPG", ".HEIC", ".png", ".mp4"], is_not_cut_inside_a_character))
def test_every_media_file_gets_its_own(library: Library) -> None:
    found = match_folder(library.media, library.sidecars)
    assert {key: pairing.sidecar for key, pairing in found.pairs.items()} == library.truth
    assert (found.unmatched_media, found.unmatched_sidecars) == ((), ())


@QUICK
@given(libraries([".jpg", ".jpg", ".HEIC", ".png"], has_no_counter_of_its_own), st.randoms(use_true_random=False))
def test_nobody_takes_the_sidecar_of_a_file_in_a_missing_part(library: Library, chance: random.Random) -> None:
    partial = replace(
        library,
        media=[one for one in library.media if chance.random() < 0.75],
        sidecars=[one for one in library.sidecars if chance.random() < 0.75],
    )
    assert wrong(partial, match_folder(partial.media, partial.sidecars)) == []


@QUICK
@given(libraries(EVERY_EXTENSION), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(library: Library, chance: random.Random) -> None:
    expected = match_folder(library.media, library.sidecars)
    media = chance.sample(library.media, len(library.media))
    sidecars = chance.sample(library.sidecars, len(library.sidecars))
    assert match_folder(media, sidecars) == expected


PIECES = [*"aI_1.-\u0301\u00e9\U0001f600", "(1)", "(2)", ".jpg", ".MP", ".json", "-edited", SIDECAR_SUFFIX, LONG]
NAMES = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)


@QUICK
@given(st.lists(NAMES, max_size=8), st.lists(st.tuples(NAMES, NAMES, st.none() | st.integers()), max_size=8))
def test_any_names_are_accounted_for(names: list[str], told: list[tuple[str, str, int | None]]) -> None:
    media = [MediaName(key, name) for key, name in enumerate(names)]
    sidecars = [SidecarName(100 + key, *one) for key, one in enumerate(told)]
    found = match_folder(media, sidecars)
    assert sorted([*found.pairs, *found.unmatched_media]) == [one.key for one in media]
    used = {pairing.sidecar for pairing in found.pairs.values()}
    assert used.isdisjoint(found.unmatched_sidecars)
    assert used | set(found.unmatched_sidecars) <= {one.key for one in sidecars}
