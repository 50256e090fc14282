"""Where a file goes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.api import AlbumRef, Asset, CaptureTime, Kind, MediaItem
from syncengine.engine.layout import PathTemplate, candidate_paths, with_suffix
from syncengine.errors import ConfigError

ROME = ZoneInfo("Europe/Rome")
ITEM = MediaItem(
    id="x/1",
    name="IMG_1.heic",
    kind=Kind.PHOTO,
    content_token="",
    taken=CaptureTime(origin="source", instant=1_546_300_000_000),  # 2018-12-31T23:46:40Z: 2019 in Rome
    albums=(AlbumRef("b", "Zoo"), AlbumRef("a", "Rome: 2019")),
    camera="Apple iPhone 8",
)
ASSET = Asset(path=Path("x"), name="IMG_1.jpg", kind=Kind.PHOTO, item=ITEM, sha256=hashlib.sha256(b"x").digest())


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("photos/{taken:%Y}/{taken:%m}/{name}", "photos/2019/01/IMG_1.jpg"),
        ("photos/{taken:%Y/%m}/{name}", "photos/2019/01/IMG_1.jpg"),
        ("photos/{taken}/{stem}.{ext}", "photos/2019-01-01/IMG_1.jpg"),
        ("photos/{taken:%Y-%m-%d %H:%M}_{name}", "photos/2019-01-01 00_46_IMG_1.jpg"),
        ("photos/{album}/{name}", "photos/Rome_ 2019/IMG_1.jpg"),
        ("photos/{kind}/{camera}/{name}", "photos/photo/Apple iPhone 8/IMG_1.jpg"),
        ("photos/{id}.{ext}", "photos/x_1.jpg"),
        ("photos/{sha256}.{ext}", f"photos/{hashlib.sha256(b'x').hexdigest()}.jpg"),
    ],
)
def test_fields(template, path):
    assert PathTemplate(template, ROME).path_of(ASSET) == path


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("photos/{taken:%Y}/{taken:%m}/{name}", "photos/undated/IMG_1.jpg"),
        ("{taken:%Y}/{album}/{name}", "undated/no album/IMG_1.jpg"),
        ("photos/{taken:%Y}_{name}", "photos/undated/_IMG_1.jpg"),
        ("photos/{camera}/{name}", "photos/unknown camera/IMG_1.jpg"),
    ],
)
def test_what_is_not_known(template, path):
    item = msgspec.structs.replace(ITEM, taken=None, albums=(), camera="")
    assert PathTemplate(template, ROME).path_of(msgspec.structs.replace(ASSET, item=item)) == path


def test_years_before_1000_have_four_digits():
    item = msgspec.structs.replace(ITEM, taken=CaptureTime(origin="exif", wall="0033-04-03T15:00:00"))
    path = PathTemplate("{taken:%Y}/{name}", ROME).path_of(msgspec.structs.replace(ASSET, item=item))
    assert path == "0033/IMG_1.jpg"


@pytest.mark.parametrize(
    "template",
    [
        "photos/{taken:%Y}",
        "photos/{nme}",
        "../{name}",
        "/x/{name}",
        "a//{name}",
        "metadata/{name}",
        "{name",
        "{name!r}",
    ],
)
def test_templates_that_cannot_work_are_refused(template):
    with pytest.raises(ConfigError, match=r"layout\.path"):
        PathTemplate(template, ROME)


@given(name=st.text(max_size=300), album=st.text(max_size=300), id_=st.text(max_size=300))
def test_no_source_leads_out_of_the_root(name, album, id_):
    item = msgspec.structs.replace(ITEM, id=id_, albums=(AlbumRef("a", album),), camera=album)
    asset = msgspec.structs.replace(ASSET, name=name, item=item)
    path = PathTemplate("photos/{album}/{camera}/{id}/{name}", ROME).path_of(asset)
    components = path.split("/")
    assert components[0] == "photos"
    assert len(components) == 5
    assert not {"", ".", ".."} & set(components)


def test_suffixes_come_from_the_content_alone():
    content = hashlib.sha256(b"content").digest()
    assert list(candidate_paths("a/b.jpg", content)) == [
        "a/b.jpg",
        f"a/b~{content.hex()[:6]}.jpg",
        f"a/b~{content.hex()[:16]}.jpg",
        f"a/b~{content.hex()}.jpg",
    ]
    assert with_suffix("b", content) == f"b~{content.hex()[:6]}"
