"""Pairs of a still and its movie: by Apple's identifier, then by name."""

from __future__ import annotations

import random

import pytest

from syncengine_plugins.sources.takeout.live_photos import Candidates, Half, Pair, candidates, pair


@pytest.mark.parametrize(
    ("still", "movie"),
    [
        ("IMG_1.HEIC", "IMG_1.MOV"),
        ("IMG_1.JPG", "IMG_1.MP4"),
        ("IMG_1.jpeg", "IMG_1.mp4"),
        ("IMG_1(2).HEIC", "IMG_1(2).MOV"),
        ("PXL_1.MP.jpg", "PXL_1.MP"),
        ("PXL_1.MP~2.jpg", "PXL_1.MP~2"),
        ("PXL_1.MV.jpg", "PXL_1.MV"),
        ("MVIMG_1.jpg", "MVIMG_1"),
        ("MVIMG_1.jpg", "MVIMG_1.MP4"),
    ],
)
def test_by_name(still: str, movie: str) -> None:
    assert pair([Half(1, still, has_sidecar=True)], [Half(2, movie)]) == [Pair(1, 2, "name")]


@pytest.mark.parametrize(
    ("still", "movie"),
    [("IMG_1.HEIC", "IMG_2.MOV"), ("IMG_1.HEIC", "IMG_1(1).MOV"), ("PXL_1.MP.jpg", "PXL_1.MP~2"), ("a.png", "a.MOV")],
)
def test_other_names_stay_alone(still: str, movie: str) -> None:
    assert pair([Half(1, still)], [Half(2, movie)]) == []


def test_a_movie_with_its_own_sidecar_stays_alone() -> None:
    assert pair([Half(1, "IMG_1.HEIC")], [Half(2, "IMG_1.MOV", has_sidecar=True)]) == []


def test_equal_identifiers_overrule_name_and_sidecar() -> None:
    assert pair([Half(1, "a.HEIC", "X")], [Half(2, "b.MOV", "X", has_sidecar=True)]) == [Pair(1, 2, "identifier")]


def test_different_identifiers_overrule_equal_names() -> None:
    assert pair([Half(1, "IMG_1.HEIC", "X")], [Half(2, "IMG_1.MOV", "Y")]) == []


def test_one_unknown_identifier_leaves_the_name_to_decide() -> None:
    assert pair([Half(1, "IMG_1.HEIC", "X")], [Half(2, "IMG_1.MOV")]) == [Pair(1, 2, "name")]


def test_copies_that_share_an_identifier_pair_by_nearest_name() -> None:
    stills = [Half(1, "IMG_1.HEIC", "X"), Half(2, "IMG_1(1).HEIC", "X"), Half(3, "IMG_1-edited.HEIC", "X")]
    movies = [Half(4, "IMG_1(1).MOV", "X"), Half(5, "IMG_1.MOV", "X")]
    assert pair(stills, movies) == [Pair(1, 5, "identifier"), Pair(2, 4, "identifier")]


def test_several_takers_of_a_name_stay_alone() -> None:
    assert pair([Half(1, "IMG_1.HEIC"), Half(2, "IMG_1.JPG")], [Half(3, "IMG_1.MOV")]) == []
    assert pair([Half(1, "IMG_1.HEIC")], [Half(2, "IMG_1.MOV"), Half(3, "IMG_1.MP4")]) == []


def test_a_still_is_in_one_pair() -> None:
    stills = [Half(1, "IMG_1.HEIC", "X")]
    assert pair(stills, [Half(2, "other.MOV", "X"), Half(3, "IMG_1.MOV")]) == [Pair(1, 2, "identifier")]


def test_equal_names_under_different_keys() -> None:
    stills = [Half(1, "IMG_1.HEIC", "X"), Half(2, "IMG_1.HEIC", "X")]
    assert pair(stills, [Half(3, "IMG_1.MOV", "X")]) == [Pair(1, 3, "identifier")]


def test_the_order_of_input_does_not_matter() -> None:
    stills = [Half(i, f"IMG_{i % 7}{'(1)' if i % 2 else ''}.HEIC", str(i % 5)) for i in range(40)]
    movies = [Half(100 + i, f"IMG_{i % 7}.MOV", str(i % 6) if i % 3 else None) for i in range(40)]
    expected = pair(stills, movies)
    shuffle = random.Random(1).shuffle
    for _ in range(5):
        shuffle(stills)
        shuffle(movies)
        assert pair(stills, movies) == expected


def test_an_identifier_that_thousands_share_is_none() -> None:
    stills = [Half(i, f"a{i}.HEIC", "X") for i in range(3000)]
    movies = [Half(5000 + i, f"b{i}.MOV", "X") for i in range(3000)]
    assert pair(stills, movies) == []


def test_candidates_share_a_stem_and_are_apples() -> None:
    stills = [Half(1, "IMG_1.HEIC"), Half(2, "IMG_1(1).JPG"), Half(3, "IMG_2.HEIC"), Half(4, "IMG_3.png")]
    movies = [Half(5, "IMG_1(2).MOV", has_sidecar=True), Half(6, "IMG_3.MOV"), Half(7, "IMG_2.avi"), Half(8, "P.MP")]
    assert candidates(stills, movies) == Candidates(stills=(1, 2), movies=(5,))
