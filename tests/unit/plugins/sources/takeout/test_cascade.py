"""The matching cascade: every rule on real names, and what must stay unmatched."""

from __future__ import annotations

import random
import time

import pytest
from syncengine_plugins.sources.takeout.cascade import FolderMatches, MediaName, SidecarName, match_folder

SUFFIX = ".supplemental-metadata"


def match(media: list[str], sidecars: list[tuple[str, str] | tuple[str, str, int] | str]) -> dict[str, str]:
    """Match by names; a sidecar is its file name, optionally its title and instant. Keys are told apart by name."""
    found = match_fully(media, sidecars)
    files = [one if isinstance(one, str) else one[0] for one in sidecars]
    return {media[key]: files[pairing.sidecar - 1000] for key, pairing in found.pairs.items()}


def match_fully(media: list[str], sidecars: list[tuple[str, str] | tuple[str, str, int] | str]) -> FolderMatches:
    wrapped = [(one,) if isinstance(one, str) else one for one in sidecars]
    return match_folder(
        [MediaName(key, name) for key, name in enumerate(media)],
        [SidecarName(1000 + key, *one) for key, one in enumerate(wrapped)],
    )


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
    ],
)
def test_real_names_meet_with_their_titles(media: str, sidecar: str, title: str) -> None:
    assert match([media], [(sidecar, title)]) == {media: sidecar}


def test_a_forgotten_duplicate_shares_and_is_flagged() -> None:
    media = ["1581270440551-d356c6b2-6178-49af-bcdf-b308a5b4b.jpg", "1581270440551-d356c6b2-6178-49af-bcdf-b308a5b4b(1).jpg"]
    found = match_fully(media, ["1581270440551-d356c6b2-6178-49af-bcdf-b308a5b4.json"])
    assert [found.pairs[key].approximate for key in (0, 1)] == [False, True]


@pytest.mark.slow
def test_time_100000() -> None:
    media, sidecars = [], []
    for i in range(50000):
        media += [MediaName(2 * i, f"IMG_{i}.jpg"), MediaName(2 * i + 1, f"IMG_{i}(1).jpg")]
        sidecars += [SidecarName(2 * i, f"IMG_{i}.jpg.supplemental-metadata.json", f"IMG_{i}.jpg", i)]
        sidecars += [SidecarName(2 * i + 1, f"IMG_{i}.jpg.supplemental-metadata(1).json", f"IMG_{i}.jpg", i)]
    random.Random(1).shuffle(media)
    start = time.perf_counter()
    found = match_folder(media, sidecars)
    print(time.perf_counter() - start)
    assert not found.unmatched_media
