"""Whatever runs commit, their catalogs make the same state again."""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.engine import catalog
from syncengine.engine.rebuilding import RebuildTask, Rebuilt
from syncengine.engine.rebuilding.catalogs import load_catalogs
from syncengine.engine.silence import Silent
from syncengine.model import AlbumRef
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch
from syncengine.state.store import StateStore
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions

NAMES = st.sampled_from("abcd")
PROFILES = st.sampled_from(["nas", "usb"])


def key(name: str) -> bytes:
    return sha256(name.encode()).digest()


def content(name: str, path: str, albums: list[str]) -> ContentRecord:
    refs = tuple(AlbumRef(album, f"Album {album}") for album in sorted(set(albums)))
    return ContentRecord(key(name), f"photos/{path}", key(name), key(name), 1, 2, None, name, name, "nas", refs)


BATCHES = st.builds(
    StateBatch,
    contents=st.lists(st.builds(content, NAMES, NAMES, st.lists(NAMES, max_size=2)), max_size=3),
    items=st.lists(st.tuples(NAMES, st.builds(ItemRecord, NAMES, NAMES, NAMES.map(key))), max_size=3),
    fingerprints=st.lists(st.tuples(st.just("sha256"), NAMES.map(str.encode), NAMES.map(key)), max_size=3),
    albums=st.lists(st.builds(AlbumRecord, NAMES, NAMES, NAMES), max_size=2),
    gone_items=st.lists(NAMES, max_size=2),
    gone_contents=st.lists(NAMES.map(key), max_size=2),
)


@given(st.lists(st.tuples(PROFILES, BATCHES), max_size=8), st.integers(0, 8))
@settings(max_examples=40, deadline=None)
def test_the_catalogs_make_the_state_that_was_committed(
    tmp_path_factory: pytest.TempPathFactory, commits: list[tuple[str, StateBatch]], cut: int
) -> None:
    place = tmp_path_factory.mktemp("catalogs")
    destination = MemoryDestination(MemoryDestinationOptions())
    destination.open()
    with StateStore.open(place / "a") as wanted, StateStore.open(place / "b") as made:
        for name, part in (("1", commits[:cut]), ("2", commits[cut:])):
            lines = b""
            for profile, batch in part:
                wanted.bind(profile, destination.identity).commit(batch)
                lines += catalog.encode(batch, profile)
            upload = destination.begin(f"metadata/catalog/run-{name}.jsonl")
            upload.write(lines)
            upload.commit()
        load(made, destination, place)
        for table in ("contents", "paths", "members", "albums", "fingerprints"):
            assert list(wanted.differences(made, table, "", destination.identity)) == [], table
        for profile in ("nas", "usb"):
            assert list(wanted.differences(made, "items", profile, destination.identity)) == []


def load(store: StateStore, destination: MemoryDestination, place: Path) -> None:
    identity = destination.identity
    task = RebuildTask(
        profile="nas",
        plugin="memory",
        profiles=(),
        once=True,
        stages=(),
        recipe="",
        root="photos",
        zone=ZoneInfo("UTC"),
        destination=destination,
        part=store.part(identity),
        state=lambda profile: store.bind(profile, identity),
        scratch=place,
        spools=(),
        recovering=False,
        rehash=False,
        progress=Silent(),
        stop=threading.Event(),
    )
    load_catalogs(task, Rebuilt())


def test_a_clock_that_was_wrong_opens_no_more_than_some_catalogs(tmp_path: Path) -> None:
    destination = MemoryDestination(MemoryDestinationOptions())
    destination.open()
    for day in range(1, 29):
        for hour in range(4):
            upload = destination.begin(f"metadata/catalog/202602{day:02}T{hour:02}0000000000Z.jsonl")
            batch = StateBatch(contents=[content("a", f"{day}-{hour}", [])])
            upload.write(catalog.moment(4e9) + catalog.encode(batch, "nas"))
            upload.commit()
    streams: list[BinaryIO] = []
    most: list[int] = []
    read = destination.read

    def counting(path: str) -> BinaryIO:
        streams.append(read(path))
        most.append(sum(not stream.closed for stream in streams))
        return streams[-1]

    destination.read = counting  # type: ignore[method-assign]  # to see what is opened
    with StateStore.open(tmp_path / "state") as store:
        load(store, destination, tmp_path)
        assert len(list(store.bind("nas", destination.identity).all_contents())) == 1
    assert len(streams) == 28 * 4
    assert 1 < max(most) <= 50
    assert all(stream.closed for stream in streams)
