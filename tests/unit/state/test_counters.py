"""Numbers that survive runs."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path

from syncengine.state.store import StateStore


def test_numbers_add_up_and_survive(tmp_path: Path) -> None:
    with StateStore.open(tmp_path) as store:
        counters = store.counters()
        assert counters.read("drive@2026-01-01") == 0
        assert counters.add("photos", 3) == 3
        assert counters.add("photos", 4) == 7
    with StateStore.open(tmp_path) as store:
        assert store.counters().read("photos") == 7


def test_days_long_past_are_forgotten(tmp_path: Path) -> None:
    today = date.today()
    names = [f"drive@{today - timedelta(days=days)}" for days in (0, 2, 3, 4, 400)]
    with StateStore.open(tmp_path) as store:
        counters = store.counters()
        for name in [*names, "for ever", "odd@name"]:
            counters.add(name, 1)
        counters.add("another", 1)
        assert [counters.read(name) for name in names] == [1, 1, 1, 0, 0]
        assert (counters.read("for ever"), counters.read("odd@name")) == (1, 1)


def test_threads_lose_no_count(tmp_path: Path) -> None:
    with StateStore.open(tmp_path) as store:
        counters = store.counters()
        threads = [threading.Thread(target=lambda: [counters.add("n", 1) for _ in range(10)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counters.read("n") == 40
