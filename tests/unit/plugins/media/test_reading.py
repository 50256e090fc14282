from __future__ import annotations

import io
import os
import struct
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.api import CaptureTime, Kind, Location
from syncengine_plugins.media.reading import MediaFacts, merge_instant, read_media, read_window
from syncengine_plugins.media.window import Window
from tests.unit.plugins.media.builders import box, exif_block, heic, image, movie, xmp_packet

NOON = "2019:07:03 12:00:00"
NOON_UTC = 1_562_155_200_000
EXIF = exif_block({271: "Maker", 272: "One", 274: 6}, {36867: NOON, 0x9011: "+02:00"})
TAKEN = CaptureTime(origin="exif", instant=NOON_UTC - 7_200_000, wall="2019-07-03T12:00:00", offset=120)
XMP = xmp_packet('xmp:CreateDate="2001-02-03T04:05:06"', "<dc:description>Rome</dc:description>")


def read(content: bytes, name: str) -> MediaFacts:
    return read_window(Window(io.BytesIO(content)), name)


def png_with_xmp(*, compressed: bool) -> bytes:
    whole = image("PNG")
    text = zlib.compress(XMP) if compressed else XMP
    chunk = b"XML:com.adobe.xmp\0" + bytes([compressed, 0]) + b"\0\0" + text
    made = struct.pack(">I", len(chunk)) + b"iTXt" + chunk + struct.pack(">I", zlib.crc32(b"iTXt" + chunk))
    return whole[:33] + made + whole[33:]


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (image("JPEG", exif=EXIF), "a.jpg", "image/jpeg"),
        (heic(exif=EXIF), "a.heic", "image/heic"),
        (image("PNG", exif=EXIF), "a.png", "image/png"),
        (image("WEBP", exif=EXIF), "a.webp", "image/webp"),
        (image("TIFF", exif=EXIF), "a.tif", "image/tiff"),
        (b"FUJIFILMCCD-RAW 0201".ljust(84, b"\0") + struct.pack(">I", 400) + bytes(312) + image("JPEG", exif=EXIF),
         "a.raf", "image/x-fuji-raf"),
    ],
)  # fmt: skip
def test_every_image_format_is_read(content: bytes, name: str, media_type: str, tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(content)
    assert read_media(path, name) == MediaFacts(
        taken=TAKEN, camera="Maker One", orientation=6, media_type=media_type, kind=Kind.PHOTO
    )


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (image("JPEG", xmp=XMP), "a.jpg"),
        (heic(xmp=XMP), "a.heic"),
        (image("WEBP", xmp=XMP), "a.webp"),
        (png_with_xmp(compressed=False), "a.png"),
        (png_with_xmp(compressed=True), "a.png"),
        (image("TIFF", tiffinfo={700: XMP}), "a.tif"),
    ],
)
def test_embedded_xmp_fills_what_exif_leaves_open(content: bytes, name: str) -> None:
    facts = read(content, name)
    assert facts.taken == CaptureTime(origin="xmp", wall="2001-02-03T04:05:06")
    assert facts.description == "Rome"


def test_exif_wins_over_xmp() -> None:
    facts = read(image("JPEG", exif=EXIF, xmp=XMP), "a.jpg")
    assert (facts.taken, facts.description) == (TAKEN, "Rome")


def test_exif_behind_many_segments_is_found() -> None:
    whole = image("JPEG", exif=EXIF)
    filler = b"\xff\xe2" + struct.pack(">H", 60_002) + bytes(60_000)
    assert read(whole[:2] + filler * 5 + b"\xff\xff\xff" + whole[2:], "a.jpg").taken == TAKEN


@pytest.mark.parametrize("moov_last", [True, False])
def test_a_movie_is_read_wherever_its_header_stands(tmp_path: Path, moov_last: bool) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(movie(created=3_644_999_999, brand=b"isom", frames=300_000, moov_last=moov_last))
    assert read_media(path, "a.mp4") == MediaFacts(
        taken=CaptureTime(origin="quicktime", instant=1_562_155_199_000), media_type="video/mp4", kind=Kind.VIDEO
    )


def test_a_jpeg_named_heic_and_the_reverse_are_seen() -> None:
    jpeg, other = read(image("JPEG", exif=EXIF), "a.heic"), read(heic(exif=EXIF), "a.JPG")
    assert (jpeg.taken, jpeg.notes) == (TAKEN, ("the name says image/heic, the content is image/jpeg",))
    assert (other.taken, other.notes) == (TAKEN, ("the name says image/jpeg, the content is image/heic",))


def test_a_photo_named_as_a_video_is_a_photo() -> None:
    assert read(image("JPEG"), "a.mp4").kind == Kind.PHOTO


@pytest.mark.parametrize("content", [b"", b"\0", b"just text"])
def test_unknown_bytes_keep_the_kind_of_the_name(content: bytes) -> None:
    assert read(content, "a.jpg") == MediaFacts(kind=Kind.PHOTO)


def test_a_missing_file_is_a_note(tmp_path: Path) -> None:
    facts = read_media(tmp_path / "gone.jpg", "gone.jpg")
    assert facts.kind == Kind.PHOTO
    assert facts.notes == ("metadata cannot be read: No such file or directory",)


def test_a_pipe_or_a_link_in_place_of_the_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "real.jpg").write_bytes(image("JPEG", exif=EXIF))
    (tmp_path / "link.jpg").symlink_to(tmp_path / "real.jpg")
    assert read_media(tmp_path / "pipe.jpg", "pipe.jpg").taken is None
    assert read_media(tmp_path / "link.jpg", "link.jpg").taken is None


def test_a_stream_that_fails_is_a_note() -> None:
    class Sick(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    assert read_window(Window(Sick(b"x")), "a.jpg").notes == ("metadata cannot be read: Input/output error",)


def test_a_cr3_is_read() -> None:
    first = exif_block({271: "Canon", 272: "Canon EOS R5", 274: 8})[6:]
    exif = exif_block({36867: NOON, 0x9011: "+02:00"})[6:]
    gps = exif_block({1: "N", 2: (41.5, 0.0, 0.0), 3: "E", 4: (12.5, 0.0, 0.0)})[6:]
    canon = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
    parts = box(b"CMT1", first) + box(b"CMT2", exif) + box(b"CMT4", gps)
    facts = read(box(b"ftyp", b"crx ", bytes(4)) + box(b"moov", box(b"uuid", canon, parts)), "a.CR3")
    assert (facts.taken, facts.exif_location) == (TAKEN, Location(41.5, 12.5))
    assert (facts.camera, facts.orientation, facts.media_type) == ("Canon EOS R5", 8, "image/x-canon-cr3")
    assert read(box(b"ftyp", b"crx ", bytes(4)), "a.CR3").taken is None


def test_damaged_exif_is_a_note() -> None:
    facts = read(image("JPEG", exif=b"Exif\0\0rubbish"), "a.jpg")
    assert facts.notes == ("EXIF cannot be read: not a TIFF structure",)


# --- HEIC's item boxes, built by hand -------------------------------------------------------------------------------


def heif(*, iloc: bytes, infe: bytes, idat: bytes = b"") -> bytes:
    iinf = box(b"iinf", bytes(4), struct.pack(">H", 1), infe)
    meta = box(b"meta", bytes(4), box(b"hdlr", bytes(24)), iinf, iloc, box(b"idat", idat) if idat else b"")
    return box(b"ftyp", b"heic", bytes(4), b"mif1") + meta


PAYLOAD = struct.pack(">I", 6) + EXIF


def test_an_item_in_idat_with_wide_ids_is_read() -> None:
    infe = box(b"infe", b"\3\0\0\0", struct.pack(">IH", 70_000, 0), b"Exif\0")
    half = len(PAYLOAD) // 2
    extents = struct.pack(">IIII", 0, half, half, len(PAYLOAD) - half)
    iloc = box(b"iloc", b"\2\0\0\0", b"\x44\0", struct.pack(">IIHHH", 1, 70_000, 1, 0, 2), extents)
    assert read(heif(iloc=iloc, infe=infe, idat=PAYLOAD), "a.heic").taken == TAKEN


@pytest.mark.parametrize("widths", [b"\0\0", b"\x44\0", b"\xff\xff", b"\x88\x88"])
def test_hostile_item_locations_end_soon(widths: bytes) -> None:
    infe = box(b"infe", b"\2\0\0\0", struct.pack(">HH", 1, 0), b"Exif\0")
    iloc = box(b"iloc", b"\1\0\0\0", widths, b"\xff" * 60_000)
    begun = time.process_time()
    assert read(heif(iloc=iloc, infe=infe), "a.heic").taken is None
    assert time.process_time() - begun < 2


WHOLE = {
    "a.jpg": image("JPEG", exif=EXIF, xmp=XMP),
    "a.heic": heic(exif=EXIF, xmp=XMP),
    "a.png": png_with_xmp(compressed=True),
    "a.webp": image("WEBP", exif=EXIF, xmp=XMP),
    "a.tif": image("TIFF", exif=EXIF),
}


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=10),
    st.integers(0, 900),
)
def test_damaged_files_never_raise(name: str, changes: list[tuple[int, int]], keep: int) -> None:
    block = bytearray(WHOLE[name])
    for at, value in changes:
        if at < len(block):
            block[at] = value
    read(bytes(block), name)
    read(bytes(block[:keep]), name)


# --- the source's instant and the file's wall clock -----------------------------------------------------------------


def wall(text: str, offset: int | None = None) -> CaptureTime:
    return CaptureTime(origin="exif", wall=text, offset=offset)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (None, (None, None)),
        (wall("2019-07-03T14:00:00"), ("2019-07-03T14:00:00", 120)),
        (wall("2019-07-03T14:00:00.654"), ("2019-07-03T14:00:00.654", 120)),
        (wall("2019-07-03T17:30:00"), ("2019-07-03T17:30:00", 330)),
        (wall("2019-07-03T00:00:00"), ("2019-07-03T00:00:00", -720)),
        (wall("2019-07-03T12:00:00"), ("2019-07-03T12:00:00", 0)),
        (wall("2019-07-03T14:00:00", 120), ("2019-07-03T14:00:00", 120)),
        (wall("2019-07-03T14:07:00"), (None, None)),
        (wall("2019-07-04T03:00:00"), (None, None)),
        (wall("1985-01-01T00:00:00", 120), (None, None)),
        # Corrected by an hour at the source: the zone stays, the wall clock follows.
        (wall("2019-07-03T15:00:00", 120), ("2019-07-03T14:00:00", 120)),
        (CaptureTime(origin="quicktime", instant=5), (None, None)),
    ],
)
def test_the_sources_instant_gains_what_the_file_knows(
    facts: CaptureTime | None, expected: tuple[str | None, int | None]
) -> None:
    merged = merge_instant(NOON_UTC, facts)
    assert merged == CaptureTime(origin="source", instant=NOON_UTC, wall=expected[0], offset=expected[1])


def test_the_end_of_time_keeps_the_instant() -> None:
    last = 253_402_300_799_000
    assert merge_instant(last, wall("9999-12-31T23:00:00", 60)) == CaptureTime(origin="source", instant=last)


@settings(deadline=None, max_examples=100)
@given(
    st.integers(-(10**15), 10**15),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.none() | st.integers(-840, 840),
)
def test_merging_always_keeps_the_instant(instant: int, text: str, offset: int | None) -> None:
    merged = merge_instant(instant, wall(text, offset))
    assert (merged.origin, merged.instant) == ("source", instant)
