from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.api import CaptureTime, Location
from syncengine_plugins.media.xmp import LARGEST, read_xmp
from tests.unit.plugins.media.builders import xmp_packet

ATTRIBUTES = (
    'exif:DateTimeOriginal="2019-07-03T14:22:05+02:00" exif:GPSLatitude="44,51.0287N" exif:GPSLongitude="34,58.5988W"'
    ' exif:GPSAltitude="123/10" exif:GPSAltitudeRef="1" xmp:Rating="5" tiff:Make="Canon" tiff:Model="Canon EOS"'
    ' tiff:Orientation="8"'
)
ELEMENTS = (
    "<dc:description><rdf:Alt><rdf:li xml:lang='de'>Rom</rdf:li><rdf:li xml:lang='x-default'>Rome &amp; more</rdf:li>"
    "</rdf:Alt></dc:description>"
    "<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Ada</rdf:li><rdf:li>Bo</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>"
    "<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:RegionList><rdf:Bag>"
    "<rdf:li><rdf:Description mwg-rs:Name='Cleo' mwg-rs:Type='Face'/></rdf:li>"
    "<rdf:li rdf:parseType='Resource'><mwg-rs:Name>Ada</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type></rdf:li>"
    "<rdf:li><rdf:Description mwg-rs:Name='Rex' mwg-rs:Type='Pet'/></rdf:li>"
    "</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
)


def test_attributes_and_elements_are_read() -> None:
    facts = read_xmp(xmp_packet(ATTRIBUTES, ELEMENTS))
    assert facts.taken == CaptureTime(origin="xmp", instant=1_562_156_525_000, wall="2019-07-03T14:22:05", offset=120)
    assert facts.location is not None
    assert facts.location.latitude == pytest.approx(44.850478, abs=1e-6)
    assert facts.location.longitude == pytest.approx(-34.976647, abs=1e-6)
    assert facts.location.altitude == pytest.approx(-12.3)
    assert facts.description == "Rome & more"
    assert facts.people == ("Ada", "Bo", "Cleo")
    assert (facts.rating, facts.favorite, facts.camera, facts.orientation) == (5, True, "Canon EOS", 8)
    assert facts.notes == ()


def test_simple_elements_are_read() -> None:
    facts = read_xmp(
        xmp_packet("", "<photoshop:DateCreated>2019-07-03</photoshop:DateCreated><xmp:Rating>3</xmp:Rating>")
    )
    assert facts.taken == CaptureTime(origin="xmp", wall="2019-07-03T00:00:00")
    assert (facts.rating, facts.favorite) == (3, False)


@pytest.mark.parametrize(
    ("attributes", "wall"),
    [
        ('xmp:CreateDate="2001-01-01T00:00:01" photoshop:DateCreated="2002-01-01T00:00:02"', "2002-01-01T00:00:02"),
        ('exif:DateTimeOriginal="" xmp:CreateDate="2001-01-01T00:00:01"', "2001-01-01T00:00:01"),
    ],
)
def test_the_best_date_wins(attributes: str, wall: str) -> None:
    taken = read_xmp(xmp_packet(attributes)).taken
    assert taken is not None
    assert taken.wall == wall


def test_a_favorite_by_name_and_a_rejected_one() -> None:
    assert read_xmp(xmp_packet('fstop:favorite="1"')).favorite
    assert not read_xmp(xmp_packet('fstop:favorite="0" xmp:Rating="-1"')).favorite
    assert read_xmp(xmp_packet('xmp:Rating="-1"')).rating == -1
    assert read_xmp(xmp_packet('xmp:Rating="77"')).rating is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        ("44.5", "-12.25", Location(44.5, -12.25)),
        ("44,30,36N", "12,15,0W", Location(44.51, -12.25)),
        ("0,0.0N", "0,0.0E", None),
        ("99,0.0N", "0,0.0E", None),
        ("north", "12,0E", None),
    ],
)
def test_coordinates(latitude: str, longitude: str, place: Location | None) -> None:
    assert read_xmp(xmp_packet(f'exif:GPSLatitude="{latitude}" exif:GPSLongitude="{longitude}"')).location == place


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(encoding: str) -> None:
    text = xmp_packet(ATTRIBUTES).decode().replace("\ufeff", "")
    declared = f'<?xml version="1.0" encoding="{encoding.partition("-sig")[0]}"?>'
    assert read_xmp((declared + text).encode(encoding)).rating == 5


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("declaration", [BOMB, '<!doctype x SYSTEM "file:///etc/passwd">', '<!ENTITY x "y">'])
def test_document_types_and_entities_are_refused(declaration: str, encoding: str) -> None:
    facts = read_xmp((declaration + xmp_packet(ATTRIBUTES).decode()).encode(encoding))
    assert facts.taken is None
    assert facts.notes == ("XMP is not read: it declares a document type or entities",)


def test_a_declared_encoding_cannot_hide_a_document_type() -> None:
    hidden = b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE x [+ADwAIQ-ENTITY a "b"+AD4]+AD4<x>&a;</x>'
    assert read_xmp(hidden).notes == ("XMP cannot be read: ParseError",)


def test_a_large_packet_is_refused() -> None:
    assert read_xmp(b" " * (LARGEST + 1)).notes == ("XMP is not read: over 1 MiB",)


@pytest.mark.parametrize("content", [b"", b"<x:xmpmeta", b"\0\0\0", b"\xff\xfe\0", b"<a>&nbsp;</a>"])
def test_broken_xml_is_a_note(content: bytes) -> None:
    assert read_xmp(content).notes == ("XMP cannot be read: ParseError",)


def test_deep_nesting_ends_soon() -> None:
    begun = time.process_time()
    depth = 140_000
    nested = "<a>" * depth + "</a>" * depth
    assert read_xmp(xmp_packet("", f"<dc:description>{nested}</dc:description>")).taken is None
    assert time.process_time() - begun < 2


WHOLE = xmp_packet(ATTRIBUTES, ELEMENTS)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6), st.binary(max_size=200))
def test_damaged_packets_never_raise(changes: list[tuple[int, int]], noise: bytes) -> None:
    block = bytearray(WHOLE)
    for at, value in changes:
        block[at] = value
    read_xmp(bytes(block))
    read_xmp(noise)
