"""Whatever Google answers: a retry, one failed item, or a clean stop; and a later run completes."""

from __future__ import annotations

import pytest

from syncengine.api import FatalError, QuotaError, Selection
from syncengine.testing.contracts.source import fetched
from syncengine.testing.google import (
    BytesContent,
    Cut,
    ExpiredUrl,
    Garbage,
    Redirect,
    TooLong,
    TooShort,
    WrongLength,
)
from tests.contract.google_account import signed_in
from tests.contract.photos import jpeg
from tests.unit.plugins.sources.google_visits import JULY, Visit, bytes_of, text

# Real requests to the emulator, hundreds of them: together they take half a minute.
pytestmark = pytest.mark.slow

MINE = ["tower.heic", "sea.jpg", "clip.mp4", "old.jpg"]
ENDPOINTS = ["library.albums.list", "library.mediaItems.search", "library.mediaItems.batchGet", "media.library"]


def mine(google):
    return {name: content for name, content in bytes_of(google).items() if name in MINE}


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 502, 503])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_answer_that_fails_once(visitor, google, endpoint, status):
    google.faults.status(endpoint, status)
    found, error = visitor.visit_or_stop()
    if error is not None:
        assert status in (403, 404)
        assert str(status) in error.reason
        assert error.advice
    elif status in (401, 408, 429, 500, 502, 503) or endpoint == "media.library":
        assert found.contents == mine(google)
        assert found.failed == {}
    else:
        assert set(found.contents) | set(found.failed) == set(MINE)
    google.faults.clear()
    assert visitor.visit().contents == mine(google)


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_answer_that_fails_always(visitor, google, endpoint, status):
    google.faults.status(endpoint, status, times=None)
    found, error = visitor.visit_or_stop()
    if error is not None:
        assert error.advice
        assert str(status) in error.reason
    else:
        assert found.contents == {}
        assert len(found.failed) == 4
        assert all(str(status) in reason for reason in found.failed.values())
    google.faults.clear()
    assert visitor.visit().contents == mine(google)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_quota_per_day_ends_the_run_and_says_until_when(visitor, google, endpoint):
    google.faults.daily_quota(endpoint)
    with pytest.raises(QuotaError, match="per day") as caught:
        visitor.visit_slowly()
    assert caught.value.again.timestamp() > google.clock.now()
    google.faults.clear()
    google.clock.advance(86400)
    assert visitor.visit().contents == mine(google)


def test_a_short_429_waits_half_a_minute(visitor, google):
    google.faults.status("media.library", 429, times=1)
    assert visitor.visit().contents == mine(google)
    assert any(wait >= 30 for wait in visitor.clock.waits)


@pytest.mark.parametrize("endpoint", ENDPOINTS[:3])
@pytest.mark.parametrize("text", ['<html>{"', "[]", '{"mediaItems": 3, "albums": 3, "mediaItemResults": 3}', ""])
def test_garbage_once(visitor, google, endpoint, text):
    google.faults.add(endpoint, Garbage(text))
    assert visitor.visit_slowly().contents == mine(google)


@pytest.mark.parametrize("endpoint", ENDPOINTS[:2])
def test_garbage_for_ever_is_a_clean_stop(visitor, google, endpoint):
    google.faults.add(endpoint, Garbage(), times=None)
    with pytest.raises(FatalError, match=r"cannot be read to its end: .* is not what it should be"):
        visitor.visit()


@pytest.mark.parametrize(
    "entry",
    [
        "3",
        "null",
        "[]",
        "{}",
        '{"id": 3}',
        '{"id": ""}',
        '{"id": "x", "mediaMetadata": {"width": "wide"}}',
    ],
)
def test_an_entry_that_makes_no_sense_costs_only_itself_and_is_told(visitor, google, entry):
    google.faults.add(
        "library.mediaItems.search", Garbage(f'{{"mediaItems": [{entry}, {{"id": "good", "baseUrl": "x"}}]}}'), at=4
    )
    with visitor.opened() as source:
        assert [item.id for item in source.scan(Selection())] == ["good"]
        inventory = source.inventory()
    assert not inventory.complete
    assert "1 entries of Google's lists" in inventory.missing[0]


def test_addresses_are_renewed_before_they_are_too_old(visitor, google):
    for number in range(120):
        google.library.photos.add(f"{number}.jpg", created=JULY + 1000 + number)
    found = visitor.visit_slowly()
    assert len(found.contents) == 124
    assert google.counters.statuses[403] == 0
    assert google.counters.requests["library.mediaItems.batchGet"] == 3  # 100 of one page, 24 of the next
    assert google.counters.requests["media.library"] == 124


def test_withdrawn_addresses_are_asked_for_again(visitor, google):
    with visitor.opened() as source:
        items = list(source.scan(Selection()))
        google.urls.expire_all()
        assert {item.name: fetched(source, item) for item in items} == mine(google)
    assert google.counters.statuses[403] == 1
    assert google.counters.requests["library.mediaItems.batchGet"] == 1


def test_an_address_that_never_opens_fails_its_item_alone(visitor, google):
    google.faults.add("media.library", ExpiredUrl(), times=2)
    found = visitor.visit()
    assert list(found.failed) == ["tower.heic"]
    assert "403" in found.failed["tower.heic"]
    assert visitor.visit().contents == mine(google)


def test_an_item_deleted_meanwhile_fails_alone(visitor, google):
    with visitor.opened() as source:
        items = list(source.scan(Selection()))
        google.library.photos.remove(items[0].id)
        found = Visit()
        for item in items:
            visitor.bring(source, item, found)
    assert list(found.failed) == ["tower.heic"]
    assert "may have been deleted" in found.failed["tower.heic"]
    assert len(found.contents) == 3


@pytest.mark.parametrize(
    "effect",
    [
        Cut(after=40),
        Cut(after=0),
        Cut(after=40, reset=True),
        TooShort(30),
        TooLong(50),
        WrongLength(10),
        WrongLength(-20),
    ],
)
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_body_that_is_not_whole_is_fetched_again(visitor, google, effect, at):
    """The first is HEIC, the second JPEG, the third MP4: all of them show where they end."""
    google.faults.add("media.library", effect, at=at)
    found = visitor.visit()
    assert found.contents == mine(google)
    assert found.failed == {}


def test_a_body_that_is_announced_longer_or_cut_shows_in_any_format(visitor, google):
    google.library.photos.add("z.jpg", text(500), created=JULY + 500)
    google.faults.add("media.library", WrongLength(10))
    google.faults.add("media.library", Cut(after=100), at=2)
    assert visitor.visit().contents["z.jpg"] == bytes_of(google)["z.jpg"]


def test_what_comes_twice_in_the_same_way_is_what_google_has(visitor, google):
    odd = jpeg(9)[:-20]
    google.library.photos.add("broken.jpg", BytesContent(odd), created=JULY + 500)
    found = visitor.visit()
    assert found.contents["broken.jpg"] == odd
    assert google.counters.requests["media.library"] == 6


def test_an_empty_body_fails_its_item(visitor, google):
    google.library.photos.add("empty.jpg", BytesContent(b""), created=JULY + 500)
    found = visitor.visit()
    assert "Google sent none" in found.failed["empty.jpg"]
    assert len(found.contents) == 4


def test_a_page_for_people_is_no_photo(visitor, google):
    google.faults.add("media.library", Garbage("<html>sorry</html>"))
    assert visitor.visit().contents == mine(google)
    google.faults.add("media.library", Garbage("<html>sorry</html>"), times=4)
    assert "application/json instead" in visitor.visit().failed["tower.heic"]


@pytest.mark.parametrize(("status", "said"), [("PROCESSING", "still processing"), ("FAILED", "could not process")])
def test_a_video_that_is_not_ready_is_a_failed_item_and_no_request(visitor, google, status, said):
    clip = next(item for item in google.library.photos.items.values() if item.is_video)
    clip.status = status
    found = visitor.visit()
    assert said in found.failed["clip.mp4"]
    assert google.counters.requests["media.library"] == 3
    clip.status = "READY"
    assert visitor.visit().contents == mine(google)


@pytest.mark.parametrize("target", ["https://example.com/x", "http://169.254.169.254/", "file:///etc/passwd"])
def test_a_redirect_away_from_google_is_not_followed(visitor, google, target):
    google.faults.add("media.library", Redirect(target))
    found = visitor.visit()
    assert "nothing is fetched from there" in found.failed["tower.heic"]
    assert len(found.contents) == 3


@pytest.mark.parametrize(
    "address",
    ["https://example.com/a", "http://lh3.googleusercontent.com/a", "x", "", "file:///etc/passwd", "//h/a\\n"],
)
def test_an_address_that_is_not_google_s_is_not_asked(visitor, google, address):
    google.faults.add(
        "library.mediaItems.search", Garbage(f'{{"mediaItems": [{{"id": "a", "baseUrl": "{address}"}}]}}'), at=4
    )
    found = visitor.visit()
    assert len(found.failed) == 1
    assert google.counters.requests["media.library"] == 0


def test_a_name_chooses_no_path(visitor, google):
    for name in ("../../etc/passwd", "a/b\\\\c.jpg", "..", "", "   ", "\0.jpg"):
        google.library.photos.add(name, created=JULY + 500)
    names = visitor.visit().names
    assert all(name not in ("", ".", "..") and not set(name) & set("/\\\0") for name in names)
    assert ".._.._etc_passwd" in names


def test_an_album_that_is_gone_meanwhile_is_told_and_costs_no_photo(visitor, google):
    google.faults.status("library.mediaItems.search", 404, at=2)
    found = visitor.visit()
    assert found.contents == mine(google)
    assert not found.inventory.complete
    assert found.inventory.missing[0].startswith("album 'Rome 2019': ")


def test_a_sign_in_that_was_revoked_ends_the_run(visitor, google):
    google.authority.revoke_everything()
    with pytest.raises(FatalError) as caught:
        visitor.visit()
    assert "auth login" in caught.value.advice
    visitor.store = signed_in(google)
    assert visitor.visit().contents == mine(google)


def test_access_that_ends_in_the_middle_ends_the_run(visitor, google):
    with visitor.opened() as source:
        items = list(source.scan(Selection()))
        google.authority.revoke_everything()
        google.clock.advance(2 * 3600)
        with pytest.raises(FatalError, match="sign-in"):
            fetched(source, items[0])


@pytest.mark.parametrize("offset", [-3600.0, 3600.0])
def test_a_clock_that_is_off_by_an_hour_does_no_harm(visitor, google, offset):
    visitor.clock.offset = offset
    assert visitor.visit_slowly().contents == mine(google)
    google.clock.advance(7200)
    assert visitor.visit().contents == mine(google)


def test_without_a_sign_in_nothing_is_asked(visitor, google):
    visitor.store.entries.clear()
    with pytest.raises(FatalError, match="nobody has signed in"):
        visitor.visit()
    assert google.counters.requests.total() == 0
