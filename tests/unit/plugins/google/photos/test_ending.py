"""Files that end as their format says, and files that do not, in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine_plugins.google.photos.ending import Ending
from tests.contract.photos import heic, jpeg

JPEG = jpeg(5)
HEIC = heic(6)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(30) + b"\0\0\0\0IEND\xae\x42\x60\x82"
WEBP = b"RIFF" + (40).to_bytes(4, "little") + b"WEBP" + bytes(36)
FTYP = b"\0\0\0\x14ftypqt  \0\0\0\0qt  "
LARGE = FTYP + b"\0\0\0\1mdat" + (16 + 50).to_bytes(8, "big") + bytes(50) + b"\0\0\0\x0amoovxx"
TO_THE_END = FTYP + b"\0\0\0\0mdat" + bytes(50)


def oddity(content: bytes, piece: int = 1 << 20) -> str:
    ending = Ending()
    for at in range(0, len(content), piece):
        ending.add(content[at : at + piece])
    return ending.oddity()


@pytest.mark.parametrize("content", [JPEG, HEIC, PNG, WEBP, LARGE, TO_THE_END, b"", b"x", b"GIF89a" + bytes(50)])
@pytest.mark.parametrize("piece", [1, 3, 7, 16, 64, 1 << 20])
def test_what_is_whole_is_not_odd(content, piece):
    assert oddity(content, piece) == ""


@pytest.mark.parametrize("content", [JPEG, HEIC, PNG, WEBP, LARGE], ids=["jpeg", "heic", "png", "webp", "mov"])
@pytest.mark.parametrize("piece", [5, 1 << 20])
def test_what_is_cut_is_odd(content, piece):
    for missing in (2, 5, len(content) // 4, len(content) // 2):
        assert oddity(content[:-missing], piece), missing


@pytest.mark.parametrize("content", [JPEG, HEIC, PNG, WEBP, LARGE], ids=["jpeg", "heic", "png", "webp", "mov"])
@pytest.mark.parametrize("extra", [16, 31, 1000])
def test_zeros_behind_it_are_odd(content, extra):
    assert oddity(content + bytes(extra))


def test_what_phones_put_behind_a_jpeg_is_not_odd():
    assert oddity(JPEG + FTYP + b"\0\0\0\x10mdatabcdefgh") == ""


def segment(content: bytes, marker: bytes = b"\xff\xe1") -> bytes:
    return marker + (len(content) + 2).to_bytes(2, "big") + content


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_the_end_of_the_thumbnail_is_not_the_end_of_the_picture(piece):
    pictured = b"\xff\xd8" + segment(b"Exif\0\0" + JPEG) + b"\xff" + JPEG[2:]
    assert oddity(pictured, piece) == ""
    assert oddity(pictured[:-2] + b"\1\2\3", piece) == "a JPEG without its end"


def test_a_large_picture_with_something_larger_behind_it_is_not_odd():
    assert oddity(JPEG + bytes(range(1, 255)) * 1000) == ""


def test_what_is_no_chain_of_segments_is_taken_as_it_is():
    assert oddity(b"\xff\xd8 this is no JPEG at all") == ""


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 40), st.sampled_from([b"", JPEG[:20], FTYP, b"RIFF", PNG[:8]]))
def test_nothing_makes_it_stumble_and_pieces_make_no_difference(content, piece, start):
    whole = Ending()
    whole.add(start + content)
    pieces = Ending()
    for at in range(0, len(start + content), piece):
        pieces.add((start + content)[at : at + piece])
    assert pieces.oddity() == whole.oddity()
    assert pieces.mark() == whole.mark()
