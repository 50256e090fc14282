"""Names as Google writes them: cutting, counters, suffixes, kinds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.api import Kind
from syncengine_plugins.sources.takeout.names import (
    CREATION_SUFFIXES,
    EDITED_SUFFIXES,
    companion_key,
    cut,
    cut_sidecar_stems,
    edited_stems,
    extension_fits,
    kind_of,
    media_key,
    sanitised,
    split_counter,
    split_end_counter,
    split_extension,
    title_keys,
    units,
)

FACE = "\U0001f600"


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("ab" + FACE, 3, "ab"),
        ("ab" + FACE, 4, "ab" + FACE),
        (FACE * 30, 46, FACE * 23),
        (FACE * 30, 47, FACE * 23),
        ("", 5, ""),
    ],
)
def test_cut_counts_utf16_units_and_keeps_pairs_whole(text: str, limit: int, kept: str) -> None:
    assert cut(text, limit) == kept


def test_a_media_stem_is_rounded_up_to_a_whole_pair() -> None:
    assert cut("a" * 46 + FACE * 2, 47, up=True) == "a" * 46 + FACE
    assert units(cut(FACE * 30, 47, up=True)) == 48


@settings(deadline=None, max_examples=200)
@given(st.text(), st.integers(0, 60), st.booleans())
def test_cut_yields_a_beginning_that_can_be_encoded(text: str, limit: int, up: bool) -> None:
    kept = cut(text, limit, up=up)
    kept.encode("utf-8")
    assert text.startswith(kept)
    assert units(kept) <= limit + up
    assert kept == text or units(text) > limit


@pytest.mark.parametrize(
    ("name", "plain", "counter"),
    [
        ("IMG(1).jpg", "IMG.jpg", 1),
        ("IMG.jpg", "IMG.jpg", 0),
        ("21.12(1).11 - 1", "21.12.11 - 1", 1),
        ("a(1)b(2).jpg", "a(1)b.jpg", 2),
        ("a(1)(2).jpg", "a(1).jpg", 2),
        ("X-edited(1).jpg", "X-edited.jpg", 1),
        ("PXL_1.MP(3).jpg", "PXL_1.MP.jpg", 3),
        ("MVIMG_1(1)", "MVIMG_1", 1),
        ("a (2) b.jpg", "a (2) b.jpg", 0),
        ("IMG(0).jpg", "IMG(0).jpg", 0),
        ("IMG(01).jpg", "IMG(01).jpg", 0),
        ("(1).jpg", "(1).jpg", 0),
        ("IMG(\u0661).jpg", "IMG(\u0661).jpg", 0),
        ("IMG(12345678).jpg", "IMG(12345678).jpg", 0),
    ],
)
def test_the_rightmost_counter_is_taken_out(name: str, plain: str, counter: int) -> None:
    assert split_counter(name) == (plain, counter)


def test_a_sidecar_has_its_counter_at_the_end() -> None:
    assert split_end_counter("IMG.jpg.supplemental-metadata(12)") == ("IMG.jpg.supplemental-metadata", 12)
    assert split_end_counter("IMG(1).jpg") == ("IMG(1).jpg", 0)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jpg", Kind.PHOTO),
        ("a.HEIC", Kind.PHOTO),
        ("a.CR3", Kind.PHOTO),
        ("a.mp4", Kind.VIDEO),
        ("a.MOV", Kind.VIDEO),
        ("PXL_1.MP", Kind.VIDEO),
        ("PXL_1.MV", Kind.VIDEO),
        ("PXL_1.MP~2", Kind.VIDEO),
        ("PXL_1.MP.jpg", Kind.PHOTO),
        ("MVIMG_20190101_120000", Kind.VIDEO),
        ("MVIMG_20190101_120000(1)", Kind.VIDEO),
        ("MVIMG_20190101_120000.jpg", Kind.PHOTO),
        ("metadata.json", Kind.OTHER),
        ("IMG_1", Kind.OTHER),
        ("", Kind.OTHER),
        ("jpg", Kind.OTHER),
    ],
)
def test_kind_by_name(name: str, kind: Kind) -> None:
    assert kind_of(name) is kind


def test_only_known_extensions_are_split_off() -> None:
    assert split_extension("21.12.11 - 1") == ("21.12.11 - 1", "")
    assert split_extension("a.b.JPG") == ("a.b", ".JPG")


@pytest.mark.parametrize("suffix", EDITED_SUFFIXES)
def test_edited_copies_in_every_language(suffix: str) -> None:
    assert edited_stems("IMG_1" + suffix) == ("IMG_1",)
    assert edited_stems(unicodedata.normalize("NFD", "IMG_1" + suffix)) == ("IMG_1",)


@pytest.mark.parametrize("tail", ["-edite", "-edi", "-ed", "-e", "-"])
def test_an_edited_suffix_may_be_cut_off_at_47_units_only(tail: str) -> None:
    original = "a" * (47 - len(tail))
    assert edited_stems(original + tail) == (original,)
    assert edited_stems("IMG_1" + tail) == ()


@pytest.mark.parametrize("suffix", CREATION_SUFFIXES)
def test_creations_are_no_edited_copies(suffix: str) -> None:
    assert edited_stems("IMG_1" + suffix) == ()
    assert edited_stems("a" * (47 - len(suffix)) + suffix) == ()


def test_a_bare_suffix_is_a_name() -> None:
    assert edited_stems("-edited") == ()


def test_sanitising_is_the_same_for_all_characters_that_google_may_replace() -> None:
    assert sanitised("27/06/12 - 1") == sanitised("27_06_12 - 1")
    assert sanitised("a&b?\x07'c") == "a_b___c"
    assert sanitised("e\u0301 \u5199\u771f (1).-_") == "\u00e9 \u5199\u771f (1).-_"


def test_a_title_leads_to_its_media_name() -> None:
    assert media_key("a_b.jpg") in title_keys("a&amp;b.JPEG")
    assert media_key("a" * 47 + ".jpg") in title_keys("a" * 60 + ".jpg")
    assert media_key("a" * 46 + ".jpeg") in title_keys("a" * 60 + ".jpeg")
    assert media_key("a.jpg") not in title_keys("a.png")
    assert media_key("a" * 46 + "e.jpg") in title_keys("a" * 46 + "e\u0301.jpg")


def test_a_cut_sidecar_keeps_pairs_whole_either_way() -> None:
    name = "a" * 45 + FACE + "b.jpg"
    assert cut_sidecar_stems(name) == {"a" * 45, "a" * 45 + FACE}


@pytest.mark.parametrize(
    ("still", "movie"),
    [
        ("IMG_1.HEIC", "IMG_1.MOV"),
        ("IMG_1(1).HEIC", "IMG_1(1).MP4"),
        ("PXL_1.MP.jpg", "PXL_1.MP"),
        ("PXL_1.MP(1).jpg", "PXL_1(1).MP"),
        ("PXL_1.MP~2.jpg", "PXL_1.MP~2"),
        ("PXL_1.MV.jpg", "PXL_1.MV"),
        ("MVIMG_1.jpg", "MVIMG_1"),
        ("e\u0301.HEIC", "\u00e9.MOV"),
    ],
)
def test_halves_of_one_photo_have_one_key(still: str, movie: str) -> None:
    assert companion_key(still) == companion_key(movie)


@pytest.mark.parametrize(
    ("still", "movie"),
    [("IMG_1.HEIC", "IMG_1(1).MOV"), ("PXL_1.MP.jpg", "PXL_1.MP~2"), ("IMG_1.HEIC", "IMG_12.MOV")],
)
def test_halves_of_different_photos_have_different_keys(still: str, movie: str) -> None:
    assert companion_key(still) != companion_key(movie)


def test_extensions_fit_in_any_case_and_to_a_title_without_one() -> None:
    assert extension_fits("IMG_1.JPG", "IMG_1.jpg")
    assert extension_fits("IMG_1", "IMG_1.jpg")
    assert not extension_fits("IMG_1.jpeg", "IMG_1.jpg")
