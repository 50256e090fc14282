"""Limits of minutes and days."""

from __future__ import annotations

from typing import Any

DAY = 86400


def test_a_day_of_the_library_api(caller: Any, emulator: Any) -> None:
    emulator.quotas.set("library.requests", 2)
    assert [caller.library("albums").status for _ in range(3)] == [200, 200, 429]
    assert "per day" in caller.library("albums").json["error"]["message"]
    assert caller.picker("POST", "sessions").status == 200
    emulator.clock.advance(DAY)
    caller.token = emulator.authority.mint()["access_token"]
    assert caller.library("albums").status == 200
    emulator.quotas.off()
    assert {caller.library("albums").status for _ in range(3)} == {200}


def test_bytes_have_a_day_of_their_own(caller: Any, emulator: Any) -> None:
    url = caller.library(f"mediaItems/{emulator.library.photos.add('a.jpg').id}").json["baseUrl"] + "=d"
    emulator.quotas.set("library.media", 1)
    assert [caller.get(url).status for _ in range(2)] == [200, 429]
    assert caller.library("albums").status == 200


def test_a_minute_of_the_picker(caller: Any, emulator: Any) -> None:
    emulator.quotas.set("picker.requests", 1)
    assert [caller.picker("POST", "sessions").status for _ in range(2)] == [200, 429]
    assert "per minute" in caller.picker("POST", "sessions").json["error"]["message"]
    emulator.clock.advance(60)
    assert caller.picker("POST", "sessions").status == 200


def test_drive_counts_units(caller: Any, emulator: Any) -> None:
    emulator.quotas.set("drive.units", 110)
    assert [caller.drive("files").status, caller.drive("drives/none").status] == [200, 404]
    exceeded = caller.drive("files")
    assert (exceeded.status, exceeded.reason) == (403, "userRateLimitExceeded")
    emulator.clock.advance(60)
    assert caller.drive("files").status == 200
