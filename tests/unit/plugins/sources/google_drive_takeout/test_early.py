"""Photos are listed, and there, while the rest of the archives is still being read."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import msgspec
import pytest

from syncengine.api import Selection
from syncengine_plugins.google.session import GoogleSession
from tests.unit.plugins.sources.google_drive_takeout.drives import (
    DOWNLOADS,
    FIRST,
    SECOND,
    fetched,
    photo_bytes,
    photos,
)
from tests.unit.plugins.sources.google_drive_takeout.test_faults import PASSING, tried

SIZE = 200_000
NAMES = [f"IMG_{number:03}.jpg" for number in range(80)]


def test_items_come_before_everything_is_read(user, emulator):
    user.add(FIRST, photos(*NAMES[:60], size=2 * SIZE))
    user.add(SECOND, photos(*NAMES[60:], size=2 * SIZE))
    with user.opened() as source:
        scan = source.scan(Selection())
        items = [next(scan) for _ in range(10)]
        assert {item.name: fetched(source, item) for item in items} == {
            name: photo_bytes(name, 2 * SIZE) for name in NAMES[:10]
        }
        assert emulator.counters.sent[DOWNLOADS] < 1.1 * 2 * SIZE * 60
        items += scan
        assert [item.name for item in items] == NAMES
        assert all(item.raw for item in items)
        for item in items[10:]:
            assert fetched(source, item) == photo_bytes(item.name, 2 * SIZE)
        assert source.inventory().complete
    assert emulator.counters.sent[DOWNLOADS] < 1.05 * 2 * SIZE * 80
    assert list((user.directory / "cache" / "ahead").iterdir()) == []


def test_a_listing_that_is_left_is_taken_up_again(user, emulator):
    user.add(FIRST, photos(*NAMES, size=SIZE))
    with user.opened() as source:
        scan = source.scan(Selection())
        first = [next(scan) for _ in range(30)]
        got = {item.name: fetched(source, item) for item in first}
    with user.opened() as source:
        items = list(source.scan(Selection()))
        assert [item.id for item in items[:30]] == [item.id for item in first]
        got |= {item.name: fetched(source, item) for item in items[30:]}
    assert got == {name: photo_bytes(name, SIZE) for name in NAMES}


def test_what_other_names_may_concern_is_not_brought_for_nothing(user, emulator):
    user.add(FIRST, photos(*NAMES[:40], size=SIZE))
    user.add(SECOND, photos(*NAMES[:40], size=SIZE))  # the same names again
    assert user.backed_up() == {name: photo_bytes(name, SIZE) for name in NAMES[:40]}
    assert emulator.counters.sent[DOWNLOADS] < 1.1 * SIZE * 40


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("effect", PASSING.values(), ids=PASSING.keys())
def test_a_passing_fault_while_photos_come_along_is_not_seen(user, emulator, effect, at):
    user.add(FIRST, photos(*NAMES[:60], size=2 * SIZE))
    rule = emulator.faults.add(DOWNLOADS, effect, at=at)
    with user.opened() as source:
        got = {item.name: tried(source, item) for item in source.scan(Selection())}
        assert source.inventory().complete
    assert rule.seen >= at
    assert got == {name: photo_bytes(name, 2 * SIZE) for name in NAMES[:60]}


@pytest.mark.parametrize("downloads", [1, 3])
def test_never_more_transfers_than_the_profile_allows(user, monkeypatch, downloads):
    under_way, most, lock = 0, 0, threading.Lock()
    stream = GoogleSession.stream

    @contextmanager
    def counted(session, call):
        nonlocal under_way, most
        with stream(session, call) as answer:
            with lock:
                under_way += 1
                most = max(most, under_way)
            try:
                yield answer
            finally:
                with lock:
                    under_way -= 1

    monkeypatch.setattr(GoogleSession, "stream", counted)
    user.add(FIRST, photos(*NAMES, size=SIZE))
    with user.made() as source, ThreadPoolExecutor(6) as pool:
        source.open(msgspec.structs.replace(user.context(), downloads=downloads))
        got = list(pool.map(lambda item: fetched(source, item), source.scan(Selection())))
    assert got == [photo_bytes(name, SIZE) for name in NAMES]
    assert 0 < most <= downloads
