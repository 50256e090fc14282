from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from syncengine.api import CaptureTime, Location
from syncengine_plugins.media.exif import camera_name, read_exif, read_exif_at
from syncengine_plugins.media.window import Window, over
from tests.unit.plugins.media.builders import exif_block, image

MAKE, MODEL, ORIENTATION, DATE_TIME = 271, 272, 274, 306
ORIGINAL, DIGITIZED = 36867, 36868
OFFSET, OFFSET_ORIGINAL, SUBSEC, SUBSEC_ORIGINAL = 0x9010, 0x9011, 0x9290, 0x9291
NOON = "2019:07:03 12:00:00"


def taken(exif: dict[int, object] | None = None, first: dict[int, object] | None = None, **kw: object) -> object:
    return read_exif(exif_block(first, exif, **kw)).taken  # type: ignore[arg-type]  # the tests' own shorthand


def test_a_phones_exif_gives_wall_zone_and_instant() -> None:
    facts = read_exif(
        exif_block(
            {MAKE: "Apple", MODEL: "iPhone 13 Pro", ORIENTATION: 6},
            {ORIGINAL: "2023:02:21 14:33:08", OFFSET_ORIGINAL: "+03:00", SUBSEC_ORIGINAL: "302"},
            {1: "N", 2: (44.0, 51.0, 1.72), 3: "E", 4: (34.0, 58.0, 35.93), 5: b"\0", 6: 29.1},
        )
    )
    assert facts.taken == CaptureTime(
        origin="exif", instant=1_676_979_188_302, wall="2023-02-21T14:33:08.302", offset=180
    )
    assert facts.location is not None
    assert facts.location.latitude == pytest.approx(44.850477777)
    assert facts.location.longitude == pytest.approx(34.976647222)
    assert facts.location.altitude == pytest.approx(29.1)
    assert (facts.camera, facts.orientation, facts.notes) == ("Apple iPhone 13 Pro", 6, ())


def test_a_camera_without_a_zone_gives_the_wall_clock_alone() -> None:
    assert taken({ORIGINAL: NOON}) == CaptureTime(origin="exif", wall="2019-07-03T12:00:00")


@pytest.mark.parametrize(
    ("exif", "first", "wall"),
    [
        ({ORIGINAL: NOON, DIGITIZED: "2020:01:01 00:00:00"}, {DATE_TIME: "2021:01:01 00:00:00"}, "2019-07-03T12:00:00"),
        ({DIGITIZED: "2020:01:01 00:00:00"}, {DATE_TIME: "2021:01:01 00:00:00"}, "2020-01-01T00:00:00"),
        ({}, {DATE_TIME: "2021:01:01 00:00:00"}, "2021-01-01T00:00:00"),
        ({ORIGINAL: "0000:00:00 00:00:00"}, {DATE_TIME: NOON}, "2019-07-03T12:00:00"),
        ({ORIGINAL: "    :  :     :  :  "}, {DATE_TIME: NOON}, "2019-07-03T12:00:00"),
        ({ORIGINAL: "2019-07-03T12:00:00"}, {}, "2019-07-03T12:00:00"),
        ({ORIGINAL: "2019:07:03 12:00:60"}, {}, "2019-07-03T12:00:59"),
    ],
)
def test_the_best_date_that_is_one_wins(exif: dict[int, object], first: dict[int, object], wall: str) -> None:
    found = taken(exif, first)
    assert isinstance(found, CaptureTime)
    assert found.wall == wall


@pytest.mark.parametrize("blank", ["0000:00:00 00:00:00", "                   ", "", "2019:02:31 12:00:00", "nonsense"])
def test_blank_and_impossible_dates_are_no_dates(blank: str) -> None:
    assert taken({ORIGINAL: blank}, {DATE_TIME: blank}) is None


def test_the_zone_of_another_date_counts_only_for_the_same_clock() -> None:
    same = taken({ORIGINAL: NOON, OFFSET: "+02:00"}, {DATE_TIME: NOON})
    edited = taken({ORIGINAL: NOON, OFFSET: "+02:00"}, {DATE_TIME: "2022:01:01 09:00:00"})
    assert isinstance(same, CaptureTime)
    assert isinstance(edited, CaptureTime)
    assert (same.offset, edited.offset) == (120, None)


@pytest.mark.parametrize("zone", ["   :  ", "+25:00", "02:00", "+02:75", ""])
def test_a_zone_that_is_none_is_left_out(zone: str) -> None:
    found = taken({ORIGINAL: NOON, OFFSET_ORIGINAL: zone})
    assert isinstance(found, CaptureTime)
    assert found.offset is None


@pytest.mark.parametrize(
    ("clock", "offset"),
    [
        ((10.0, 0.0, 0.0), 120),  # UTC at the same moment
        ((9.0, 59.0, 10.0), 120),  # a fix from 50 seconds before
        ((9.0, 52.0, 0.0), None),  # a stale fix says nothing
        ((6.0, 30.0, 0.0), 330),
    ],
)
def test_the_gps_clock_tells_the_zone(clock: tuple[float, ...], offset: int | None) -> None:
    found = taken({ORIGINAL: NOON}, gps={29: "2019:07:03", 7: clock})
    assert isinstance(found, CaptureTime)
    assert found.offset == offset


def test_the_gps_clock_alone_is_an_instant() -> None:
    assert taken(gps={29: "2019:07:03", 7: (12.0, 0.0, 0.0)}) == CaptureTime(origin="exif", instant=1_562_155_200_000)


@pytest.mark.parametrize(
    ("gps", "place"),
    [
        ({1: "S", 2: (1.5, 0.0, 0.0), 3: "W", 4: (2.25, 0.0, 0.0)}, Location(-1.5, -2.25)),
        ({1: "N", 2: (1.0, 30.0, 0.0), 3: "E", 4: (2.0, 15.0, 0.0), 5: b"\1", 6: 10.0}, Location(1.5, 2.25, -10.0)),
        ({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, None),
        ({1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (2.0, 0.0, 0.0)}, None),
        ({1: "N", 2: (1.0, 0.0, 0.0)}, None),
    ],
)
def test_places(gps: dict[int, object], place: Location | None) -> None:
    assert read_exif(exif_block({MAKE: "x"}, {}, gps)).location == place


def test_a_zero_denominator_is_unknown() -> None:
    block = bytearray(exif_block({}, {}, {1: "N", 2: (1.0, 0.0, 0.0), 3: "E", 4: (2.0, 0.0, 0.0)}))
    one = struct.pack("<II", 1, 1)
    at = block.index(one)
    block[at : at + 8] = struct.pack("<II", 1, 0)
    assert read_exif(bytes(block)).location is None


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Apple", "iPhone 13 Pro", "Apple iPhone 13 Pro"),
        ("Canon", "Canon EOS 40D", "Canon EOS 40D"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("", "Pixel", "Pixel"),
        ("SONY  ", "", "SONY"),
        ("", "", ""),
    ],
)
def test_camera_names_say_the_make_once(make: str, model: str, name: str) -> None:
    assert camera_name(make, model) == name


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_out_of_range_is_none(orientation: int) -> None:
    assert read_exif(exif_block({ORIENTATION: orientation})).orientation is None


@pytest.mark.parametrize("big_endian", [False, True])
def test_a_tiff_file_is_read_wherever_its_directory_stands(big_endian: bool) -> None:
    info = {MAKE: "Maker", DATE_TIME: NOON}
    order = ">" if big_endian else "<"
    text = NOON.encode() + b"\0"
    far = 300_000
    entries = struct.pack(order + "HHHII", 1, DATE_TIME, 2, len(text), far + 18) + bytes(4)
    block = (b"MM" if big_endian else b"II") + struct.pack(order + "HI", 42, far)
    block = block.ljust(far, b"\0") + entries + text
    assert read_exif_at(Window(io.BytesIO(block)).at).taken == CaptureTime(origin="exif", wall="2019-07-03T12:00:00")
    by_pillow = read_exif_at(Window(io.BytesIO(image("TIFF", tiffinfo=info))).at)
    assert (by_pillow.camera, by_pillow.taken) == ("Maker", CaptureTime(origin="exif", wall="2019-07-03T12:00:00"))


def test_it_reads_what_pillow_reads() -> None:
    block = exif_block({MAKE: "Maker", MODEL: "M 1", ORIENTATION: 3, DATE_TIME: NOON}, {ORIGINAL: NOON})
    pillow = Image.Exif()
    pillow.load(block)
    facts = read_exif(block)
    assert facts.orientation == pillow[ORIENTATION]
    assert facts.camera == "Maker M 1"
    assert facts.taken is not None
    assert facts.taken.wall == pillow.get_ifd(0x8769)[ORIGINAL].replace(":", "-", 2).replace(" ", "T")


def test_damage_is_a_note() -> None:
    assert read_exif(b"Exif\0\0garbage").notes == ("EXIF cannot be read: not a TIFF structure",)


def test_a_directory_that_points_at_itself_ends() -> None:
    entry = struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + bytes(4)
    assert read_exif(b"II*\0" + struct.pack("<I", 8) + entry).taken is None


WHOLE = exif_block(
    {MAKE: "Apple", MODEL: "iPhone", ORIENTATION: 6, DATE_TIME: NOON},
    {ORIGINAL: NOON, OFFSET_ORIGINAL: "+03:00", SUBSEC_ORIGINAL: "302"},
    {1: "N", 2: (44.0, 51.0, 1.72), 3: "E", 4: (34.0, 58.0, 35.93), 6: 29.1, 7: (9.0, 0.0, 0.0), 29: "2019:07:03"},
)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=12), st.integers(0, 400))
def test_damaged_exif_never_raises(changes: list[tuple[int, int]], keep: int) -> None:
    block = bytearray(WHOLE)
    for at, value in changes:
        block[at] = value
    read_exif(bytes(block))
    read_exif(bytes(block[:keep]))


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([b"II*\0", b"MM\0*"]), st.binary(max_size=300))
def test_random_bytes_as_exif_never_raise(magic: bytes, rest: bytes) -> None:
    read_exif(magic + rest)
    read_exif_at(over(magic + rest))
