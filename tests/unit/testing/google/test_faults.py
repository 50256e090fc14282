"""What goes wrong on demand."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any

import pytest

from syncengine.testing.google import (
    BytesContent,
    Corrupt,
    Cut,
    FileContent,
    Garbage,
    IgnoreRange,
    OtherEtag,
    Redirect,
    TooLong,
    TooShort,
    WrongLength,
    stall,
)
from syncengine.testing.google.wire.problems import REASONS

BYTES = bytes(range(200)) * 5000


@pytest.fixture
def download(caller: Any, emulator: Any) -> Any:
    file = emulator.library.drive.add_file("x.zip", BytesContent(BYTES))
    return lambda **headers: caller.drive(f"files/{file.id}", {"alt": "media"}, **headers)


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503])
def test_a_status_at_the_nth_request(caller: Any, emulator: Any, status: int) -> None:
    emulator.faults.status("drive.files.list", status, at=2, times=2, retry_after=7)
    replies = [caller.drive("files") for _ in range(4)]
    assert [reply.status for reply in replies] == [200, status, status, 200]
    assert replies[1].headers["retry-after"] == "7"
    assert replies[1].json["error"]["code"] == status


def test_every_request_of_a_family(caller: Any, emulator: Any) -> None:
    emulator.faults.status("drive.*", 500, times=None)
    assert {caller.drive("files").status, caller.drive("about").status, caller.drive("drives").status} == {500}
    assert caller.library("albums").status == 200
    emulator.faults.clear()
    assert caller.drive("files").status == 200


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_drives_reasons(caller: Any, emulator: Any, reason: str) -> None:
    emulator.faults.reason("drive.files.list", reason)
    reply = caller.drive("files")
    assert (reply.status, reply.reason) == (REASONS[reason][0], reason)


def test_oauth_has_its_own_errors(caller: Any, emulator: Any) -> None:
    emulator.faults.reason("oauth.token", "invalid_grant")
    assert caller.oauth("/token").json["error"] == "invalid_grant"
    emulator.faults.status("oauth.token", 503)
    assert caller.oauth("/token").json["error"] == "server_error"


def test_the_quota_of_a_day_says_so(caller: Any, emulator: Any) -> None:
    emulator.faults.daily_quota("library.*", at=2)
    assert caller.library("albums").status == 200
    reply = caller.library("albums")
    assert (reply.status, reply.json["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert "per day" in reply.json["error"]["message"]
    assert reply.json["error"]["details"][0]["metadata"]["quota_limit_value"] == "10000"


def test_a_body_that_breaks_off(download: Any, emulator: Any) -> None:
    emulator.faults.add("drive.files.download", Cut(after=300_000))
    with pytest.raises(http.client.IncompleteRead) as cut:
        download()
    assert cut.value.partial == BYTES[:300_000]
    emulator.faults.add("drive.files.download", Cut(after=10, reset=True))
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        download()
    assert download().body == BYTES


@pytest.mark.parametrize(
    ("effect", "body"),
    [
        (TooLong(5), BYTES + b"\0" * 5),
        (TooShort(5), BYTES[:-5]),
        (WrongLength(-5), BYTES[:-5]),
        (Corrupt(3), BYTES[:3] + bytes([BYTES[3] ^ 0xFF]) + BYTES[4:]),
        (Corrupt(300_000), BYTES[:300_000] + bytes([BYTES[300_000] ^ 0xFF]) + BYTES[300_001:]),
    ],
)
def test_bodies_that_are_not_what_they_should_be(download: Any, emulator: Any, effect: Any, body: bytes) -> None:
    emulator.faults.add("drive.files.download", effect)
    reply = download()
    assert reply.body == body
    assert reply.headers["content-length"] == str(len(body))
    assert download().body == BYTES


def test_a_length_that_promises_too_much(download: Any, emulator: Any) -> None:
    emulator.faults.add("drive.files.download", WrongLength(5))
    with pytest.raises(http.client.IncompleteRead):
        download()


def test_a_server_that_ignores_ranges(download: Any, emulator: Any) -> None:
    emulator.faults.add("drive.files.download", IgnoreRange())
    ignored, heeded = download(range="bytes=1-2"), download(range="bytes=1-2")
    assert (ignored.status, len(ignored.body)) == (200, len(BYTES))
    assert (heeded.status, heeded.body) == (206, BYTES[1:3])


def test_another_tag_garbage_and_a_redirect(download: Any, caller: Any, emulator: Any) -> None:
    emulator.faults.add("drive.files.download", OtherEtag())
    assert download().headers["etag"] == '"another"'
    emulator.faults.add("drive.files.list", Garbage())
    garbage = caller.drive("files")
    assert garbage.status == 200
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(garbage.body)
    emulator.faults.add("drive.files.download", Redirect("https://evil.example/x"))
    assert download().headers["location"] == "https://evil.example/x"


def test_a_body_that_stalls(download: Any, caller: Any, emulator: Any) -> None:
    emulator.faults.add("drive.files.download", stall(0.2, after=10))
    started = time.monotonic()
    assert download().body == BYTES
    assert time.monotonic() - started >= 0.2


def test_a_file_on_disk_that_shrinks_cuts_the_body(caller: Any, emulator: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(BYTES)
    file = emulator.library.drive.add_file("x.zip", FileContent(path))
    path.write_bytes(BYTES[:1000])
    with pytest.raises(http.client.IncompleteRead):
        caller.drive(f"files/{file.id}", {"alt": "media"})
    path.unlink()
    with pytest.raises(http.client.IncompleteRead):
        caller.drive(f"files/{file.id}", {"alt": "media"})


def test_latency_bandwidth_and_date(download: Any, caller: Any, emulator: Any) -> None:
    emulator.faults.latency(0.1, "drive.files.list")
    started = time.monotonic()
    caller.drive("files")
    assert time.monotonic() - started >= 0.1
    emulator.faults.bandwidth = 5_000_000
    started = time.monotonic()
    download()
    assert time.monotonic() - started >= 0.19
    emulator.faults.clock_offset = 3600
    assert caller.drive("files").headers["date"] == "Thu, 28 May 2026 21:26:40 GMT"


def test_counters(download: Any, caller: Any, emulator: Any) -> None:
    emulator.counters.reset()
    download(range="bytes=0-9")
    caller.drive("files")
    caller.drive("nowhere")
    counted = emulator.counters.snapshot()
    assert counted["requests"] == {"drive.files.download": 1, "drive.files.list": 1, "unknown": 1}
    assert counted["sent"]["drive.files.download"] == 10
    assert counted["statuses"] == {"206": 1, "200": 1, "404": 1}
    last = emulator.counters.recent[0]
    assert (last.endpoint, last.range, last.status) == ("drive.files.download", "bytes=0-9", 206)
