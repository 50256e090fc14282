from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine_plugins.media.apple import movie_content_identifier, still_content_identifier
from tests.unit.plugins.media.builders import apple_maker_note, exif_block, heic, image, movie

IDENTIFIER = "7A1C4F0E-93B5-4F37-8C39-0E7F1B6E5D21"
EXIF = exif_block({271: "Apple"}, {36867: "2019:07:03 12:00:00", 0x927C: apple_maker_note(IDENTIFIER)})
KEY = "com.apple.quicktime.content.identifier"


class Counting(io.BytesIO):
    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found


def test_a_jpeg_tells_its_content_identifier() -> None:
    assert still_content_identifier(io.BytesIO(image("JPEG", exif=EXIF))) == IDENTIFIER


def test_a_little_endian_maker_note_is_read_too() -> None:
    block = exif_block({}, {0x927C: apple_maker_note(IDENTIFIER, "<")})
    assert still_content_identifier(io.BytesIO(image("JPEG", exif=block))) == IDENTIFIER


def test_a_heic_tells_its_content_identifier() -> None:
    assert still_content_identifier(io.BytesIO(heic(exif=EXIF))) == IDENTIFIER


@pytest.mark.parametrize("brand", [b"qt  ", b"mp42"])
@pytest.mark.parametrize("moov_last", [True, False])
def test_a_movie_tells_its_content_identifier(brand: bytes, moov_last: bool) -> None:
    tags = {"com.apple.quicktime.make": "Apple", KEY: IDENTIFIER}
    assert movie_content_identifier(io.BytesIO(movie(tags=tags, brand=brand, moov_last=moov_last))) == IDENTIFIER


def test_little_of_a_long_movie_is_read() -> None:
    stream = Counting(movie(tags={KEY: IDENTIFIER}, frames=5_000_000))
    assert movie_content_identifier(stream) == IDENTIFIER
    assert stream.taken < 100_000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        image("JPEG"),
        image("JPEG", exif=exif_block({}, {0x927C: b"Nikon\0stuff that is not Apple's"})),
        image("PNG"),
        movie(created=1),
        movie(tags={"com.apple.quicktime.make": "Apple"}),
    ],
)
def test_no_identifier_is_none(content: bytes) -> None:
    assert still_content_identifier(io.BytesIO(content)) is None
    assert movie_content_identifier(io.BytesIO(content)) is None


def test_a_stream_that_cannot_seek_is_none() -> None:
    class Pipe(io.BytesIO):
        def seek(self, *_: object) -> int:
            raise io.UnsupportedOperation("seek")

    assert still_content_identifier(Pipe(image("JPEG", exif=EXIF))) is None


STILL, MOVIE = image("JPEG", exif=EXIF), movie(tags={KEY: IDENTIFIER}, frames=10)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), min_size=1, max_size=10), st.integers(0, 900))
def test_damaged_files_never_raise(changes: list[tuple[int, int]], keep: int) -> None:
    for whole, read in ((STILL, still_content_identifier), (MOVIE, movie_content_identifier)):
        block = bytearray(whole)
        for at, value in changes:
            if at < len(block):
                block[at] = value
        read(io.BytesIO(block))
        read(io.BytesIO(block[:keep]))
