"""The switches over HTTP."""

from __future__ import annotations

import http.client
from typing import Any

import pytest

from syncengine.testing.google import BytesContent
from syncengine.testing.google.wire.message import Request


def test_faults(caller: Any, emulator: Any) -> None:
    file = emulator.library.drive.add_file("x", BytesContent(b"0123456789"))
    media = (f"files/{file.id}", {"alt": "media"})
    name = "drive.files.download"
    assert caller.switch("POST", "faults", endpoint=name, kind="status", status=503, retry_after=3).status == 200
    assert caller.drive(*media).headers["retry-after"] == "3"
    caller.switch("POST", "faults", endpoint=name, kind="reason", reason="downloadQuotaExceeded")
    assert caller.drive(*media).reason == "downloadQuotaExceeded"
    caller.switch("POST", "faults", endpoint=name, kind="cut", after=4)
    with pytest.raises(http.client.IncompleteRead):
        caller.drive(*media)
    caller.switch("POST", "faults", endpoint=name, kind="replace-file", file=file.id, text="other")
    assert caller.drive(*media).body == b"0123456789"
    assert caller.drive(*media).body == b"other"
    caller.switch("POST", "faults", endpoint=name, kind="delete-file", file=file.id)
    assert [caller.drive(*media).status for _ in range(2)] == [200, 404]
    caller.switch("POST", "faults", endpoint="*", kind="daily-quota", times=None)
    assert caller.drive("files").status == 429
    caller.switch("DELETE", "faults")
    assert caller.drive("files").status == 200


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("too-long", {"extra": 1}),
        ("too-short", {"missing": 1}),
        ("corrupt", {}),
        ("etag", {}),
        ("garbage", {}),
        ("ignore-range", {}),
        ("empty-page", {}),
        ("expired-url", {}),
        ("redirect", {"location": "https://evil.example/"}),
        ("wrong-length", {"by": -1}),
        ("stall", {"seconds": 9, "after": 5}),
    ],
)
def test_every_kind_of_fault_is_taken(caller: Any, emulator: Any, kind: str, more: dict[str, Any]) -> None:
    assert caller.switch("POST", "faults", endpoint="drive.*", kind=kind, **more).status == 200
    assert len(emulator.faults.due("drive.x")) == 1


@pytest.mark.parametrize(
    "body", [{}, {"kind": "cut", "endpoint": "*"}, {"kind": "nonsense", "endpoint": "*", "file": ""}]
)
def test_a_fault_that_is_none(caller: Any, body: dict[str, Any]) -> None:
    assert caller.switch("POST", "faults", **body).status == 400


def test_the_other_switches(caller: Any, emulator: Any) -> None:
    caller.switch("POST", "network", latency=0.001, bandwidth=1e9, clock_offset=5)
    assert (emulator.faults.wait_for("drive.x"), emulator.faults.bandwidth, emulator.faults.clock_offset) == (
        0.001,
        1e9,
        5,
    )
    before = emulator.clock.now()
    caller.switch("POST", "clock", advance=60)
    assert emulator.clock.now() == before + 60
    assert caller.switch("POST", "quotas", **{"library.requests": 0}).json["library.requests"]["limit"] == 0
    assert caller.library("albums").status == 429
    assert caller.switch("POST", "quotas", nonsense=1).status == 400
    caller.switch("POST", "oauth", deny=True, allow="a b", access_seconds=60, testing=True)
    consent = emulator.authority.consent
    assert (consent.deny, consent.allow, emulator.authority.access_seconds) == (True, frozenset("ab"), 60)
    assert all(client.testing for client in emulator.authority.clients.values())
    caller.switch("POST", "devices", interval=1, allowed="a", approve=True)
    assert (emulator.devices.interval, emulator.devices.allowed) == (1, frozenset("a"))
    session = caller.picker("POST", "sessions").json
    assert caller.switch("POST", "picker", session=session["id"], items=[]).json["picked"] == 0
    assert caller.switch("POST", "picker", session="none").status == 404
    caller.switch("POST", "picker", pick_at_poll=3)
    assert emulator.picker.pick_at_poll == 3
    assert caller.switch("GET", "counters").json["requests"]["library.albums.list"] == 1
    caller.switch("DELETE", "counters")
    assert "drive.files.list" in caller.switch("GET", "endpoints").json["endpoints"]
    caller.switch("POST", "urls")
    caller.switch("POST", "library")
    caller.switch("DELETE", "tokens")
    assert caller.drive("files").status == 401
    caller.token = caller.switch("POST", "tokens").json["access_token"]
    assert caller.drive("files").status == 200


def test_clients_elsewhere_see_no_switches(emulator: Any) -> None:
    request = Request("GET", "emulator", "/_emulator/counters", {}, {}, b"", emulator.url, from_loopback=False)
    found = emulator.router.find(request)
    with pytest.raises(Exception, match="404"):
        found.handler(request)
