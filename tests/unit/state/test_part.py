"""One destination's part of the store, made again beside the others'; and finds, which give way to their contents."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from syncengine.model import AlbumRef, RunReport
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch
from syncengine.state import part as part_module
from syncengine.state.part import unfinished
from syncengine.state.store import StateStore

ROME = AlbumRef("a1", "Rome")


def key(name: str) -> bytes:
    return sha256(name.encode()).digest()


def content(name: str, path: str = "", albums: tuple[AlbumRef, ...] = ()) -> ContentRecord:
    path = path or f"photos/{name}"
    return ContentRecord(key(name), path, key(name), key(name), 1, 1, 1.5, name, name, "nas", albums)


def find(name: str, path: str = "") -> ContentRecord:
    return msgspec.structs.replace(content(name, path), item="", profile="", failure="found")


def batch(*names: str) -> StateBatch:
    return StateBatch(
        items=[(name, ItemRecord("t", "m", key(name), "stored", f"photos/{name}")) for name in names],
        contents=[content(name, albums=(ROME,)) for name in names],
        fingerprints=[("sha256", key(name), key(name)) for name in names],
        albums=[AlbumRecord("a1", "Rome", "albums/Rome")],
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    with StateStore.open(tmp_path / "state") as opened:
        yield opened


def everything(store: StateStore, profile: str, identity: str) -> tuple[object, ...]:
    state = store.bind(profile, identity)
    prints = list(state.fingerprints("sha256").entries())
    return list(state.all_contents()), dict(state.all_items()), list(state.albums()), prints


def test_a_part_is_forgotten_as_a_whole_and_nothing_else(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_module, "_FORGOTTEN_AT_ONCE", 2)
    for profile, identity in (("nas", "disk-1"), ("nas", "disk-2"), ("usb", "disk-1")):
        store.bind(profile, identity).commit(batch("a", "b", "c"))
    other = everything(store, "nas", "disk-2")
    part = store.part("disk-1")
    assert not part.is_empty()
    part.begin()
    part.forget_items("nas")
    assert part.is_empty()
    assert everything(store, "nas", "disk-1") == ([], {}, [], [])
    assert everything(store, "nas", "disk-2") == other
    assert store.bind("nas", "disk-1").path_owners(["photos/a"]) == [None]
    assert list(store.bind("nas", "disk-1").album_members("a1")) == []


def test_it_is_not_whole_until_it_is_finished(store: StateStore) -> None:
    part = store.part("disk-1")
    assert not part.is_unfinished()
    part.begin()
    assert part.is_unfinished()
    assert store.part("disk-1").is_unfinished()
    assert not store.part("disk-2").is_unfinished()
    assert list(unfinished(store._open_environment)) == ["disk-1"]
    part.finish()
    assert not part.is_unfinished()


def test_what_is_written_is_what_a_run_would_have_written(store: StateStore) -> None:
    store.bind("nas", "disk-1").commit(batch("a", "b"))
    wanted = everything(store, "nas", "disk-1")
    part = store.part("disk-1")
    part.begin()
    part.write([("nas", batch("a")), ("nas", batch("b"))])
    part.finish()
    assert everything(store, "nas", "disk-1") == wanted


def test_the_items_that_a_profile_had_before_go_with_its_first_batch(store: StateStore) -> None:
    store.bind("nas", "disk-1").commit(batch("a"))
    store.bind("usb", "disk-1").commit(batch("b"))
    part = store.part("disk-1")
    part.begin()
    part.write([("nas", batch("c"))])
    part.write([("nas", batch("d")), ("", StateBatch(contents=[content("e")]))])
    assert dict(store.bind("nas", "disk-1").all_items()).keys() == {"c", "d"}
    assert dict(store.bind("usb", "disk-1").all_items()).keys() == {"b"}


def test_runs_come_back_to_their_profiles(store: StateStore) -> None:
    reports = [
        RunReport(run=f"r{number}", profile=profile, source="", destination="", started="", finished="")
        for number, profile in enumerate(["nas", "usb", "nas"])
    ]
    store.part("disk-1").save_runs(reports)
    assert [report.run for report in store.bind("nas", "x").runs(9)] == ["r2", "r0"]
    assert [report.run for report in store.bind("usb", "x").runs(9)] == ["r1"]


def test_the_path_of_a_find_is_nobodys(store: StateStore) -> None:
    state, part = store.bind("nas", "disk-1"), store.part("disk-1")
    assert not part.has_finds()
    state.commit(StateBatch(contents=[find("a")]))
    assert part.has_finds()
    assert state.path_owners(["photos/a"]) == [None]
    assert state.contents([key("a")]) == [find("a")]


def test_a_find_becomes_the_content_of_its_bytes(store: StateStore) -> None:
    state = store.bind("nas", "disk-1")
    state.commit(StateBatch(contents=[find("a"), find("b")]))
    state.commit(StateBatch(contents=[content("a")]))
    assert state.path_owners(["photos/a", "photos/b"]) == [key("a"), None]
    assert list(state.all_contents()) == sorted([content("a"), find("b")], key=lambda record: record.content)
    assert store.check("disk-1", ["nas"]).count == 0


def test_a_find_gives_way_to_the_content_that_takes_its_path(store: StateStore) -> None:
    state, part = store.bind("nas", "disk-1"), store.part("disk-1")
    state.commit(StateBatch(contents=[find("jpeg", "photos/a.jpg")]))
    state.commit(StateBatch(contents=[content("heic", "photos/A.jpg")]))
    assert list(state.all_contents()) == [content("heic", "photos/A.jpg")]
    assert not part.has_finds()
    assert store.check("disk-1", ["nas"]).count == 0


def test_a_find_that_is_gone_leaves_nothing(store: StateStore) -> None:
    state, part = store.bind("nas", "disk-1"), store.part("disk-1")
    state.commit(StateBatch(contents=[find("a")]))
    state.commit(StateBatch(gone_contents=[key("a")]))
    assert (part.is_empty(), part.has_finds()) == (True, False)
