"""Whatever Google answers: a retry, one failed item, or a clean stop; and a later run completes."""

from __future__ import annotations

import json

import pytest

from syncengine.api import FatalError, QuotaError, Selection
from syncengine.testing.contracts.source import fetched
from syncengine.testing.google import Cut, ExpiredUrl, Garbage, Redirect, TooLong, TooShort, WrongLength
from syncengine_plugins.google.endpoints import GoogleEndpoints
from syncengine_plugins.sources.google_picker.invitation import checked_link
from tests.contract.google_account import signed_in
from tests.unit.plugins.sources.google_visits import bytes_of

# Real requests to the emulator, hundreds of them: together they take half a minute.
pytestmark = pytest.mark.slow

ENDPOINTS = ["picker.sessions.create", "picker.sessions.get", "picker.mediaItems.list", "media.picker"]


def complete_later(visitor, google, found=None):
    """The next runs fetch what is missing, of the same picks or of new ones."""
    google.faults.clear()
    known = {item.id for item in found.items if item.name in found.contents} if found else set()
    again = visitor.visit(known=known)
    assert {**(found.contents if found else {}), **again.contents} == bytes_of(google)
    assert again.failed == {}


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 502, 503])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_answer_that_fails_once(visitor, google, endpoint, status):
    google.faults.status(endpoint, status)
    found, error = visitor.visit_or_stop()
    if error is not None:
        assert status in (403, 404)
        assert str(status) in error.reason
        assert error.advice
    elif endpoint != "picker.mediaItems.list" or status not in (403, 404):
        assert found.contents == bytes_of(google)
        assert found.failed == {}
    complete_later(visitor, google, found)


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503])
@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "picker.sessions.delete"])
def test_an_answer_that_fails_always(visitor, google, endpoint, status):
    google.faults.status(endpoint, status, times=None)
    found, error = visitor.visit_or_stop()
    if endpoint == "picker.sessions.delete":
        assert found.contents == bytes_of(google)
        return
    if error is not None:
        assert error.advice
        assert str(status) in error.reason
    else:
        assert found.contents == {}
        assert all(str(status) in reason for reason in found.failed.values())
    complete_later(visitor, google, found)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_quota_per_day_ends_the_run_and_says_until_when(visitor, google, endpoint):
    google.faults.daily_quota(endpoint)
    with pytest.raises(QuotaError, match="per day"):
        visitor.visit_slowly()
    google.clock.advance(86400)
    complete_later(visitor, google)


@pytest.mark.parametrize("endpoint", ENDPOINTS[:3])
@pytest.mark.parametrize("text", ['<html>{"', "[]", '{"id": 3, "mediaItems": 3}', ""])
def test_garbage_once(visitor, google, endpoint, text):
    google.faults.add(endpoint, Garbage(text))
    assert visitor.visit_slowly().contents == bytes_of(google)


@pytest.mark.parametrize("endpoint", ENDPOINTS[:3])
def test_garbage_for_ever_is_a_clean_stop(visitor, google, endpoint):
    google.faults.add(endpoint, Garbage(), times=None)
    with pytest.raises(FatalError, match="is not what it should be") as caught:
        visitor.visit()
    assert caught.value.advice
    complete_later(visitor, google)


@pytest.mark.parametrize("session_id", ["", "..", "a/b", "a b", "a?b=c", "a#b", "x" * 300])
def test_a_session_of_google_s_chooses_no_path(visitor, google, session_id):
    google.faults.add("picker.sessions.create", Garbage(json.dumps({"id": session_id})))
    with pytest.raises(FatalError, match="a picking session that is none"):
        visitor.visit()
    assert google.counters.requests.total() == 1


@pytest.mark.parametrize(
    "link",
    [
        "https://example.com/picker/1",
        "http://photos.google.com/picker/1",
        "https://photos.google.com@example.com/",
        "https://photos.google.com.example.com/",
        "https://photos.google.com:8443/",
        "https://photos.google.com/\x1b[2J",
        "https://photos.google.com/ x",
        "javascript:alert(1)",
        "",
        "https://[",
    ],
)
def test_nobody_is_sent_elsewhere(link):
    with pytest.raises(FatalError, match="does not lead to Google"):
        checked_link(link, GoogleEndpoints())


def test_google_s_own_link_is_shown():
    assert checked_link("https://photos.google.com/picker/1", GoogleEndpoints())


def test_nobody_is_sent_elsewhere_by_an_emulator(visitor, google):
    answer = {"id": "a", "pickerUri": "https://example.com/"}
    google.faults.add("picker.sessions.create", Garbage(json.dumps(answer)))
    with pytest.raises(FatalError, match="does not lead to Google"):
        visitor.visit()
    assert visitor.said == []


@pytest.mark.parametrize("entry", ["3", "null", "{}", '{"id": ""}', '{"id": "x", "mediaFile": {"baseUrl": 3}}'])
def test_an_entry_that_makes_no_sense_costs_only_itself_and_is_told(visitor, google, entry):
    google.faults.add("picker.mediaItems.list", Garbage(f'{{"mediaItems": [{entry}, {{"id": "good"}}]}}'))
    with visitor.opened() as source:
        assert [item.id for item in source.scan(Selection())] == ["good"]
        assert not source.inventory().complete


def test_old_addresses_are_listed_again_before_they_are_used(visitor, google):
    found = visitor.visit_slowly()
    assert found.contents == bytes_of(google)
    assert google.counters.statuses[403] == 0
    assert google.counters.requests["picker.mediaItems.list"] == 2


def test_withdrawn_addresses_are_listed_again(visitor, google):
    with visitor.opened() as source:
        items = list(source.scan(Selection()))
        google.urls.expire_all()
        assert {item.name: fetched(source, item) for item in items} == bytes_of(google)
    assert google.counters.statuses[403] == 1


def test_no_address_of_a_long_run_is_older_than_forty_minutes(visitor, google):
    for number in range(150):
        google.library.photos.add(f"{number}.jpg")
    with visitor.opened() as source:
        for item in source.scan(Selection()):
            google.clock.advance(60)
            fetched(source, item)
    ages = [
        exchange.started - int(exchange.path.rpartition("/")[2].split(".")[1])
        for exchange in google.counters.recent
        if exchange.endpoint == "media.picker"
    ]
    assert len(ages) == 154
    assert max(ages) <= 41 * 60


def test_an_address_that_never_opens_fails_its_item_alone(visitor, google):
    google.faults.add("media.picker", ExpiredUrl(), times=2)
    found = visitor.visit()
    assert list(found.failed) == ["tower.heic"]
    complete_later(visitor, google, found)
    assert google.picker.open == {}


@pytest.mark.parametrize("effect", [Cut(40), Cut(0), TooShort(30), TooLong(50), WrongLength(10), WrongLength(-20)])
def test_a_body_that_is_not_whole_is_fetched_again(visitor, google, effect):
    google.faults.add("media.picker", effect, at=2)
    found = visitor.visit()
    assert found.contents == bytes_of(google)


@pytest.mark.parametrize("target", ["https://example.com/x", "http://169.254.169.254/", "file:///etc/passwd"])
def test_a_redirect_away_from_google_is_not_followed(visitor, google, target):
    google.faults.add("media.picker", Redirect(target))
    found = visitor.visit()
    assert "nothing is fetched from there" in found.failed["tower.heic"]
    complete_later(visitor, google, found)


@pytest.mark.parametrize(("status", "said"), [("PROCESSING", "still processing"), ("FAILED", "could not process")])
def test_a_video_that_is_not_ready_is_a_failed_item(visitor, google, status, said):
    clip = next(item for item in google.library.photos.items.values() if item.is_video)
    clip.status = status
    found = visitor.visit()
    assert said in found.failed["clip.mp4"]
    clip.status = "READY"
    complete_later(visitor, google, found)


def test_a_session_that_ends_in_the_middle_is_a_clean_stop(visitor, google):
    with visitor.opened() as source:
        items = list(source.scan(Selection()))
        google.clock.advance(8 * 86400)
        visitor.store = signed_in(google)
        with pytest.raises(FatalError, match="the picking session has ended at Google before everything was fetched"):
            fetched(source, items[0])
    complete_later(visitor, google)


def test_no_photos_account_is_said(visitor, google):
    google.picker.has_photos_account = False
    with pytest.raises(FatalError, match="cannot pick photos"):
        visitor.visit()


def test_too_many_sessions_are_said(visitor, google):
    google.picker.most_open = 0
    with pytest.raises(FatalError, match="Google opens no picking session"):
        visitor.visit()


def test_the_picks_of_another_account_are_not_asked_for_again(visitor, google):
    google.picker.pick_at_poll = None
    with pytest.raises(FatalError):
        visitor.visit()
    google.authority.consent.account = "other@example.com"
    visitor.store = signed_in(google)
    google.picker.pick_at_poll = 1
    assert visitor.visit().contents == bytes_of(google)


def test_a_sign_in_that_was_revoked_ends_the_run(visitor, google):
    google.authority.revoke_everything()
    with pytest.raises(FatalError) as caught:
        visitor.visit()
    assert "auth login" in caught.value.advice


def test_a_sign_in_for_something_else_is_refused_before_any_request(visitor, google):
    visitor.store = signed_in(google, frozenset({"https://www.googleapis.com/auth/drive.readonly"}))
    with pytest.raises(FatalError, match="does not cover: read the photos that you pick"):
        visitor.visit()
    assert google.counters.requests.total() == 0
