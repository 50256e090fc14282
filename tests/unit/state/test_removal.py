"""What the state forgets when items and contents are gone."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.model import AlbumRef
from syncengine.records import ContentRecord, ItemRecord, StateBatch
from syncengine.state.keys import item_keys, plain_id
from syncengine.state.store import ProfileState, StateStore

ROME, PARIS = AlbumRef("a1", "Rome"), AlbumRef("a2", "Paris")


def key(name: str) -> bytes:
    return sha256(name.encode()).digest()


def content(name: str, albums: tuple[AlbumRef, ...] = ()) -> ContentRecord:
    return ContentRecord(key(name), f"photos/{name}", key(name), key(name), 1, 1, 1.5, name, name, "nas", albums)


def item(name: str) -> ItemRecord:
    return ItemRecord("t", "m", key(name), "stored", f"photos/{name}")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[ProfileState]:
    with StateStore.open(tmp_path / "state") as opened:
        yield opened.bind("nas", "disk-1")


@pytest.mark.parametrize("identity", ["", "a", "x" * 332, "x" * 400, "x" * 401, "ü" * 300, "bad\udcff"])
def test_every_item_comes_back_with_its_id(state: ProfileState, identity: str) -> None:
    state.commit(StateBatch(items=[(identity, item("a")), ("other", item("b"))]))
    assert dict(state.all_items()).keys() == {identity, "other"}
    state.commit(StateBatch(gone_items=[identity, "never there"]))
    assert [found for found, _ in state.all_items()] == ["other"]


@given(st.text(max_size=420))
def test_a_key_holds_its_id_or_says_that_it_does_not(identity: str) -> None:
    (found,) = item_keys(b"12345678", [identity])
    assert plain_id(found) in (identity, None)


def test_items_of_another_profile_or_destination_are_not_listed(tmp_path: Path) -> None:
    with StateStore.open(tmp_path / "state") as store:
        store.bind("nas", "disk-2").commit(StateBatch(items=[("a", item("a"))]))
        store.bind("album", "disk-1").commit(StateBatch(items=[("b", item("b"))]))
        assert not list(store.bind("nas", "disk-1").all_items())


def test_a_content_that_is_gone_leaves_nothing_behind(state: ProfileState) -> None:
    fingerprints = [("sha256", key("a"), key("a")), ("phash-1", b"look", key("a")), ("phash-1", b"other", key("b"))]
    state.commit(StateBatch(contents=[content("a", (ROME, PARIS)), content("b", (ROME,))], fingerprints=fingerprints))
    state.commit(StateBatch(gone_contents=[key("a"), key("never there")]))
    assert [record.name for record in state.all_contents()] == ["b"]
    assert state.path_owners(["photos/a", "photos/b"]) == [None, key("b")]
    assert [record.name for record in state.album_members("a1")] == ["b"]
    assert not list(state.album_members("a2"))
    assert state.fingerprints("sha256").get(key("a")) is None
    assert list(state.fingerprints("phash-1").entries()) == [(b"other", key("b"))]


def test_who_shares_a_fingerprint_with_one_that_is_gone_is_found_by_it(state: ProfileState) -> None:
    prints = [("phash-1", b"look", key(name)) for name in "abc"] + [("phash-1", b"look" + key("b")[:4], key("d"))]
    state.commit(StateBatch(contents=[content(name) for name in "abcd"], fingerprints=prints))
    state.commit(StateBatch(gone_contents=[key("a")]))
    assert state.fingerprints("phash-1").get(b"look") in (key("b"), key("c"))
    assert sorted(state.fingerprints("phash-1").entries()) == sorted(
        [(b"look", key("b")), (b"look", key("c")), (b"look" + key("b")[:4], key("d"))]
    )
    state.commit(StateBatch(gone_contents=[key("b"), key("c")]))
    assert state.fingerprints("phash-1").get(b"look") is None


def test_a_path_that_another_content_has_taken_stays_its(state: ProfileState) -> None:
    state.commit(StateBatch(contents=[content("a")]))
    state.commit(StateBatch(contents=[ContentRecord(key("b"), "photos/a", b"", b"", 1, 1, None, "b", "b", "nas")]))
    state.commit(StateBatch(gone_contents=[key("a")]))
    assert state.path_owners(["photos/a"]) == [key("b")]


def test_a_content_that_leaves_an_album_is_no_member_any_more(state: ProfileState) -> None:
    state.commit(StateBatch(contents=[content("a", (ROME, PARIS))]))
    state.commit(StateBatch(contents=[content("a", (PARIS,))]))
    assert not list(state.album_members("a1"))
    assert [record.name for record in state.album_members("a2")] == ["a"]
