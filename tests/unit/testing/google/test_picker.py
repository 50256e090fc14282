"""Photos Picker API v1."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.testing.google import BytesContent, EmptyPage, mp4
from syncengine.testing.google.accounts import scopes

DAY = 86400


@pytest.fixture
def photos(emulator: Any) -> Any:
    library = emulator.library.photos
    for number in range(5):
        library.add(f"IMG_{number}.jpg", BytesContent(b"%d" % number), created=1.6e9 - number)
    library.add("clip.mp4", mp4("clip"), created=1.5e9).app_created = False
    return library


def opened(caller: Any, **body: Any) -> Any:
    reply = caller.picker("POST", "sessions", **body)
    assert reply.status == 200, reply.body
    return reply.json


def listed(caller: Any, session: Any, **query: Any) -> Any:
    return caller.picker("GET", "mediaItems", {"sessionId": session["id"], **query})


def test_a_session_waits_for_its_user(caller: Any, emulator: Any, photos: Any) -> None:
    session = opened(caller)
    assert session["pollingConfig"] == {"pollInterval": "5s", "timeoutIn": "1800s"}
    assert session["pickingConfig"] == {"maxItemCount": "2000"}
    assert "mediaItemsSet" not in session
    early = listed(caller, session)
    assert (early.status, early.json["error"]["status"]) == (400, "FAILED_PRECONDITION")
    emulator.clock.advance(1000.5)
    waiting = caller.picker("GET", f"sessions/{session['id']}").json
    assert waiting["pollingConfig"]["timeoutIn"] == "799.5s"
    emulator.picker.pick(session["id"])
    done = caller.picker("GET", f"sessions/{session['id']}").json
    assert (done["mediaItemsSet"], "pollingConfig" in done) == (True, False)
    items = listed(caller, session).json["mediaItems"]
    assert [item["type"] for item in items] == ["PHOTO"] * 5 + ["VIDEO"]
    assert items[0]["mediaFile"]["mediaFileMetadata"]["width"] == 4032


def test_the_user_opens_the_link(caller: Any, photos: Any) -> None:
    session = opened(caller)
    assert caller.get(session["pickerUri"] + "/autoclose").status == 200
    assert len(listed(caller, session).json["mediaItems"]) == 6
    assert caller.get(session["pickerUri"]).status == 404


def test_the_user_is_done_at_a_poll(caller: Any, emulator: Any, photos: Any) -> None:
    chosen = list(photos.items)[:2]
    emulator.picker.pick_at_poll, emulator.picker.selection = 2, chosen
    session = opened(caller)
    states = [caller.picker("GET", f"sessions/{session['id']}").json.get("mediaItemsSet", False) for _ in range(2)]
    assert states == [False, True]
    assert [item["id"] for item in listed(caller, session).json["mediaItems"]] == chosen


def test_pages_keep_their_order_and_renew_their_urls(caller: Any, emulator: Any, photos: Any) -> None:
    emulator.faults.add("picker.mediaItems.list", EmptyPage())
    session = opened(caller)
    emulator.picker.pick(session["id"])
    empty = listed(caller, session, pageSize=4).json
    assert "mediaItems" not in empty
    first = listed(caller, session, pageSize=4, pageToken=empty["nextPageToken"]).json
    emulator.clock.advance(2400)
    again = listed(caller, session, pageSize=4, pageToken=empty["nextPageToken"]).json
    assert [one["id"] for one in first["mediaItems"]] == [one["id"] for one in again["mediaItems"]]
    assert first["mediaItems"][0]["mediaFile"]["baseUrl"] != again["mediaItems"][0]["mediaFile"]["baseUrl"]
    rest = listed(caller, session, pageSize=4, pageToken=first["nextPageToken"]).json
    assert (len(rest["mediaItems"]), "nextPageToken" in rest) == (2, False)
    assert listed(caller, session, pageSize=-1).status == 400


def test_bytes_need_the_header_and_a_young_url(caller: Any, emulator: Any, photos: Any) -> None:
    session = opened(caller)
    emulator.picker.pick(session["id"], [next(iter(photos.items))])
    url = listed(caller, session).json["mediaItems"][0]["mediaFile"]["baseUrl"] + "=d"
    assert caller.get(url).body == b"0"
    token, caller.token = caller.token, ""
    assert caller.get(url).status == 403
    caller.token = emulator.authority.mint(frozenset({scopes.LIBRARY_READ}))["access_token"]
    assert caller.get(url).status == 403
    caller.token = token
    assert caller.get(url.replace("/ppa/", "/lr/")).status == 403
    emulator.clock.advance(3600)
    caller.token = emulator.authority.mint()["access_token"]
    assert caller.get(url).status == 403


def test_sessions_end(caller: Any, emulator: Any, photos: Any) -> None:
    session, other = opened(caller), opened(caller)
    assert caller.picker("DELETE", f"sessions/{session['id']}").json == {}
    assert caller.picker("GET", f"sessions/{session['id']}").status == 404
    assert listed(caller, session).status == 404
    emulator.clock.advance(7 * DAY)
    caller.token = emulator.authority.mint()["access_token"]
    assert caller.picker("GET", f"sessions/{other['id']}").status == 404


def test_limits(caller: Any, emulator: Any, photos: Any) -> None:
    assert opened(caller, pickingConfig={"maxItemCount": "5000"})["pickingConfig"] == {"maxItemCount": "2000"}
    few = opened(caller, pickingConfig={"maxItemCount": "2"})
    emulator.picker.pick(few["id"])
    assert len(listed(caller, few).json["mediaItems"]) == 2
    assert caller.picker("POST", "sessions", pickingConfig={"maxItemCount": "many"}).status == 400
    emulator.picker.most_open = 2
    assert caller.picker("POST", "sessions").status == 429
    emulator.picker.has_photos_account = False
    assert caller.picker("POST", "sessions").json["error"]["status"] == "FAILED_PRECONDITION"


def test_the_same_request_gets_the_same_session(caller: Any, photos: Any) -> None:
    first, again = (caller.picker("POST", "sessions", {"requestId": "r1"}).json for _ in range(2))
    assert first["id"] == again["id"] != opened(caller)["id"]


def test_what_does_not_exist(caller: Any, emulator: Any, photos: Any) -> None:
    assert caller.picker("GET", "mediaItems").status == 400
    session = opened(caller)
    assert caller.picker("GET", f"sessions/{session['id']}/mediaItems").status == 404
    with pytest.raises(KeyError):
        emulator.picker.pick(session["id"], ["nothing"])
