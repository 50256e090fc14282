"""The metadata file, as JSON and as XMP."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import jsonschema
import msgspec
import pytest

from syncengine.api import AlbumRef, Asset, CaptureTime, ItemState, Kind, Location, MediaItem
from syncengine.config import schema_files
from syncengine.engine import metadata_file, xmp_file

ROME = ZoneInfo("Europe/Rome")
ITEM = MediaItem(
    id="id",
    name="IMG_1.HEIC",
    kind=Kind.PHOTO,
    content_token="",
    taken=CaptureTime(origin="source", instant=1_562_157_725_000, wall="2019-07-03T14:42:05", offset=120),
    description="A cat & a <dog>\x00",
    location=Location(41.9, -12.5, -3.0),
    exif_location=Location(41.0, 12.0),
    people=("Ada", "Bob"),
    favorite=True,
    states=(ItemState.ARCHIVED,),
    albums=(AlbumRef("r", "Rome"),),
    camera="Apple iPhone 8",
    origins=("part!x",),
    raw={"title": "IMG_1.HEIC"},
)
ASSET = Asset(path=Path("x"), name="IMG_1.jpg", kind=Kind.PHOTO, item=ITEM, size=3, sha256=b"\1" * 32)


def document():
    return metadata_file.describe("memory", ASSET, ASSET, path="photos/IMG_1.jpg", original_path="", zone=ROME)


def test_it_keeps_its_schema():
    value = json.loads(metadata_file.encode(document()))
    jsonschema.validate(value, schema_files.schema("metadata.schema.json"))
    assert value["taken"]["local"] == "2019-07-03T14:42:05+02:00"
    assert value["raw"] == {"title": "IMG_1.HEIC"}
    assert value["archived"] is True


def test_a_source_whose_json_cannot_be_written_keeps_the_rest():
    broken = msgspec.structs.replace(document(), raw={"x": "\ud800"})
    value = json.loads(metadata_file.encode(broken))
    assert value["raw"] is None
    assert value["notes"] == ["the source's own JSON could not be kept as it was"]


def test_what_only_the_bytes_said_survives_a_refresh():
    item = msgspec.structs.replace(
        ITEM,
        taken=CaptureTime(origin="source", instant=1_562_157_725_000),
        exif_location=None,
        camera="",
        description="new",
        albums=(AlbumRef("p", "Paris"),),
    )
    fresh = metadata_file.refreshed(document(), item, ROME)
    assert fresh.taken == document().taken
    assert fresh.location.exif == Location(41.0, 12.0)
    assert fresh.camera == "Apple iPhone 8"
    assert fresh.description == "new"
    assert [album.title for album in fresh.albums] == ["Rome", "Paris"]


def test_a_corrected_time_keeps_the_zone():
    item = msgspec.structs.replace(ITEM, taken=CaptureTime(origin="source", instant=1_562_161_325_000))
    taken = metadata_file.refreshed(document(), item, ROME).taken
    assert (taken.instant, taken.offset, taken.local) == (1_562_161_325_000, 120, "2019-07-03T15:42:05+02:00")


def text_of(tree, name):
    return [element.text for element in tree.iter() if element.tag.endswith("}" + name)]


def test_the_xmp_sidecar_says_the_same():
    tree = ET.fromstring(xmp_file.encode(document()))
    assert text_of(tree, "DateTimeOriginal") == ["2019-07-03T14:42:05+02:00"]
    assert text_of(tree, "GPSLatitude") == ["41,54.00000000N"]
    assert text_of(tree, "GPSLongitude") == ["12,30.00000000W"]
    assert text_of(tree, "GPSAltitudeRef") == ["1"]
    assert text_of(tree, "Rating") == ["5"]
    assert "A cat & a <dog>" in text_of(tree, "li")
    assert {"Ada", "Bob", "People/Ada", "Albums/Rome"} <= set(text_of(tree, "li"))


def test_an_xmp_sidecar_that_somebody_edited_is_left_alone(backup):
    backup.metadata = ("json", "xmp")
    backup.library.add(msgspec.structs.replace(ITEM, metadata_token="1"), b"abc")
    backup.run()
    path = "photos/2019/07/IMG_1.HEIC.xmp"
    assert b"Ada" in backup.read(path)
    assert path in backup.read("metadata/checksums.sha256").decode()
    backup.library.add(msgspec.structs.replace(ITEM, metadata_token="2", people=("Eve",)), b"abc")
    backup.run()
    assert b"Eve" in backup.read(path)
    upload = backup.destination.begin(path)
    upload.write(b"edited by hand")
    upload.commit(replace=True)
    backup.library.add(msgspec.structs.replace(ITEM, metadata_token="3", people=("Fay",)), b"abc")
    backup.run()
    assert backup.read(path) == b"edited by hand"


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b"\xff", pytest.param(b'{"raw":' * 50_000, id="nested")])
def test_a_damaged_metadata_file_is_made_again(backup, content):
    backup.library.add(msgspec.structs.replace(ITEM, metadata_token="1"), b"abc")
    backup.run()
    path = "metadata/photos/2019/07/IMG_1.HEIC.json"
    upload = backup.destination.begin(path)
    upload.write(content)
    upload.commit(replace=True)
    backup.library.add(msgspec.structs.replace(ITEM, metadata_token="2", description="again"), b"abc")
    backup.run()
    assert backup.document("photos/2019/07/IMG_1.HEIC")["description"] == "again"
