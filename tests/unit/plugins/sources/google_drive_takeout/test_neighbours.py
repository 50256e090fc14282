"""Several threads ask for photos that lie side by side; few requests bring them all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from syncengine.api import RetryableError, Selection
from syncengine.testing.google import Cut, Refuse
from syncengine.testing.google.wire.problems import ApiError
from tests.unit.plugins.sources.google_drive_takeout.drives import DOWNLOADS, FIRST, fetched, photo_bytes, photos

SIZE = 1_000_000
NAMES = [f"IMG_{number:04}.jpg" for number in range(60)]


@pytest.fixture
def archive(user):
    """An archive whose sidecars lie behind all its photos, so that hardly any photo comes along with them."""
    members = photos(*NAMES, size=SIZE)
    return user.add(FIRST, sorted(members, key=lambda member: member[0].endswith(".json")))


def tried(source, item):
    for _ in range(3):
        try:
            return item.name, fetched(source, item)
        except RetryableError:
            continue
    return item.name, fetched(source, item)


def fetch_all(user, threads, every=1, emulator=None, effect=None):
    with user.opened() as source:
        items = list(source.scan(Selection()))[::every]
        user.emulator.counters.reset()
        if effect is not None:
            user.emulator.faults.add(DOWNLOADS, effect, at=2, times=3)
        with ThreadPoolExecutor(threads) as pool:
            return dict(pool.map(lambda item: tried(source, item), items))


@pytest.mark.parametrize("threads", [1, 5])
def test_few_requests_bring_all(user, emulator, archive, threads):
    assert fetch_all(user, threads) == {name: photo_bytes(name, SIZE) for name in NAMES}
    assert user.asked(DOWNLOADS) <= len(NAMES) // 4
    assert emulator.counters.sent[DOWNLOADS] <= 1.01 * SIZE * len(NAMES)
    assert emulator.counters.most_in_flight <= threads
    assert list((user.directory / "cache" / "ahead").iterdir()) == []


@pytest.mark.parametrize(
    "effect", [Cut(2_500_000), Refuse(ApiError(503)), Refuse(ApiError(404)), Cut(0, reset=True)], ids=repr
)
def test_faults_are_not_seen(user, archive, effect):
    assert fetch_all(user, 5, effect=effect) == {name: photo_bytes(name, SIZE) for name in NAMES}


def test_a_wrong_guess_costs_little(user, emulator, archive):
    """Who asks for every tenth photo only, though all are new, is brought some tens of megabytes too many at most."""
    found = fetch_all(user, 5, every=10)
    assert found == {name: photo_bytes(name, SIZE) for name in NAMES[::10]}
    assert emulator.counters.sent[DOWNLOADS] <= (64 << 20) + SIZE * len(found)
