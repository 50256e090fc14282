"""What an item gains from its bytes."""

from __future__ import annotations

import io

from PIL import Image

from syncengine.api import CaptureTime, Kind, MediaItem
from syncengine_plugins.google.photos.facts import completed

JULY = 1_562_163_725_000  # 2019-07-03T14:22:05Z
ITEM = MediaItem(
    id="a",
    name="a.jpg",
    kind=Kind.PHOTO,
    content_token="t",
    taken=CaptureTime(origin="source", instant=JULY),
    notes=("a note",),
)


def picture(wall: str = "2019:07:03 16:22:05") -> bytes:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS R5"
    exif.get_ifd(0x8769)[0x9003] = wall
    Image.new("RGB", (8, 8)).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def test_the_zone_is_what_lies_between_google_s_instant_and_the_camera_s_clock(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(picture())
    found = completed(ITEM, path)
    assert found.taken == CaptureTime(origin="source", instant=JULY, wall="2019-07-03T16:22:05", offset=120)
    assert found.camera == "Canon EOS R5"
    assert found.notes == ("a note",)


def test_without_google_s_word_the_bytes_tell(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(picture())
    bare = MediaItem(id="a", name="a.jpg", kind=Kind.PHOTO, content_token="t", camera="Google")
    found = completed(bare, path)
    assert found.taken is not None
    assert (found.taken.origin, found.taken.wall) == ("exif", "2019-07-03T16:22:05")
    assert found.camera == "Google"


def test_without_either_the_name_tells(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"nothing")
    found = completed(MediaItem(id="a", name="IMG_20190703_142205.jpg", kind=Kind.PHOTO, content_token="t"), path)
    assert found.taken is not None
    assert found.taken.origin == "name"


def test_without_bytes_nothing_changes(tmp_path):
    assert completed(ITEM, tmp_path / "not there") is ITEM
