from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.api import Kind
from syncengine_plugins.media.sniff import KIND_BY_EXTENSION, SNIFF_SIZE, extension, kind_of, sniff
from tests.unit.plugins.media.builders import heic, image, movie


def ftyp(*brands: bytes) -> bytes:
    return struct.pack(">I4s", 8 + 4 * (len(brands) + 1), b"ftyp") + brands[0] + bytes(4) + b"".join(brands[1:])


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (image("JPEG"), "image/jpeg"),
        (image("PNG"), "image/png"),
        (image("GIF"), "image/gif"),
        (image("WEBP"), "image/webp"),
        (image("TIFF"), "image/tiff"),
        (image("BMP"), "image/bmp"),
        (heic(), "image/heic"),
        (movie(), "video/quicktime"),
        (movie(brand=b"isom"), "video/mp4"),
        (ftyp(b"mif1", b"mif1", b"heic"), "image/heic"),
        (ftyp(b"msf1", b"hevc"), "image/heic"),
        (ftyp(b"mif1", b"mif1", b"avif", b"miaf"), "image/avif"),
        (ftyp(b"mif1", b"mif1", b"jpeg"), "image/heif"),
        (ftyp(b"heix", b"mif1"), "image/heic"),
        (ftyp(b"avis", b"mif1"), "image/avif"),
        (ftyp(b"crx ", b"crx ", b"isom"), "image/x-canon-cr3"),
        (ftyp(b"3gp4", b"isom"), "video/3gpp"),
        (ftyp(b"mp42", b"mp41"), "video/mp4"),
        (ftyp(b"M4V "), "video/x-m4v"),
        (ftyp(b"M4A "), "audio/mp4"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"),
        (b"\x1aE\xdf\xa3\x93B\x82\x88matroska", "video/x-matroska"),
        (b"\x1aE\xdf\xa3\x93B\x82\x84webm", "video/webm"),
        (b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
        (b"RIFF\0\0\0\0WAVEfmt ", ""),
        (b"\0\0\x01\xbaD\0", "video/mpeg"),
        (b"G@\0\x10\0", "video/mp2t"),
        (b"\0\0\0\0G@\0\x10", "video/mp2t"),
        (b"FUJIFILMCCD-RAW 0201", "image/x-fuji-raf"),
        (b"IIRO\x08\0\0\0", "image/x-olympus-orf"),
        (b"IIU\0\x18\0\0\0", "image/x-panasonic-rw2"),
        (b"II*\0\x10\0\0\0CR\x02\0", "image/x-canon-cr2"),
        (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9", "video/x-ms-asf"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
        (b"", ""),
        (b"plain text, and no photo at all", ""),
    ],
)
def test_media_types(head: bytes, media_type: str) -> None:
    assert sniff(head[:SNIFF_SIZE]) == media_type


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.NEF", "image/x-nikon-nef"), ("a.dng", "image/x-adobe-dng"), ("a.tif", "image/tiff"), ("a.jpg", "image/tiff")],
)
def test_a_tiff_is_told_apart_by_its_name(name: str, media_type: str) -> None:
    assert sniff(b"MM\0*\0\0\0\x08\0\0\0\0", name) == media_type


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [
        ("IMG_1.JPG", "", Kind.PHOTO),
        ("IMG_1.heic", "", Kind.PHOTO),
        ("IMG_1.CR3", "", Kind.PHOTO),
        ("a.b.raf", "", Kind.PHOTO),
        ("PXL_1.MP", "", Kind.VIDEO),
        ("PXL_1.MP~2", "", Kind.VIDEO),
        ("MVIMG_1.mv", "", Kind.VIDEO),
        ("00001.MTS", "", Kind.VIDEO),
        ("a.wmv", "", Kind.VIDEO),
        ("a.pdf", "", Kind.OTHER),
        ("jpg", "", Kind.OTHER),
        ("", "", Kind.OTHER),
        ("MVIMG_1", "video/mp4", Kind.VIDEO),
        ("clip.jpg", "video/mp4", Kind.VIDEO),
        ("song.mp4", "audio/mp4", Kind.VIDEO),
        ("a.pdf", "image/jpeg", Kind.PHOTO),
        ("a.mxf", "application/mxf", Kind.VIDEO),
    ],
)
def test_kinds(name: str, media_type: str, kind: Kind) -> None:
    assert kind_of(name, media_type) == kind


def test_the_table_is_lower_case_and_has_no_doubles_across_kinds() -> None:
    assert all(key == key.lower() and key.isalnum() for key in KIND_BY_EXTENSION)
    assert extension("A.HEIC") == "heic"


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=80), st.text(max_size=20))
def test_any_bytes_have_a_type(head: bytes, name: str) -> None:
    assert kind_of(name, sniff(head, name)) in Kind
