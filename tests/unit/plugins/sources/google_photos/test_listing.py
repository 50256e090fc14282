"""What is listed, what is asked for it, and what each item says."""

from __future__ import annotations

import json
from datetime import date

import pytest

from syncengine.api import AlbumRef, FatalError, ItemState, Kind, Selection
from syncengine.testing.google import EmptyPage
from syncengine_plugins.sources.google_photos.source import ONLY_OWN_UPLOADS
from tests.unit.plugins.google.people import User
from tests.unit.plugins.sources.google_visits import JULY, bytes_of

MINE = ["tower.heic", "sea.jpg", "clip.mp4", "old.jpg"]


def asked(google, endpoint):
    return google.counters.requests[endpoint]


def test_everything_of_the_app_s_own_is_listed_and_fetched(visitor, google):
    found = visitor.visit()
    assert found.names == MINE
    assert found.contents == {name: content for name, content in bytes_of(google).items() if name in MINE}
    assert found.inventory.complete
    assert found.inventory.counts == {"items": 4, "media": 4, "videos": 1, "albums": 2}
    assert google.shape_violations == []


def test_an_item_has_what_google_says_of_it(visitor, google):
    sea = next(item for item in visitor.visit().items if item.name == "sea.jpg")
    ids = {album.title: album.id for album in google.library.photos.albums.values()}
    assert sea.taken.instant == int(JULY * 1000)
    assert (sea.kind, sea.description, sea.camera, sea.favorite) == (Kind.PHOTO, "at the sea", "Google Pixel 3", False)
    assert sea.albums == (AlbumRef(ids["Rome 2019"], "Rome 2019"), AlbumRef(ids["Best of"], "Best of"))
    assert sea.raw["mediaMetadata"]["photo"]["cameraModel"] == "Pixel 3"


def test_favourites_are_found_and_videos_say_what_they_are(visitor):
    items = {item.name: item for item in visitor.visit().items}
    assert [name for name, item in items.items() if item.favorite] == ["old.jpg"]
    assert "encoded" in items["clip.mp4"].notes[0]
    assert items["clip.mp4"].kind is Kind.VIDEO


def test_no_signed_address_is_left_in_an_item(visitor):
    for item in visitor.visit().items:
        assert "baseUrl" not in json.dumps(item.raw)
        assert "/lr/AF" not in json.dumps([item.raw, item.origins, item.content_token, item.metadata_token])
    with visitor.opened() as source:
        assert all("BaseUrl" not in json.dumps(album.raw) for album in source.albums())


def test_albums_have_their_counts(visitor):
    with visitor.opened() as source:
        assert {album.title: album.count for album in source.albums()} == {"Rome 2019": 2, "Best of": 1}


@pytest.mark.parametrize("change", ["description", "filename", "album", "favorite"])
def test_a_change_of_what_google_says_shows_in_the_metadata_token_alone(visitor, google, change):
    before = {item.id: item for item in visitor.visit().items}
    one = next(item for item in google.library.photos.items.values() if item.filename == "tower.heic")
    if change == "album":
        next(iter(reversed(google.library.photos.albums.values()))).items.append(one.id)
    elif change == "favorite":
        one.favorite = True
    else:
        setattr(one, change, "renamed.heic")
    after = {item.id: item for item in visitor.visit().items}
    assert [id_ for id_ in before if after[id_].metadata_token != before[id_].metadata_token] == [one.id]
    assert all(after[id_].content_token == item.content_token for id_, item in before.items())


def test_of_selected_albums_only_those_are_asked_for(visitor, google):
    found = visitor.visit(Selection(albums=("rome *",)))
    assert found.names == ["sea.jpg", "tower.heic"]
    assert asked(google, "library.mediaItems.search") == 2  # favourites, and the album
    assert "albums" in found.inventory.warnings[1]


def test_an_album_that_is_not_there_is_told(visitor):
    found = visitor.visit(Selection(albums=("Venice",)))
    assert found.items == []
    assert "names no album" in found.inventory.warnings[-1]


def test_an_item_of_two_selected_albums_is_listed_once_with_both(visitor):
    found = visitor.visit(Selection(albums=("*",)))
    assert found.names == ["sea.jpg", "tower.heic"]
    assert [album.title for album in found.items[0].albums] == ["Rome 2019", "Best of"]


@pytest.mark.parametrize(
    ("select", "names"),
    [
        (Selection(kinds=(Kind.VIDEO,)), ["clip.mp4"]),
        (Selection(kinds=(Kind.PHOTO,)), ["tower.heic", "sea.jpg", "old.jpg"]),
        (Selection(kinds=(Kind.PHOTO, Kind.VIDEO)), MINE),
        (Selection(favorites=True), ["old.jpg"]),
        (Selection(after=date(2019, 7, 3)), ["tower.heic", "sea.jpg"]),
        (Selection(after=date(2019, 7, 5)), []),
        (Selection(before=date(2019, 7, 2)), ["clip.mp4", "old.jpg"]),
        (Selection(after=date(2018, 1, 1), before=date(2019, 1, 1)), ["clip.mp4"]),
        (Selection(after=date(1, 1, 1), before=date(9999, 12, 31)), MINE),
        (Selection(exclude_states=(ItemState.ARCHIVED,)), MINE[1:]),
    ],
)
def test_google_is_asked_for_what_is_selected(visitor, google, select, names):
    next(item for item in google.library.photos.items.values() if item.filename == "tower.heic").archived = (
        ItemState.ARCHIVED in select.exclude_states
    )
    assert visitor.visit(select).names == names
    assert visitor.visit(select, list_all=True).names == MINE


def test_days_are_asked_for_with_one_more_at_either_end(visitor, google):
    """An evening in Honolulu is the next day's in UTC, and a morning in Auckland the day's before."""
    found = visitor.visit(Selection(after=date(2019, 7, 4), before=date(2019, 7, 5)))
    assert found.names == ["tower.heic", "sea.jpg"]
    assert visitor.visit(Selection(after=date(2019, 7, 1), before=date(2019, 7, 3))).names == ["tower.heic", "sea.jpg"]


def test_pages_and_empty_pages_are_read_to_the_end(visitor, google):
    for number in range(230):
        google.library.photos.add(f"{number}.jpg", created=JULY + 1000 + number)
    google.faults.add("library.mediaItems.search", EmptyPage(), at=2, times=3)
    found = visitor.visit()
    assert len(found.items) == len({item.id for item in found.items}) == 234
    assert len(found.contents) == 234


def test_a_list_that_never_ends_ends_the_run(visitor, google):
    google.faults.add("library.mediaItems.search", EmptyPage(), times=None)
    with pytest.raises(FatalError, match="the list of favourites goes round in circles"):
        visitor.visit()


def test_scanning_ends_when_the_run_is_asked_to_end(visitor):
    with visitor.opened() as source:
        scan = source.scan(Selection())
        next(scan)
        visitor.stopping = True
        assert len(list(scan)) <= 3


def test_at_sign_in_the_user_hears_what_cannot_be_seen(visitor, google, tmp_path):
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(google.client_config()))
    source, user = visitor.make(credentials=str(path)), User()
    source.clock = visitor.clock
    done = source.sign_in(visitor.store, user)
    user.rest()
    assert ONLY_OWN_UPLOADS in done.warnings
    assert "2025-03-31" in ONLY_OWN_UPLOADS
    assert any(scope.endswith("photoslibrary.readonly.appcreateddata") for scope in done.scopes)


def test_a_sign_in_for_something_else_is_refused_before_any_request(visitor, google):
    from tests.contract.google_account import signed_in

    visitor.store = signed_in(google, frozenset({"https://www.googleapis.com/auth/drive.readonly"}))
    with pytest.raises(FatalError, match="does not cover: read the photos that this app itself uploaded"):
        visitor.visit()
    assert google.counters.requests.total() == 0
