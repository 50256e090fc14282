"""What a body may be that is given for a photo or a video."""

from __future__ import annotations

import pytest

from syncengine.api import ItemError, Kind, MediaItem, RetryableError
from syncengine.testing.contracts.source import Collected
from syncengine.testing.google.control.clock import Clock as SharedClock
from syncengine_plugins.google import limits
from syncengine_plugins.google.account import GoogleAccount
from syncengine_plugins.google.endpoints import GoogleEndpoints
from syncengine_plugins.google.photos.addresses import Addresses
from syncengine_plugins.google.photos.fetching import PhotoFetcher
from syncengine_plugins.google.quota import DailyQuota, MemoryCounters
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.google.token_endpoint import TokenEndpoint
from syncengine_plugins.google.transport import Timeouts, Transport
from tests.contract.google_account import signed_in
from tests.unit.plugins.google.people import FakeClock
from tests.unit.plugins.google.scripted import Reply, ScriptedServer


@pytest.fixture
def server():
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def session(server):
    from syncengine.testing.google import GoogleEmulator

    clock = FakeClock(SharedClock())
    transport = Transport(GoogleEndpoints.at(server.url), timeouts=Timeouts(2, 0.3))
    with GoogleEmulator() as google:
        account = GoogleAccount(signed_in(google), TokenEndpoint(transport, clock))
    made = GoogleSession(account, transport, DailyQuota("1", MemoryCounters(), clock), clock)
    yield made
    made.close()


def fetch(session, server, kind=Kind.VIDEO, *, bearer=False):
    item = MediaItem(id="a", name="a", kind=kind, content_token="t")
    fetcher = PhotoFetcher(session, limits.PICKER_BYTES if bearer else limits.LIBRARY_BYTES, bearer=bearer)
    address = f"{server.url}/lr/x"
    sink = Collected()
    fetcher.fetch(
        item, Addresses({"a": address}, lambda item_id: {"a": f"{server.url}/lr/y"}, FakeClock(SharedClock())), sink
    )
    return bytes(sink.content)


@pytest.mark.parametrize(("kind", "suffix"), [(Kind.VIDEO, "dv"), (Kind.PHOTO, "d"), (Kind.OTHER, "d")])
def test_photos_and_videos_are_asked_for_in_their_own_way(session, server, kind, suffix):
    server.replies(Reply(body=b"bytes"))
    assert fetch(session, server, kind) == b"bytes"
    assert server.asked[0].path == f"/lr/x={suffix}"


def test_the_token_goes_only_where_the_picker_wants_it(session, server):
    server.replies(Reply(body=b"bytes"))
    fetch(session, server)
    fetch(session, server, bearer=True)
    assert "authorization" not in server.asked[0].headers
    assert server.asked[1].headers["authorization"].startswith("Bearer ")


def test_a_picture_is_no_video(session, server):
    server.replies(Reply(body=b"\xff\xd8thumbnail", headers={"Content-Type": "image/jpeg"}))
    with pytest.raises(ItemError, match="a picture instead of the video") as caught:
        fetch(session, server)
    assert not isinstance(caught.value, RetryableError)


@pytest.mark.parametrize("content_type", ["text/html; charset=UTF-8", "application/json", "TEXT/plain"])
def test_a_page_is_neither(session, server, content_type):
    server.replies(Reply(body=b"<html>sign in", headers={"Content-Type": content_type}))
    with pytest.raises(RetryableError, match="instead"):
        fetch(session, server)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_address_is_asked_for_again_once(session, server, status):
    server.replies(Reply(status), Reply(body=b"bytes"))
    assert fetch(session, server) == b"bytes"
    assert [asked.path for asked in server.asked] == ["/lr/x=dv", "/lr/y=dv"]


def test_a_daily_limit_that_is_told_as_a_page_ends_the_run(session, server):
    from syncengine.api import QuotaError

    server.replies(Reply(429, b"<h1>Error 429</h1>Quota exceeded for limit 'All requests per day'"))
    with pytest.raises(QuotaError, match="per day"):
        fetch(session, server)


def test_a_page_of_another_error_is_not_repeated(session, server):
    server.replies(Reply(403, b"<h1>403</h1>no permission to get URL /lr/secret"))
    with pytest.raises(ItemError) as caught:
        fetch(session, server)
    assert "secret" not in str(caught.value)
