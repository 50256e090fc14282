from __future__ import annotations

import io
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.api import CaptureTime, Location
from syncengine_plugins.media.quicktime import MovieFacts, movie_tags, parse_iso6709, read_movie
from syncengine_plugins.media.window import Window, over
from tests.unit.plugins.media.builders import box, movie, user_text

SINCE_1904 = 2_082_844_800
NOON = 1_562_155_200  # 2019-07-03T12:00:00Z
APPLE = "com.apple.quicktime."


def read(content: bytes) -> MovieFacts:
    return read_movie(Window(io.BytesIO(content)).at)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("moov_last", [True, False])
def test_the_movie_header_is_an_instant(version: int, moov_last: bool) -> None:
    content = movie(created=NOON + SINCE_1904, version=version, moov_last=moov_last, frames=200_000)
    assert read(content).taken == CaptureTime(origin="quicktime", instant=NOON * 1000)


@pytest.mark.parametrize("created", [0, 1, SINCE_1904, 2**32 - 1])
def test_zero_and_implausible_header_times_are_none(created: int) -> None:
    assert read(movie(created=created)).taken is None


def test_a_writer_that_counts_from_1970_is_understood() -> None:
    assert read(movie(created=NOON)).taken == CaptureTime(origin="quicktime", instant=NOON * 1000)


@pytest.mark.parametrize("brand", [b"qt  ", b"mp42"])
def test_apples_creation_date_is_preferred(brand: bytes) -> None:
    tags = {
        APPLE + "creationdate": "2019-07-03T14:00:00+0200",
        APPLE + "location.ISO6709": "+44.8504+034.9766+012.300/",
        APPLE + "make": "Apple",
        APPLE + "model": "iPhone XS",
        APPLE + "content.identifier": "ID",
    }
    assert read(movie(created=NOON + SINCE_1904 + 900, tags=tags, brand=brand)) == MovieFacts(
        taken=CaptureTime(origin="quicktime", instant=NOON * 1000, wall="2019-07-03T14:00:00", offset=120),
        location=Location(44.8504, 34.9766, 12.3),
        camera="Apple iPhone XS",
        content_identifier="ID",
    )


def test_androids_user_texts_are_read() -> None:
    user = user_text(b"\xa9xyz", "+47.2272-039.7000/") + user_text(b"\xa9mak", "Maker") + user_text(b"\xa9mod", "One")
    facts = read(movie(created=NOON + SINCE_1904, user=user, brand=b"isom"))
    assert (facts.location, facts.camera) == (Location(47.2272, -39.7), "Maker One")


def test_a_written_day_without_a_zone_does_not_hide_the_header() -> None:
    facts = read(movie(created=NOON + SINCE_1904, user=user_text(b"\xa9day", "2019")))
    assert facts.taken == CaptureTime(origin="quicktime", instant=NOON * 1000)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("+44.5+034.25/", Location(44.5, 34.25)),
        ("-4430.0-03415.0/", Location(-44.5, -34.25)),
        ("+443000+0341500-7/", Location(44.5, 34.25, -7.0)),
        ("+00.0000+000.0000/", None),
        ("+95.0+000.0/", None),
        ("nowhere", None),
        ("", None),
    ],
)
def test_iso6709(written: str, place: Location | None) -> None:
    assert parse_iso6709(written) == place


def test_a_file_without_a_header_says_so() -> None:
    assert read(box(b"ftyp", b"isom") + box(b"mdat", bytes(50))).notes == ("video header cannot be read: no moov box",)


def test_hostile_sizes_end_soon() -> None:
    begun = time.process_time()
    tiny = struct.pack(">I4s", 8, b"free") * 200_000
    assert read(box(b"ftyp", b"qt  ") + tiny).taken is None
    assert read(struct.pack(">I4sQ", 1, b"moov", 2**64 - 1) + tiny).taken is None
    assert read(struct.pack(">I4s", 3, b"moov")).taken is None
    assert time.process_time() - begun < 2


WHOLE = movie(
    created=NOON,
    tags={APPLE + "creationdate": "2019-07-03T14:00:00+0200", APPLE + "make": "Apple"},
    user=user_text(b"\xa9xyz", "+47.2272-039.7000/"),
    frames=4,
)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=10), st.integers(0, 700))
def test_damaged_movies_never_raise(changes: list[tuple[int, int]], keep: int) -> None:
    block = bytearray(WHOLE)
    for at, value in changes:
        block[at] = value
    read(bytes(block))
    read(bytes(block[:keep]))
    movie_tags(over(bytes(block)))
