"""Compact copies of the store: one a day, three of them, each a store of its own."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncengine.errors import FatalError
from syncengine.state.copies import copies, keep_copy, new_copy
from syncengine.state.store import StateStore
from tests.unit.state.test_part import batch, key

MONDAY = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)


def test_one_a_day_and_three_in_all(tmp_path: Path) -> None:
    with StateStore.open(tmp_path) as store:
        assert keep_copy(store, tmp_path, MONDAY) == tmp_path / "copies/state-20260601T233000Z.mdb"
        assert keep_copy(store, tmp_path, MONDAY + timedelta(minutes=20)) is None
        assert keep_copy(store, tmp_path, MONDAY + timedelta(minutes=40)) is not None
        for day in range(2, 5):
            keep_copy(store, tmp_path, MONDAY + timedelta(days=day))
    names = [path.name for path in copies(tmp_path)]
    assert names == ["state-20260605T233000Z.mdb", "state-20260604T233000Z.mdb", "state-20260603T233000Z.mdb"]


def test_other_files_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "copies" / "state-before the holidays.mdb"
    kept.parent.mkdir()
    kept.touch()
    with StateStore.open(tmp_path) as store:
        for day in range(5):
            keep_copy(store, tmp_path, MONDAY + timedelta(days=day))
    assert kept.exists()
    assert len(list(kept.parent.iterdir())) == 4


def test_a_copy_is_a_store(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "state") as store:
        store.bind("nas", "disk-1").commit(batch("a", "b"))
        copy = new_copy(store, tmp_path / "state")
        store.bind("nas", "disk-1").commit(batch("c"))
    assert copy.stat().st_mode & 0o077 == 0
    (tmp_path / "again/state.lmdb").mkdir(parents=True)
    copy.rename(tmp_path / "again/state.lmdb/data.mdb")
    with StateStore.open(tmp_path / "again") as store:
        state = store.bind("nas", "disk-1")
        assert [record is not None for record in state.contents([key("a"), key("b"), key("c")])] == [True, True, False]
        assert store.check("disk-1", ["nas"]).count == 0


def test_a_copy_that_cannot_be_written_leaves_the_others_and_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with StateStore.open(tmp_path) as store:
        before = keep_copy(store, tmp_path, MONDAY)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(FatalError, match="No space left"):
            keep_copy(store, tmp_path, MONDAY + timedelta(days=1))
    assert list((tmp_path / "copies").iterdir()) == [before]
