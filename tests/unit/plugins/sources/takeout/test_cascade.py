"""The matching cascade: every rule on real names, and what must stay unmatched."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest

from syncengine_plugins.sources.takeout.cascade import FolderMatches, MediaName, SidecarName, match_folder

SUFFIX = ".supplemental-metadata"
FACE = "\U0001f600"

_Sidecar = str | tuple[str, str] | tuple[str, str, int]


def match_fully(media: list[str], sidecars: Sequence[_Sidecar]) -> FolderMatches:
    """Match by names. A sidecar is its file name, optionally with title and instant. Keys: 0..., sidecars 1000..."""
    wrapped = [(one,) if isinstance(one, str) else one for one in sidecars]
    return match_folder(
        [MediaName(key, name) for key, name in enumerate(media)],
        [SidecarName(1000 + key, *one) for key, one in enumerate(wrapped)],
    )


def match(media: list[str], sidecars: Sequence[_Sidecar]) -> dict[str, str]:
    """Return the file names that were matched."""
    files = [one if isinstance(one, str) else one[0] for one in sidecars]
    pairs = match_fully(media, sidecars).pairs
    return {media[key]: files[pairing.sidecar - 1000] for key, pairing in pairs.items()}


REAL_NAMES = [
    ("IMG_20200920_131207.jpg", "IMG_20200920_131207.jpg.supplemental-metadata.json"),
    ("Screenshot_20190317-234331.jpg", "Screenshot_20190317-234331.jpg.supplemental-me.json"),
    ("Screenshot_20231027_123303_Facebook.jpg", "Screenshot_20231027_123303_Facebook.jpg.supple.json"),
    ("PXL_20230814_201154491.LONG_EXPOSURE-01.COVER.jpg", "PXL_20230814_201154491.LONG_EXPOSURE-01.COVER..json"),
    ("05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jpg", "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jp.json"),
    ("PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINA.jpg", "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN.json"),
    ("1581270440551-d356c6b2-6178-49af-bcdf-b308a5b4b.jpg", "1581270440551-d356c6b2-6178-49af-bcdf-b308a5b4.json"),
    ("Screenshot_2023-04-05-18-07-21-83_abb9c8060a0a1.jpg", "Screenshot_2023-04-05-18-07-21-83_abb9c8060a0a.json"),
    ("IMG(1).jpg", "IMG.jpg.supplemental-metadata(1).json"),
    ("IMG(1).jpg", "IMG.jpg(1).json"),
    ("skytree (2).jpg", "skytree (2).jpg.supplemental-metadata.json"),
    ("image(2).png", "image(2).png.supplemental-metadata.json"),
    ("Peanut Butter Balls.jpg", "Peanut Butter Balls.supplemental-metadata.json"),
    ("21.12(1).11 - 1", "21.12.11 - 1.supplemental-metadata(1).json"),
    ("IMG_4081(1).jpg", "IMG_4081.JPG(1).json"),
    ("IMG_1.jpg", "IMG_1.jpg.metadata.json"),
    ("IMG_1.jpg", "IMG_1.jpg.suppl.json"),
    ("IMG_1.jpg", "IMG_1.jpg..json"),
    ("x" * 49 + ".jpg", "x" * 49 + ".jpg.supplemental-metadata.json"),
    ("X-edited.jpeg", "X-edited.jpeg.json"),
    ("a" * 46 + "\U0001f600.jpg", "a" * 46 + ".json"),
    ("\U0001f600" * 24 + ".jpg", "\U0001f600" * 23 + ".json"),
]


@pytest.mark.parametrize(("media", "sidecar"), REAL_NAMES)
def test_real_names_meet(media: str, sidecar: str) -> None:
    assert match([media], [sidecar]) == {media: sidecar}


@pytest.mark.parametrize(
    ("media", "sidecar", "title"),
    [
        (
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINA.jpg",
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN.json",
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINAL.jpg",
        ),
        ("27_06_12 - 1.mov", "27_06_12 - 1.mov.supplemental-metadata.json", "27/06/12 - 1"),
        ("27_06_12 - 1.mov", "renamed.json", "27/06/12 - 1"),
        ("Tom_s &.jpg", "x.json", "Tom&#39;s &amp;.jpg"),
        ("e\u0301.jpg", "\u00e9.jpg.supplemental-metadata.json", "\u00e9.jpg"),
        ("\u00e9.jpg", "e\u0301.jpg.supplemental-metadata.json", "e\u0301.jpg"),
        ("Peanut Butter Balls.jpg", "Peanut Butter Balls.supplemental-metadata.json", "Peanut Butter Balls"),
        ("21.12(1).11 - 1", "21.12.11 - 1.supplemental-metadata(1).json", "21.12.11 - 1"),
        ("IMG_4081(1).jpg", "IMG_4081.JPG(1).json", "IMG_4081.JPG"),
        ("a" * 47 + ".jpg", "a" * 60 + ".jpg.supplemental-metadata.json", "a" * 60 + ".jpg"),
        ("a" * 47 + "(1).jpg", "a" * 46 + "(1).json", "a" * 60 + ".jpg"),
        ("Foo (2).jpg", "Foo (2).json", "Foo (2)"),
        ("[UNSET].jpg", "[UNSET].jpg.supplemental-metadata.json", ""),
    ],
)
def test_names_meet_with_their_titles(media: str, sidecar: str, title: str) -> None:
    assert match([media], [(sidecar, title)]) == {media: sidecar}


def test_a_counter_that_is_part_of_the_title_comes_first() -> None:
    media = ["image.png", "image(1).png", "image(2).png"]
    sidecars = [f"image.png{SUFFIX}.json", f"image.png{SUFFIX}(1).json", f"image(2).png{SUFFIX}.json"]
    assert match(media, sidecars) == dict(zip(media, sidecars, strict=True))


def test_a_counter_that_may_be_either_is_flagged() -> None:
    found = match_fully(
        ["IMG(1).jpg", "IMG.jpg"],
        [
            (f"IMG(1).jpg{SUFFIX}.json", "IMG(1).jpg", 1),
            (f"IMG.jpg{SUFFIX}(1).json", "IMG.jpg", 2),
            (f"IMG.jpg{SUFFIX}.json", "IMG.jpg", 3),
        ],
    )
    assert (found.pairs[0].sidecar, found.pairs[0].approximate) == (1000, True)
    assert (found.pairs[1].sidecar, found.pairs[1].approximate) == (1002, False)
    assert found.unmatched_sidecars == (1001,)


def test_counters_that_another_title_holds_are_flagged() -> None:
    media = ["IMG.jpg", "IMG(1).jpg", "IMG(2).jpg", "IMG(3).jpg", "A.jpg", "A(1).jpg"]
    titles = [
        ("IMG.jpg", ""),
        ("IMG(1).jpg", ""),
        ("IMG.jpg", "(1)"),
        ("IMG.jpg", "(2)"),
        ("A.jpg", ""),
        ("A.jpg", "(1)"),
    ]
    found = match_fully(media, [(f"{title}{SUFFIX}{n}.json", title, key) for key, (title, n) in enumerate(titles)])
    flags = {media[key]: pairing.approximate for key, pairing in found.pairs.items()}
    assert flags == {"IMG.jpg": False, "IMG(1).jpg": True, "IMG(2).jpg": True, "A.jpg": False, "A(1).jpg": False}


def test_a_surer_rule_of_one_file_comes_before_a_vaguer_one_of_another() -> None:
    assert match(["IMG_1.JPG", "IMG_1.jpg"], [f"IMG_1.jpg{SUFFIX}.json"]) == {"IMG_1.jpg": f"IMG_1.jpg{SUFFIX}.json"}


def test_names_that_differ_in_case_or_normal_form_only() -> None:
    media = ["IMG_1.mov", "IMG_1.MOV", "e\u0301.jpg", "\u00e9.jpg"]
    sidecars = [(f"{name}{SUFFIX}.json", name, key) for key, name in enumerate(media)]
    assert match(media, sidecars) == {name: f"{name}{SUFFIX}.json" for name in media}


def test_the_title_decides_where_cut_names_collide() -> None:
    stem = "a" * 46
    media = [f"{stem}x.jpg", f"{stem}y.jpg", f"{stem}y(1).jpg"]
    sidecars = [
        (f"{stem}.json", f"{stem}yy1.jpg", 1),
        (f"{stem}(1).json", f"{stem}xx.jpg", 2),
        (f"{stem}(2).json", f"{stem}yy2.jpg", 3),
    ]
    assert match(media, sidecars) == {
        media[0]: f"{stem}(1).json",
        media[1]: f"{stem}.json",
        media[2]: f"{stem}(2).json",
    }


@pytest.mark.parametrize("more", ["b", "bc"])
def test_a_name_that_is_a_whole_title_is_not_taken_for_a_longer_one(more: str) -> None:
    stem = "a" * 46
    media = [f"{stem}.HEIC", f"{stem}b.HEIC"]
    sidecars = [(f"{stem}(1).json", f"{stem}.HEIC", 1), (f"{stem}.json", f"{stem}{more}.HEIC", 2)]
    assert match(media, sidecars) == {media[0]: f"{stem}(1).json", media[1]: f"{stem}.json"}


def test_numbers_of_cut_names_say_nothing_when_one_is_missing() -> None:
    stem = "a" * 46
    media = [f"{stem}x.jpg", f"{stem}y.jpg"]
    sidecars = [(f"{stem}(1).json", f"{stem}y-1.jpg", 1), (f"{stem}(2).json", f"{stem}x-1.jpg", 2)]
    assert match(media, sidecars) == {}


def test_media_numbered_on_by_cut_edits_are_flagged() -> None:
    stem = "a" * 47
    found = match_fully(
        [f"{stem}.jpg", f"{stem}(1).jpg", f"{stem}(2).jpg"],
        [(f"{stem[:46]}.json", f"{stem}bb.jpg", 1), (f"{stem[:46]}(1).json", f"{stem}cc.jpg", 2)],
    )
    assert [found.pairs[key].approximate for key in range(3)] == [False, True, True]


WRONG: list[tuple[list[str], list[_Sidecar]]] = [
    (["IMG_1.jpg"], ["IMG_10.jpg.json"]),
    (["IMG_10.jpg"], ["IMG_1.jpg.json"]),
    (["IMG_10.jpg"], ["IMG_1.json"]),
    (["IMG_1.jpg"], ["IMG_1.jpg(1).json"]),
    (["IMG_1(1).jpg"], ["IMG_1.jpg.json"]),
    (["IMG_1(2).jpg"], [(f"IMG_1.jpg{SUFFIX}(1).json", "IMG_1.jpg")]),
    (["IMG_1.jpg"], [(f"IMG_1.png{SUFFIX}.json", "IMG_1.png")]),
    (["IMG_1.jpg"], [("IMG_1.json", "IMG_1.png")]),
    (["IMG_1.jpg", "IMG_1.png"], ["IMG_1.json"]),
    (["a" * 46 + "x.jpg"], [("a" * 46 + ".json", "a" * 46 + "y.jpg")]),
    (["a" * 46 + "x.jpg", "a" * 46 + "y.jpg"], ["a" * 46 + ".json"]),
    (["a" * 45 + "x.jpg", "a" * 45 + "y.jpg"], ["a" * 43 + ".json"]),
    (["a" * 45 + "x.jpg"], [("a" * 43 + ".json", "a" * 45 + "y.jpg")]),
    (["a" * 39 + "x.jpg"], ["a" * 39 + ".json"]),
    (["IMG_1.jpg"], [("x.json", "IMG_1.jpg", 1), ("y.json", "IMG_1.jpg", 2)]),
    (["IMG_1-COLLAGE.jpg"], [f"IMG_1.jpg{SUFFIX}.json"]),
    (["IMG_1-edited.jpg"], [f"IMG_1.mp4{SUFFIX}.json"]),
    (["IMG_1-edited.jpg"], [f"IMG_1.heic{SUFFIX}.json", f"IMG_1.png{SUFFIX}.json"]),
    (["IMG_1-edited.jpg", "IMG_1.jpg"], [f"IMG_1.heic{SUFFIX}.json"]),
    (["IMG_1-edited(1).jpg"], [f"IMG_1.jpg{SUFFIX}.json"]),
    (["IMG_1-e.jpg"], [f"IMG_1.jpg{SUFFIX}.json"]),
    (["IMG_1.mp4"], [f"IMG_1.png{SUFFIX}.json"]),
    (["IMG_1.mp4"], [(f"IMG_1.heic{SUFFIX}.json", "other.heic")]),
    (["IMG_1(1).mp4"], [f"IMG_1.heic{SUFFIX}.json"]),
    (["IMG_1.jpg"], [f"IMG_1.mp4{SUFFIX}.json"]),
    (["a" * 47 + "(1).jpg"], [("a" * 46 + ".json", "a" * 47 + ".jpg")]),
    (["IMG_1.jpg"], [".json"]),
    (["IMG_1.jpg"], []),
]


@pytest.mark.parametrize(("media", "sidecars"), WRONG)
def test_another_photos_sidecar_is_not_taken(media: list[str], sidecars: Sequence[_Sidecar]) -> None:
    found = match_fully(media, sidecars)
    assert found.pairs == {}
    assert found.unmatched_media == tuple(range(len(media)))
    assert found.unmatched_sidecars == tuple(range(1000, 1000 + len(sidecars)))


@pytest.mark.parametrize(
    ("copy", "original"),
    [
        ("IMG_1-edited.jpg", "IMG_1.jpg"),
        ("IMG_1-edited(1).jpg", "IMG_1(1).jpg"),
        ("IMG_1(1)-edited.jpg", "IMG_1(1).jpg"),
        ("IMG_1-bearbeitet.jpg", "IMG_1.jpg"),
        ("IMG_1-ha editado.jpg", "IMG_1.jpg"),
        ("IMG_1-modifie\u0301.jpg", "IMG_1.jpg"),
        ("IMG_1-\u7de8\u96c6\u6e08\u307f.jpg", "IMG_1.jpg"),
        ("a" * 43 + "-edi.jpg", "a" * 43 + ".jpg"),
        ("a" * 44 + "-ed.jpg", "a" * 44 + ".jpg"),
        ("IMG_1-COLLAGE-edited.jpg", "IMG_1-COLLAGE.jpg"),
    ],
)
def test_edited_copies_share_the_originals_sidecar(copy: str, original: str) -> None:
    sidecars: Sequence[_Sidecar] = [
        (f"{original}{SUFFIX}"[:46] + ".json", original, 1) if "(" not in original else "IMG_1.jpg(1).json",
    ]
    found = match_fully([copy, original], sidecars)
    assert (found.pairs[0].sidecar, found.pairs[0].rule, found.pairs[0].approximate) == (1000, "edited", False)
    assert found.pairs[1].sidecar == 1000
    if len(original) < 40:
        assert match_fully([copy], sidecars).pairs[0].sidecar == 1000, "the original is in another folder"


def test_an_edited_copy_in_another_format_is_flagged() -> None:
    found = match_fully(["IMG_1-edited.jpg", "IMG_1.HEIC", "IMG_1.MOV"], [f"IMG_1.HEIC{SUFFIX}.json"])
    assert [(found.pairs[key].rule, found.pairs[key].approximate) for key in range(3)] == [
        ("edited", True),
        ("exact", False),
        ("companion", False),
    ]


@pytest.mark.parametrize("tail", ["-e", "-"])
def test_an_edited_copy_with_next_to_no_suffix_is_flagged(tail: str) -> None:
    original = "a" * (47 - len(tail))
    found = match_fully(
        [f"{original}.jpg", f"{original}{tail}.jpg"], [(f"{original}.jpg"[:46] + ".json", f"{original}.jpg")]
    )
    assert [(found.pairs[key].sidecar, found.pairs[key].approximate) for key in (0, 1)] == [(1000, False), (1000, True)]


def test_an_edited_copy_prefers_its_own_format() -> None:
    sidecars: Sequence[_Sidecar] = [f"IMG_1.HEIC{SUFFIX}.json", f"IMG_1.jpg{SUFFIX}.json"]
    assert match(["IMG_1-edited.jpg", "IMG_1.jpg", "IMG_1.HEIC"], sidecars)["IMG_1-edited.jpg"] == sidecars[1]


def test_an_edited_copy_with_a_sidecar_of_its_own_keeps_it() -> None:
    sidecars: Sequence[_Sidecar] = [("X-edited.jpeg.json", "X.jpeg", 1), ("X.jpeg.json", "X.jpeg", 2)]
    assert match(["X-edited.jpeg", "X.jpeg"], sidecars) == {
        "X-edited.jpeg": "X-edited.jpeg.json",
        "X.jpeg": "X.jpeg.json",
    }


def test_creations_have_sidecars_of_their_own() -> None:
    media = ["IMG_1.jpg", "IMG_1-COLLAGE.jpg"]
    sidecars: Sequence[_Sidecar] = [f"{name}{SUFFIX}.json" for name in media]
    assert match(media, sidecars) == dict(zip(media, sidecars, strict=True))


@pytest.mark.parametrize(
    ("movie", "still"),
    [
        ("IMG_1.MP4", "IMG_1.HEIC"),
        ("IMG_1.MOV", "IMG_1.JPG"),
        ("PXL_1.MP", "PXL_1.MP.jpg"),
        ("PXL_1.MV", "PXL_1.MV.jpg"),
        ("PXL_1.MP~2", "PXL_1.MP~2.jpg"),
        ("MVIMG_1", "MVIMG_1.jpg"),
    ],
)
def test_a_companion_inherits_the_stills_sidecar(movie: str, still: str) -> None:
    sidecars: Sequence[_Sidecar] = [(f"{still}{SUFFIX}.json", still, 1)]
    found = match_fully([movie, still], sidecars)
    assert (found.pairs[0].sidecar, found.pairs[0].rule, found.pairs[1].rule) == (1000, "companion", "exact")
    assert match_fully([movie], sidecars).pairs[0].sidecar == 1000, "the still is in another folder"


def test_a_companion_has_its_stills_counter() -> None:
    media = ["IMG_1.HEIC", "IMG_1(1).HEIC", "IMG_1.MOV", "IMG_1(1).MOV"]
    first, second = f"IMG_1.HEIC{SUFFIX}.json", f"IMG_1.HEIC{SUFFIX}(1).json"
    assert match(media, [first, second]) == dict(zip(media, [first, second, first, second], strict=True))


def test_an_edited_companion_goes_with_its_companion() -> None:
    media = ["IMG_1.HEIC", "IMG_1.MOV", "IMG_1-edited.MOV"]
    assert match(media, [f"IMG_1.HEIC{SUFFIX}.json"]) == dict.fromkeys(media, f"IMG_1.HEIC{SUFFIX}.json")


def test_a_companion_of_two_stills_is_left_alone() -> None:
    sidecars: Sequence[_Sidecar] = [f"IMG_1.HEIC{SUFFIX}.json", f"IMG_1.JPG{SUFFIX}.json"]
    assert "IMG_1.MOV" not in match(["IMG_1.HEIC", "IMG_1.JPG", "IMG_1.MOV"], sidecars)


def test_a_movie_with_a_title_among_the_left_over_sidecars_is_no_companion() -> None:
    sidecars = [(f"IMG_1.HEIC{SUFFIX}.json", "IMG_1.HEIC", 1), ("x(1).json", "IMG_1.MOV", 2)]
    assert match(["IMG_1.HEIC", "IMG_1.MOV"], sidecars) == {"IMG_1.HEIC": sidecars[0][0]}


def test_names_cut_in_decomposed_form_are_a_family_too() -> None:
    stem = "a" * 43 + "e\u0301"
    media = [f"{stem}{FACE}.jpg", f"{stem}{FACE}.mp4"]
    sidecars = [(f"{stem}.json", media[0], 1), (f"{stem}(1).json", media[1], 2)]
    assert match(media, sidecars) == {media[0]: f"{stem}.json", media[1]: f"{stem}(1).json"}


def test_the_still_goes_before_its_movie_where_a_cut_name_fits_both() -> None:
    stem = "a" * 45
    found = match_fully([f"{stem}.HEIC", f"{stem}.MP4"], [f"{stem}..json"])
    assert (found.pairs[0].rule, found.pairs[1].rule) == ("cut", "companion")


@pytest.mark.parametrize(
    "stem",
    ["1581270440551-d356c6b2-6178-49af-bcdf-b308a5b4b", "Screenshot_2023-04-05-18-07-21-83_abb9c8060a0a1"],
)
def test_a_forgotten_duplicate_shares_and_is_flagged(stem: str) -> None:
    found = match_fully([f"{stem}.jpg", f"{stem}(1).jpg"], [f"{stem[:46]}.json"])
    assert (found.pairs[0].rule, found.pairs[0].approximate) == ("cut", False)
    assert (found.pairs[1].rule, found.pairs[1].approximate) == ("forgotten duplicate", True)
    assert found.unmatched_sidecars == ()


def test_files_of_one_name_share_and_equal_sidecars_count_as_one() -> None:
    found = match_folder(
        [MediaName(2, "a.jpg"), MediaName(1, "a.jpg")],
        [SidecarName(8, "a.jpg.json", "a.jpg", 5), SidecarName(7, "a.jpg.json", "a.jpg", 5)],
    )
    assert {key: pairing.sidecar for key, pairing in found.pairs.items()} == {1: 7, 2: 7}
    assert found.unmatched_sidecars == ()


def test_sidecars_of_one_name_that_contradict_each_other_are_left_alone() -> None:
    sidecars = [SidecarName(7, "a.jpg.json", "a.jpg", 5), SidecarName(8, "a.jpg.json", "a.jpg", 6)]
    assert match_folder([MediaName(1, "a.jpg")], sidecars).pairs == {}


def test_old_and_new_names_of_one_sidecar_are_one() -> None:
    found = match_fully(["a.jpg"], [("a.jpg.json", "a.jpg", 5), (f"a.jpg{SUFFIX}.json", "a.jpg", 5)])
    assert found.pairs[0].sidecar in (1000, 1001)
    assert found.unmatched_sidecars == ()


def test_an_empty_folder() -> None:
    assert match_folder([], []) == FolderMatches({}, (), ())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["IMG_{}.jpg", "Screenshot_2023-04-05-18-07-21-83_{}.jpg", "a&b{}.jpg", "Screenshot_20230405_abc_{:040}.jpg"],
)
def test_time_grows_with_the_folder_and_not_with_its_square(name: str) -> None:
    def seconds(count: int) -> float:
        titles = [name.format(number) for number in range(count)]
        media = [MediaName(key, title[:-4].replace("&", "_")[:47] + ".jpg") for key, title in enumerate(titles)]
        sidecars = [SidecarName(key, f"{title}{SUFFIX}"[:46] + ".json", title) for key, title in enumerate(titles)]
        random.Random(1).shuffle(media)
        start = time.process_time()
        match_folder(media, sidecars)
        return time.process_time() - start

    small, large = (min(seconds(count) for _ in range(3)) for count in (250, 4000))
    assert large < 64 * max(small, 0.002), "16 times the files"
