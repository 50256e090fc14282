"""Photos Library API v1."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.testing.google import BytesContent, EmptyPage, ExpiredUrl, mp4
from syncengine.testing.google.accounts import scopes

DAY = 86400
Y2020 = 1_577_836_800  # 2020-01-01


@pytest.fixture
def album(emulator: Any) -> Any:
    photos = emulator.library.photos
    made = photos.add_album("Rome")
    for number in range(4):
        photos.add(f"IMG_{number}.jpg", BytesContent(b"%d" % number), created=Y2020 + number * 40 * DAY, album=made)
    photos.add("clip.mp4", mp4("clip"), created=Y2020 + 1, album=made)
    photos.add("lone.jpg", created=Y2020 + 366 * DAY)
    return made


def names(reply: Any) -> list[str]:
    assert reply.status == 200, reply.body
    return [item["filename"] for item in reply.json.get("mediaItems", [])]


def test_an_item_has_the_shape_of_the_library_api(caller: Any, emulator: Any, album: Any) -> None:
    item = caller.library(f"mediaItems/{album.items[4]}").json
    assert item["mediaMetadata"]["width"] == "4032"
    assert item["mediaMetadata"]["video"] == {"status": "READY"}
    assert item["mediaMetadata"]["creationTime"] == "2020-01-01T00:00:01Z"
    found = caller.library(f"albums/{album.id}").json
    assert (found["title"], found["mediaItemsCount"]) == ("Rome", "5")
    assert found["coverPhotoMediaItemId"] == album.items[0]


def test_only_what_the_app_created_is_shown(caller: Any, emulator: Any, album: Any) -> None:
    photos = emulator.library.photos
    foreign = photos.add("foreign.jpg")
    foreign.app_created = False
    photos.add_album("Foreign").app_created = False
    assert "foreign.jpg" not in names(caller.library("mediaItems", {"pageSize": 100}))
    assert caller.library(f"mediaItems/{foreign.id}").status == 404
    assert [one["title"] for one in caller.library("albums").json["albums"]] == ["Rome"]


def test_pages_are_walked_by_the_token_alone(caller: Any, emulator: Any, album: Any) -> None:
    emulator.faults.add("library.mediaItems.search", EmptyPage(), at=2)
    found, token, pages = [], "", 0
    while True:
        reply = caller.search(albumId=album.id, pageSize=2, **({"pageToken": token} if token else {}))
        found += names(reply)
        pages += 1
        token = reply.json.get("nextPageToken", "")
        if not token:
            break
    assert found == ["IMG_0.jpg", "IMG_1.jpg", "IMG_2.jpg", "IMG_3.jpg", "clip.mp4"]
    assert pages == 4


def test_page_sizes_are_lowered(caller: Any, emulator: Any) -> None:
    for number in range(120):
        emulator.library.photos.add(f"{number}.jpg")
    assert len(names(caller.library("mediaItems"))) == 25
    assert len(names(caller.library("mediaItems", {"pageSize": 1000}))) == 100
    assert len(names(caller.search(pageSize=1000))) == 100
    assert caller.library("mediaItems", {"pageSize": -1}).status == 400


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 6),
        ({"mediaTypeFilter": {"mediaTypes": ["VIDEO"]}}, 1),
        ({"mediaTypeFilter": {"mediaTypes": ["PHOTO"]}}, 5),
        ({"mediaTypeFilter": {"mediaTypes": ["PHOTO", "VIDEO"]}}, None),
        ({"dateFilter": {"dates": [{"year": 2021}]}}, 1),
        ({"dateFilter": {"dates": [{"year": 2020, "month": 1, "day": 1}]}}, 2),
        ({"dateFilter": {"dates": [{"month": 1, "day": 1}]}}, 3),
        (
            {
                "dateFilter": {
                    "ranges": [{"startDate": {"year": 2020, "month": 2}, "endDate": {"year": 2020, "month": 3}}]
                }
            },
            2,
        ),
        (
            {
                "dateFilter": {
                    "ranges": [
                        {
                            "startDate": {"year": 2020, "month": 1, "day": 1},
                            "endDate": {"year": 2020, "month": 2, "day": 10},
                        }
                    ]
                },
                "mediaTypeFilter": {"mediaTypes": ["PHOTO"]},
            },
            2,
        ),
        ({"dateFilter": {"dates": [{"year": 2020}] * 6}}, None),
        ({"dateFilter": {"dates": [{"year": 2020, "day": 3}]}}, None),
        ({"dateFilter": {"ranges": [{"startDate": {"year": 2021}, "endDate": {"year": 2020}}]}}, None),
        ({"featureFilter": {"includedFeatures": ["FAVORITES"]}}, 0),
        ({"contentFilter": {"includedContentCategories": ["PETS"]}}, 0),
        ({"contentFilter": {"includedContentCategories": ["CARS"]}}, None),
        ({"colourFilter": {}}, None),
    ],
)
def test_filters(caller: Any, album: Any, filters: dict[str, Any], found: int | None) -> None:
    reply = caller.search(filters=filters, pageSize=100)
    if found is None:
        assert (reply.status, reply.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
    else:
        assert len(names(reply)) == found


def test_what_filters_exclude(caller: Any, emulator: Any, album: Any) -> None:
    assert caller.search(albumId=album.id, filters={"includeArchivedMedia": True}).status == 400
    assert caller.search(orderBy="MediaMetadata.creation_time").status == 400
    dates = {"dateFilter": {"dates": [{"year": 2020, "month": 1}]}}
    assert names(caller.search(filters=dates, orderBy="MediaMetadata.creation_time")) == ["IMG_0.jpg", "clip.mp4"]
    assert names(caller.search(filters=dates)) == ["clip.mp4", "IMG_0.jpg"]
    item = emulator.library.photos.items[album.items[0]]
    item.created, item.archived = None, True
    assert "IMG_0.jpg" not in names(caller.search())
    assert "IMG_0.jpg" in names(caller.search(filters={"includeArchivedMedia": True}))
    assert names(caller.search(filters=dates)) == ["clip.mp4"]


def test_batch_get_answers_in_order_and_item_by_item(caller: Any, album: Any) -> None:
    wanted = [album.items[1], "missing", album.items[0]]
    results = caller.library("mediaItems:batchGet", {"mediaItemIds": wanted}).json["mediaItemResults"]
    assert [one.get("mediaItem", {}).get("filename") for one in results] == ["IMG_1.jpg", None, "IMG_0.jpg"]
    assert results[1]["status"]["code"] == 5
    for bad in ([], [album.items[0]] * 2, [str(number) for number in range(51)]):
        assert caller.library("mediaItems:batchGet", {"mediaItemIds": bad}).status == 400


def test_urls_open_for_an_hour_without_a_token(caller: Any, emulator: Any, album: Any) -> None:
    url = caller.library(f"mediaItems/{album.items[1]}").json["baseUrl"]
    assert url.startswith(emulator.url)
    caller.token = ""
    assert caller.get(url + "=d").body == b"1"
    assert caller.get(url + "=d", range="bytes=0-0").status == 206
    assert caller.get(url + "=w100-h100-c").headers["content-type"] == "image/jpeg"
    assert [caller.get(url + suffix).status for suffix in ("", "=nonsense", "x=d", "=dv")] == [403, 403, 403, 404]
    emulator.clock.advance(3599)
    assert caller.get(url + "=d").status == 200
    emulator.clock.advance(1)
    assert caller.get(url + "=d").status == 403


def test_urls_can_be_withdrawn(caller: Any, emulator: Any, album: Any) -> None:
    url = caller.library(f"mediaItems/{album.items[1]}").json["baseUrl"] + "=d"
    emulator.faults.add("media.library", ExpiredUrl())
    assert [caller.get(url).status, caller.get(url).status] == [403, 200]
    emulator.urls.expire_all()
    assert caller.get(url).status == 403
    assert caller.get(caller.library(f"mediaItems/{album.items[1]}").json["baseUrl"] + "=d").status == 200
    gone = album.items[1]
    url = caller.library(f"mediaItems/{gone}").json["baseUrl"] + "=d"
    emulator.library.photos.remove(gone)
    assert [caller.library(f"mediaItems/{gone}").status, caller.get(url).status] == [404, 404]


def test_videos_come_as_dv_and_when_they_are_ready(caller: Any, emulator: Any, album: Any) -> None:
    video = emulator.library.photos.items[album.items[4]]
    video.transcoded = BytesContent(b"transcoded")
    url = caller.library(f"mediaItems/{video.id}").json["baseUrl"]
    assert caller.get(url + "=dv").body == b"transcoded"
    video.status = "PROCESSING"
    assert caller.get(url + "=dv").status == 404
    assert caller.library(f"mediaItems/{video.id}").json["mediaMetadata"]["video"]["status"] == "PROCESSING"


@pytest.mark.parametrize("path", ["sharedAlbums", "sharedAlbums/x"])
def test_sharing_is_gone(caller: Any, path: str) -> None:
    reply = caller.library(path)
    assert (reply.status, reply.json["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_uploads_become_items_of_the_app(caller: Any, emulator: Any) -> None:
    root = emulator.root("photoslibrary.googleapis.com") + "/v1/"
    headers = {"X-Goog-Upload-Protocol": "raw", "X-Goog-Upload-Content-Type": "image/png"}
    token = caller.call("POST", root + "uploads", body=b"pixels", headers=headers).body.decode()
    again = caller.call("POST", root + "uploads", body=b"pixels", headers=headers).body.decode()
    album = caller.call("POST", root + "albums", body={"album": {"title": "New"}}).json
    new = [{"simpleMediaItem": {"uploadToken": one, "fileName": f"{one[:3]}.png"}} for one in (token, again, "none")]
    results = caller.call(
        "POST", root + "mediaItems:batchCreate", body={"albumId": album["id"], "newMediaItems": new}
    ).json["newMediaItemResults"]
    assert results[0]["mediaItem"]["id"] == results[1]["mediaItem"]["id"]
    assert results[2]["status"]["code"] == 3
    assert names(caller.search(albumId=album["id"])) == [f"{token[:3]}.png"]
    item = results[0]["mediaItem"]["id"]
    changed = caller.call(
        "PATCH", root + f"mediaItems/{item}", {"updateMask": "description"}, body={"description": "A picture"}
    )
    assert changed.json["description"] == "A picture"
    retitled = caller.call("PATCH", root + f"albums/{album['id']}", {"updateMask": "title"}, body={"title": "Old"})
    assert retitled.json["title"] == "Old"
    for verb, count in (("batchRemoveMediaItems", 0), ("batchAddMediaItems", 1)):
        done = caller.call("POST", root + f"albums/{album['id']}:{verb}", body={"mediaItemIds": [item]})
        assert done.json == {}
        assert len(names(caller.search(albumId=album["id"]))) == count
    too_many = caller.call("POST", root + "mediaItems:batchCreate", body={"newMediaItems": new * 20})
    assert "less than 50 items" in too_many.json["error"]["message"]


def test_reading_is_not_writing(caller: Any, emulator: Any, album: Any) -> None:
    caller.token = emulator.authority.mint(frozenset({scopes.LIBRARY_APPEND}))["access_token"]
    assert caller.library("albums").status == 403
    caller.token = emulator.authority.mint(frozenset({scopes.LIBRARY_READ}))["access_token"]
    assert caller.library("albums").status == 200
    root = emulator.root("photoslibrary.googleapis.com") + "/v1/"
    assert caller.call("POST", root + "albums", body={"album": {"title": "New"}}).status == 403


def test_a_directory_on_disk(emulator: Any, tmp_path: Any) -> None:
    from PIL import Image

    (tmp_path / "Rome").mkdir()
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:05:01 10:00:00"
    Image.new("RGB", (20, 10)).save(tmp_path / "Rome" / "a.jpg", exif=exif)
    (tmp_path / "b.mp4").write_bytes(b"video")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_bytes(b"no photo")
    photos = emulator.library.photos
    photos.add_directory(tmp_path)
    photos.add_directory(tmp_path)
    assert [item.filename for item in photos.items.values()] == ["a.jpg", "b.mp4", "broken.jpg"]
    picture = photos.items[next(iter(photos.albums.values())).items[0]]
    assert (picture.width, picture.height, picture.created) == (20, 10, 1556704800.0)
