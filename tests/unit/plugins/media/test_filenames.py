from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.api import CaptureTime
from syncengine_plugins.media.filenames import capture_time_from_name


@pytest.mark.parametrize(
    ("name", "wall"),
    [
        ("IMG_20190703_142205.jpg", "2019-07-03T14:22:05"),
        ("VID_20190703_142205.mp4", "2019-07-03T14:22:05"),
        ("MVIMG_20190703_142205.jpg", "2019-07-03T14:22:05"),
        ("20190703_142205(0).jpg", "2019-07-03T14:22:05"),
        ("20190703_142205.jpg", "2019-07-03T14:22:05"),
        ("IMG20190703142205.jpg", "2019-07-03T14:22:05"),
        ("IMG_20190703_142205~2.jpg", "2019-07-03T14:22:05"),
        ("IMG_20190703_142205123.jpg", "2019-07-03T14:22:05.123"),
        ("IMG_20190703_142205_HDR.jpg", "2019-07-03T14:22:05"),
        ("00100lPORTRAIT_00100_BURST20190703142205123_COVER.jpg", "2019-07-03T14:22:05.123"),
        ("DJI_20230814201154_0001_D.JPG", "2023-08-14T20:11:54"),
        ("Screenshot_2019-03-17-23-43-31.png", "2019-03-17T23:43:31"),
        ("Screenshot_2023-04-05-18-07-21-83_abb9c8060a0a1.jpg", "2023-04-05T18:07:21"),
        ("Screenshot_20190317-234331.jpg", "2019-03-17T23:43:31"),
        ("Screenshot 2019-03-17 at 2.22.05 PM.png", "2019-03-17T14:22:05"),
        ("Screenshot 2019-03-17 at 12.22.05\u202fAM.png", "2019-03-17T00:22:05"),
        ("Screen Shot 2019-03-17 at 11.43.31.png", "2019-03-17T11:43:31"),
        ("2019-07-03 14.22.05.jpg", "2019-07-03T14:22:05"),
        ("photo_2019-07-03_14-22-05.jpg", "2019-07-03T14:22:05"),
        ("signal-2019-07-03-142205.jpg", "2019-07-03T14:22:05"),
        ("WP_20140703_14_22_05_Pro.jpg", "2014-07-03T14:22:05"),
        ("WhatsApp Image 2019-07-03 at 14.22.05.jpeg", "2019-07-03T14:22:05"),
        ("IMG-20190703-WA0001.jpg", "2019-07-03T00:00:00"),
        ("VID-20190703-WA0012.mp4", "2019-07-03T00:00:00"),
        ("2019-07-03 Birthday.jpg", "2019-07-03T00:00:00"),
    ],
)
def test_wall_clocks(name: str, wall: str) -> None:
    assert capture_time_from_name(name) == CaptureTime(origin="name", wall=wall)


@pytest.mark.parametrize(
    ("name", "instant"),
    [
        ("PXL_20230814_201154491.jpg", 1_692_043_914_491),
        ("PXL_20230814_201154491.LONG_EXPOSURE-01.COVER.jpg", 1_692_043_914_491),
        ("PXL_20230814_201154491.MP~2", 1_692_043_914_491),
        ("20190703T142205Z.jpg", 1_562_163_725_000),
        ("1581270440551.jpg", 1_581_270_440_551),
        ("1581270440551-d356c6b2-6178-49af-bcdf-b308a5b4b.jpg", 1_581_270_440_551),
        ("FB_IMG_1557149632345.jpg", 1_557_149_632_345),
        ("mmexport1557149632345.jpg", 1_557_149_632_345),
    ],
)
def test_instants(name: str, instant: int) -> None:
    assert capture_time_from_name(name) == CaptureTime(origin="name", instant=instant)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Rome.jpg",
        "IMG_1234.JPG",
        "DSC_0001.JPG",
        "DSC01234567.JPG",
        "P1030456.RW2",
        "20190703.jpg",
        "IMG_20190231_142205.jpg",
        "IMG_20190703_256105.jpg",
        "19891231_235959.jpg",
        "21010101_000000.jpg",
        "2019-13-17.png",
        "+4917612345678.jpg",
        "00491761234567.jpg",
        "+39 328 123 4567.jpg",
        "2348012345678.jpg",
        "391234567890.jpg",
        "4102444800001.jpg",
        "received_10157149632345123.jpeg",
        "d41d8cd98f00b204e9800998ecf8427e.jpg",
        "a3f1581270440551.jpg",
        "1581270440551d356.jpg",
        "7f20190703142205ab.jpg",
        "120190703142205.jpg",
        "21.12.11 - 1.jpg",
        "GOPR0123.MP4",
    ],
)
def test_no_false_hits(name: str) -> None:
    assert capture_time_from_name(name) is None


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=80) | st.from_regex(r"[A-Z_-]{0,5}[0-9_.-]{6,24}\.jpg", fullmatch=True))
def test_any_name_gives_a_plausible_time_or_none(name: str) -> None:
    found = capture_time_from_name(name)
    if found is not None:
        assert (found.wall is None) != (found.instant is None)
        assert found.wall is None or "1990" <= found.wall[:4] <= "2100"
        assert found.instant is None or 631_152_000_000 <= found.instant < 4_133_980_800_000
