"""A store that is read as a whole: what is damaged, what does not fit, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncengine.model import RunReport
from syncengine.records import ContentRecord, StateBatch
from syncengine.state.failures import StateDamagedError
from syncengine.state.keys import album_key, owner_key, path_key
from syncengine.state.scanning import pages
from syncengine.state.setting_aside import set_aside
from syncengine.state.store import StateStore
from syncengine.state.writing import BYTES, CONTENTS, Owners, items_owner
from tests.unit.state.test_part import batch, content, key

HERE = Owners.of("disk-1").destination
TABLES = ["items", "contents", "paths", "fingerprints", "albums", "members", "runs", "counters"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    with StateStore.open(tmp_path) as opened:
        opened.bind("nas", "disk-1").commit(batch("a", "b"))
        report = RunReport(run="r", profile="nas", source="", destination="", started="", finished="")
        opened.bind("nas", "disk-1").save_run(report)
        opened.counters().add("requests", 1)
        yield opened


def put(store: StateStore, table: str, name: bytes, value: bytes) -> None:
    environment = store._open_environment
    environment.write(lambda txn: txn.put(name, value, db=environment.tables[table]))


def remove(store: StateStore, table: str, name: bytes) -> None:
    environment = store._open_environment
    assert environment.write(lambda txn: txn.delete(name, db=environment.tables[table]))


def flip(store: StateStore, table: str) -> None:
    (name, value), *_ = (entry for page in pages(store._open_environment, table, b"") for entry in page)
    put(store, table, name, value[:-1] + bytes([value[-1] ^ 1]))


def test_a_sound_store_has_no_problems(store: StateStore) -> None:
    checked = store.check("disk-1", ["nas", "usb"])
    assert (checked.problems, checked.count) == ([], 0)
    assert checked.records == {
        "items": 2,
        "contents": 2,
        "paths": 2,
        "fingerprints": 2,
        "albums": 1,
        "members": 2,
        "runs": 1,
        "counters": 1,
    }


@pytest.mark.parametrize("table", TABLES)
def test_a_flipped_bit_is_found_in_every_table(store: StateStore, table: str) -> None:
    flip(store, table)
    checked = store.check("disk-1", ["nas"])
    assert [problem.table for problem in checked.problems] == [table]
    assert "does not match its checksum" in checked.problems[0].what
    assert "state rebuild" in checked.problems[0].advice


BREAKS: dict[str, Callable[[StateStore], None]] = {
    "its path belongs to nobody": lambda store: remove(store, "paths", path_key(HERE, "photos/a")),
    "another content": lambda store: put(store, "paths", path_key(HERE, "photos/a"), BYTES.encode(key("b"))),
    "a path is of a content that is not there": lambda store: put(
        store, "paths", path_key(HERE, "photos/x"), BYTES.encode(key("x"))
    ),
    "does not know it as its member": lambda store: remove(store, "members", album_key(HERE, "a1") + key("a")),
    "a member that is not there": lambda store: put(
        store, "members", album_key(HERE, "a1") + key("x"), BYTES.encode(key("x"))
    ),
    "a fingerprint is of a content that is not there": lambda store: put(
        store, "fingerprints", HERE + owner_key("sha256") + b"\0x", BYTES.encode(key("x"))
    ),
    "under the key of another content": lambda store: put(
        store, "contents", HERE + key("b"), CONTENTS.encode(content("a"))
    ),
    "has no content": lambda store: remove(store, "contents", HERE + key("a")),
    "a path is of a find that is not there": lambda store: put(
        store, "paths", path_key(Owners.of("disk-1").finds, "photos/x"), BYTES.encode(key("x"))
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_does_not_fit_together_is_found(store: StateStore, what: str) -> None:
    BREAKS[what](store)
    found = [problem.what for problem in store.check("disk-1", ["nas"]).problems]
    assert any(what in problem for problem in found), found


def test_another_destinations_records_are_not_judged_by_this_ones(store: StateStore) -> None:
    remove(store, "contents", HERE + key("a"))
    assert store.check("disk-2", ["nas"]).count == 0


def test_only_the_first_problems_are_kept_and_all_are_counted(store: StateStore) -> None:
    records: list[ContentRecord] = [content(f"{number:03}") for number in range(150)]
    store.bind("nas", "disk-1").commit(StateBatch(contents=records))
    for record in records:
        remove(store, "paths", path_key(HERE, record.path))
    checked = store.check("disk-1", ["nas"])
    assert (len(checked.problems), checked.count) == (100, 150)


def test_two_stores_are_compared_entry_by_entry(store: StateStore, tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "other") as other:
        assert len(list(store.differences(other, "contents", "", "disk-1"))) == 2
        other.bind("nas", "disk-1").commit(batch("b", "c"))
        other.bind("nas", "disk-1").commit(StateBatch(contents=[content("b", "photos/else where")]))
        found = {entry[0][8:]: entry[1:] for entry in store.differences(other, "contents", "", "disk-1")}
        assert found.keys() == {key("a"), key("b"), key("c")}
        assert (found[key("a")][1], found[key("c")][0]) == (None, None)
        items = [entry[0] for entry in store.differences(other, "items", "nas", "disk-1")]
        owner = items_owner("nas", "disk-1")
        assert items == [owner + b"a", owner + b"c"]


def test_a_damaged_record_is_remembered_until_it_is_gone(store: StateStore, tmp_path: Path) -> None:
    (sound,) = [
        value for page in pages(store._open_environment, "items", b"") for name, value in page if name[8:] == b"a"
    ]
    flip(store, "items")
    with pytest.raises(StateDamagedError):
        store.bind("nas", "disk-1").items(["a"])
    with pytest.raises(StateDamagedError, match="1 records, a record"):
        StateStore.open(tmp_path)
    put(store, "items", items_owner("nas", "disk-1") + b"a", sound)
    for _ in range(2):
        StateStore.open(tmp_path).close()
    assert not (tmp_path / "state.lmdb" / "suspect").exists()


def test_a_store_that_is_set_aside_is_whole_and_a_new_one_takes_its_place(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        with StateStore.open(tmp_path) as store:
            assert store.bind("nas", "disk-1").items(["a"]) == [None]
            store.bind("nas", "disk-1").commit(batch("a"))
        aside = set_aside(tmp_path)
        names.append(aside.name)
        assert (aside / "data.mdb").stat().st_size > 0
    assert len(set(names)) == 3
    assert all(name.startswith("state.lmdb.damaged-") for name in names)
