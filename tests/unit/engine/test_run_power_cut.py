"""Nothing is recorded before its bytes are durable: a power cut at any moment, then the next run."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from syncengine.api import AlbumRef, CaptureTime, FatalError, Kind, MediaItem
from syncengine.engine import planning
from syncengine.testing.faults import Fault, Faults, FaultyDestination
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from syncengine.testing.memory.storage import MemoryStorage

MAY = CaptureTime(origin="source", instant=1_558_000_000_000)
PHOTOS = 7


def item(number: int) -> MediaItem:
    return MediaItem(
        id=f"{number}.jpg",
        name=f"{number}.jpg",
        kind=Kind.PHOTO,
        content_token="1",
        taken=MAY,
        albums=(AlbumRef("r", "Rome"),),
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["place", "flush", "link"])
@pytest.mark.parametrize("at", [1, 2, 3, 5, 8])
def test_after_a_power_cut_what_is_recorded_is_there_and_the_next_run_completes(
    backup: Any, monkeypatch: pytest.MonkeyPatch, method: str, at: int
) -> None:
    monkeypatch.setattr(planning, "BATCH_ITEMS", 3)
    storage = MemoryStorage()
    good = MemoryDestination(MemoryDestinationOptions(), storage)
    good.open()
    storage.flush()
    for number in range(PHOTOS):
        backup.library.add(item(number), b"content %d" % number)
    faults = Faults([Fault(method, FatalError("power cut"), at=at, times=None)])
    backup.destination = FaultyDestination(good, faults)
    backup.run()
    storage.power_cut()

    backup.destination = good
    for record in backup.contents():
        assert hashlib.sha256(backup.read(record.path)).digest() == record.stored_sha256
    report = backup.run()
    assert report.complete
    expected = {f"photos/2019/05/{number}.jpg": b"content %d" % number for number in range(PHOTOS)}
    assert backup.files() == expected
    assert len(backup.read("metadata/checksums.sha256").splitlines()) == PHOTOS
    assert {f"albums/Rome/{number}.jpg" for number in range(PHOTOS)} <= set(backup.files("albums"))
    for path in expected:
        assert backup.document(path)["stored"]["path"] == path
    assert backup.run().outcomes["unchanged"] == PHOTOS
