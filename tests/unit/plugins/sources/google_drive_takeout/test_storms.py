"""Random faults of every kind, several threads: no photo is lost, doubled or wrong, and a later run completes."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from syncengine.api import FatalError, ItemError, RetryableError, Selection
from syncengine.testing.google import Corrupt, Cut, OtherEtag, Refuse, TooLong, TooShort, WrongLength
from syncengine.testing.google.wire.problems import ApiError
from tests.unit.plugins.sources.google_drive_takeout.drives import (
    DOWNLOADS,
    FIRST,
    NEWER,
    SECOND,
    fetched,
    photo_bytes,
    photos,
)

pytestmark = pytest.mark.slow

NAMES = [f"IMG_{number:04}.jpg" for number in range(60)]
SIZE = 150_000


def some_effect(dice):
    return dice.choice(
        [
            Refuse(ApiError(dice.choice([401, 404, 408, 412, 416, 429, 500, 503]))),
            Refuse(ApiError(403, reason=dice.choice(["userRateLimitExceeded", "rateLimitExceeded"]))),
            Cut(dice.randrange(200_000), reset=dice.random() < 0.5),
            TooLong(dice.randrange(1, 5000)),
            TooShort(dice.randrange(1, 5000)),
            WrongLength(dice.choice([-100, 100])),
            OtherEtag(f'"{dice.randrange(3)}"'),
        ]
    )


def tried(source, item):
    for _ in range(4):
        try:
            return fetched(source, item)
        except RetryableError:
            continue
        except ItemError:
            return None
    return None


@pytest.mark.parametrize("seed", range(12))
def test_a_storm(user, emulator, seed):
    dice = random.Random(seed)
    user.drive.etags = dice.random() < 0.5
    for name, some in ((FIRST, NAMES[:30]), (SECOND, NAMES[25:40]), (NEWER, NAMES[20:])):
        members = photos(*some, size=SIZE)
        if dice.random() < 0.5:
            members.sort(key=lambda member: member[0].endswith(".json"))
        user.add(name, members)
    for at in range(2, 200):
        if dice.random() < 0.15:
            emulator.faults.add(DOWNLOADS, some_effect(dice), at=at)
    if dice.random() < 0.3:
        # not the first requests, which are for directories: those have no checksum
        emulator.faults.add(DOWNLOADS, Corrupt(dice.randrange(2000)), at=12, times=3)
    for _ in range(3):
        with suppress(FatalError):
            run(user, dice)
    emulator.faults.clear()
    found, inventory = run(user, dice)
    assert found == {name: photo_bytes(name, SIZE) for name in NAMES}
    assert inventory.complete


def run(user, dice):
    with user.opened() as source:
        scan = source.scan(Selection())
        # Fetched when all is listed, or while the rest is.
        items = list(scan) if dice.random() < 0.3 else scan
        with ThreadPoolExecutor(dice.choice([1, 3, 5])) as pool:
            got = list(pool.map(lambda item: (item.id, item.name, tried(source, item)), items))
        assert len({item_id for item_id, _, _ in got}) == len(got)
        found = {name: content for _, name, content in got}
        assert all(content == photo_bytes(name, SIZE) for name, content in found.items() if content is not None)
        return found, source.inventory()
