from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.engine.ports import State
from syncengine.model import AlbumRef, RunReport
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch
from syncengine.state import scanning
from syncengine.state.failures import StateDamagedError
from syncengine.state.store import ProfileState, StateStore

ROME, PARIS = AlbumRef("a1", "Rome"), AlbumRef("a2", "Paris")


def key(name: str) -> bytes:
    return sha256(name.encode()).digest()


def item(name: str, token: str = "t") -> ItemRecord:
    return ItemRecord(token, "m", key(name), "stored", f"photos/{name}")


def content(name: str, path: str = "", albums: tuple[AlbumRef, ...] = (), original: str = "") -> ContentRecord:
    return ContentRecord(
        content=key(name),
        path=path or f"photos/{name}",
        source_sha256=key(name),
        stored_sha256=key(name),
        source_size=1,
        stored_size=2,
        mtime=1.5,
        item=name,
        name=name,
        profile="nas",
        albums=albums,
        original_path=original,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    with StateStore.open(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def state(store: StateStore) -> ProfileState:
    return store.bind("nas", "disk-1")


def test_it_keeps_the_engines_contract(state: ProfileState) -> None:
    port: State = state
    assert list(port.all_contents()) == []


def test_a_new_state_knows_nothing(state: ProfileState) -> None:
    assert state.items(["a", "b"]) == [None, None]
    assert state.items([]) == []
    assert state.contents([key("a")]) == [None]
    assert state.path_owners(["photos/a"]) == [None]
    assert [*state.albums(), *state.album_members("a1"), *state.all_contents()] == []
    assert state.count_contents() == 0
    assert state.fingerprints("phash-1").get(b"x") is None
    assert list(state.fingerprints("phash-1").entries()) == []
    assert state.runs(5) == []


def test_items_come_back_in_the_order_asked_for(state: ProfileState) -> None:
    state.commit(StateBatch(items=[(name, item(name)) for name in "cab"]))
    assert state.items(["b", "x", "a", "b", "c"]) == [item("b"), None, item("a"), item("b"), item("c")]
    assert state.items(["c", "b"]) == [item("c"), item("b")]


def test_an_item_is_replaced(state: ProfileState) -> None:
    state.commit(StateBatch(items=[("a", item("a", "old"))]))
    state.commit(StateBatch(items=[("a", item("a", "older")), ("a", item("a", "new"))]))
    assert state.items(["a"]) == [item("a", "new")]


def test_ids_of_any_length_and_characters(state: ProfileState) -> None:
    ids = ["", "x" * 401, "x" * 5000, "x" * 5000 + "y", "é" * 300, "a\0b", "name-\udce9", "📷"]
    state.commit(StateBatch(items=[(identity, item(str(number))) for number, identity in enumerate(ids)]))
    assert [found and found.path for found in state.items(ids)] == [f"photos/{number}" for number in range(len(ids))]


def test_everything_survives_closing(tmp_path: Path) -> None:
    run = RunReport(run="r1", profile="nas", source="s", destination="d", started="", finished="")
    batch = StateBatch(
        items=[("a", item("a"))],
        contents=[content("a", albums=(ROME,))],
        fingerprints=[("phash-1", b"12345678", key("a"))],
        albums=[AlbumRecord("a1", "Rome", "albums/Rome")],
    )
    with StateStore.open(tmp_path) as opened:
        opened.bind("nas", "disk-1").commit(batch)
        opened.bind("nas", "disk-1").save_run(run)
    with StateStore.open(tmp_path) as opened:
        state = opened.bind("nas", "disk-1")
        assert state.items(["a"]) == [item("a")]
        assert state.contents([key("b"), key("a")]) == [None, content("a", albums=(ROME,))]
        assert state.path_owners(["PHOTOS/A"]) == [key("a")]
        assert list(state.albums()) == [AlbumRecord("a1", "Rome", "albums/Rome")]
        assert list(state.album_members("a1")) == [content("a", albums=(ROME,))]
        assert state.fingerprints("phash-1").get(b"12345678") == key("a")
        assert state.runs(1) == [run]


def test_profiles_share_a_destination_and_nothing_else(store: StateStore) -> None:
    nas, other, elsewhere = store.bind("nas", "disk-1"), store.bind("usb", "disk-1"), store.bind("nas", "disk-2")
    nas.commit(StateBatch(items=[("a", item("a"))], contents=[content("a")], fingerprints=[("m", b"f", key("a"))]))
    assert other.items(["a"]) == [None]
    assert elsewhere.items(["a"]) == [None]
    assert other.contents([key("a")]) == [content("a")]
    assert elsewhere.contents([key("a")]) == [None]
    assert (other.count_contents(), elsewhere.count_contents()) == (1, 0)
    assert elsewhere.path_owners(["photos/a"]) == [None]
    assert other.fingerprints("m").get(b"f") == key("a")
    assert elsewhere.fingerprints("m").get(b"f") is None
    assert other.fingerprints("n").get(b"f") is None


def test_the_same_batch_again_changes_nothing(state: ProfileState) -> None:
    batch = StateBatch(
        items=[("a", item("a"))],
        contents=[content("a", albums=(ROME,)), content("b")],
        fingerprints=[("m", b"f", key("a")), ("m", b"f", key("b"))],
        albums=[AlbumRecord("a1", "Rome", "albums/Rome")],
    )
    state.commit(batch)
    before = dump(state)
    state.commit(batch)
    assert dump(state) == before


def dump(state: ProfileState) -> list[object]:
    members = [list(state.album_members(album.id)) for album in state.albums()]
    return [list(state.all_contents()), list(state.fingerprints("m").entries()), list(state.albums()), members]


def test_paths_are_owned_without_regard_to_case_and_both_files_of_a_content_are(state: ProfileState) -> None:
    state.commit(StateBatch(contents=[content("a", "photos/IMG.jpg", original="photos/IMG.heic")]))
    owners = state.path_owners(["photos/img.JPG", "photos/img.heic", "photos/img.png"])
    assert owners == [key("a"), key("a"), None]


def test_a_content_that_moves_gives_its_old_path_up(state: ProfileState) -> None:
    state.commit(StateBatch(contents=[content("a", "photos/IMG.heic")]))
    state.commit(StateBatch(contents=[content("a", "photos/IMG.jpg")]))
    assert state.path_owners(["photos/IMG.heic", "photos/IMG.jpg"]) == [None, key("a")]


def test_a_content_that_moves_leaves_a_path_that_another_took_over(state: ProfileState) -> None:
    state.commit(StateBatch(contents=[content("a", "photos/x")]))
    state.commit(StateBatch(contents=[content("b", "photos/x")]))
    state.commit(StateBatch(contents=[content("a", "photos/y")]))
    assert state.path_owners(["photos/x", "photos/y"]) == [key("b"), key("a")]


def test_contents_that_share_a_fingerprint_are_all_kept_and_the_first_is_found(state: ProfileState) -> None:
    names = ["z", "a", "m"]
    for name in names:
        state.commit(StateBatch(fingerprints=[("m", b"same", key(name)), ("m", name.encode(), key(name))]))
    index = state.fingerprints("m")
    assert index.get(b"same") == key("z")
    expected = [(b"same", key(name)) for name in names] + [(name.encode(), key(name)) for name in names]
    assert sorted(index.entries()) == sorted(expected)


def test_a_fingerprint_that_begins_another_is_not_taken_for_it(state: ProfileState) -> None:
    state.commit(StateBatch(fingerprints=[("m", b"ab", key("a"))]))
    assert state.fingerprints("m").get(b"a") is None
    assert state.fingerprints("m").get(b"abc") is None


def test_albums_grow_and_keep_their_members(state: ProfileState) -> None:
    state.commit(StateBatch(contents=[content("a", albums=(ROME,)), content("b", albums=(ROME, PARIS))]))
    state.commit(StateBatch(contents=[content("a", albums=(ROME, PARIS))]))
    assert {record.name for record in state.album_members("a1")} == {"a", "b"}
    assert {record.name: record.albums for record in state.album_members("a2")} == {
        "a": (ROME, PARIS),
        "b": (ROME, PARIS),
    }
    assert list(state.album_members("a")) == []


def test_albums_are_replaced_by_id(state: ProfileState) -> None:
    state.commit(StateBatch(albums=[AlbumRecord("a1", "Rome", "albums/Rome"), AlbumRecord("a2", "", "albums/x")]))
    state.commit(StateBatch(albums=[AlbumRecord("a1", "Roma", "albums/Rome")]))
    assert [album.title for album in state.albums()] == ["Roma", ""]


def test_runs_newest_first(store: StateStore, state: ProfileState) -> None:
    for run in ("20260102T00", "20260101T00", "20260103T00"):
        state.save_run(RunReport(run=run, profile="nas", source="", destination="", started="", finished=""))
    store.bind("other", "disk-1").save_run(
        RunReport(run="2027", profile="other", source="", destination="", started="", finished="")
    )
    assert [report.run for report in state.runs(2)] == ["20260103T00", "20260102T00"]
    assert len(state.runs(10)) == 3


def test_everything_is_listed_over_many_pages(state: ProfileState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "PAGE", 3)
    for count in (1, 3, 7, 9):
        names = [f"{count}-{number}" for number in range(count)]
        state.commit(
            StateBatch(
                contents=[content(name, albums=(AlbumRef(str(count), ""),)) for name in names],
                fingerprints=[(str(count), name.encode(), key(name)) for name in names],
            )
        )
        assert {record.name for record in state.album_members(str(count))} == set(names)
        assert sorted(state.fingerprints(str(count)).entries()) == sorted((name.encode(), key(name)) for name in names)
    assert len({record.content for record in state.all_contents()}) == state.count_contents() == 20


def test_listing_goes_on_while_others_write(state: ProfileState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "PAGE", 2)
    state.commit(StateBatch(contents=[content(str(number)) for number in range(10)]))
    seen = []
    for number, record in enumerate(state.all_contents()):
        state.commit(StateBatch(contents=[content(record.name, f"moved/{number}")]))
        seen.append(record.name)
    assert sorted(seen) == sorted(map(str, range(10)))


def test_many_threads_read_and_commit(state: ProfileState) -> None:
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for number in range(30):
                name = f"{thread}-{number}"
                state.commit(StateBatch(items=[(name, item(name))], contents=[content(name)]))
                assert state.items([name]) == [item(name)]
                assert state.contents([key(name)]) == [content(name)]
        except BaseException as error:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert state.count_contents() == 180


def test_a_record_under_the_wrong_key_is_damage(state: ProfileState) -> None:
    state.commit(StateBatch(contents=[content("a")]))
    environment = state._store
    table = environment.tables["contents"]
    (entry,) = [entry for page in scanning.pages(environment, "contents", b"") for entry in page]
    environment.write(lambda txn: txn.put(entry[0][:8] + key("b"), entry[1], db=table))
    with pytest.raises(StateDamagedError):
        state.contents([key("b")])


@pytest.mark.parametrize("table", ["items", "contents", "paths", "fingerprints", "albums", "members", "runs"])
def test_a_flipped_bit_in_any_table_is_reported_as_damage(state: ProfileState, table: str) -> None:
    state.commit(
        StateBatch(
            items=[("a", item("a"))],
            contents=[content("a", albums=(ROME,))],
            fingerprints=[("m", b"f", key("a"))],
            albums=[AlbumRecord("a1", "Rome", "albums/Rome")],
        )
    )
    state.save_run(RunReport(run="r", profile="nas", source="", destination="", started="", finished=""))
    environment = state._store
    (entry,) = [entry for page in scanning.pages(environment, table, b"") for entry in page]
    flipped = entry[1][:-1] + bytes([entry[1][-1] ^ 4])
    environment.write(lambda txn: txn.put(entry[0], flipped, db=environment.tables[table]))
    reading: dict[str, Callable[[], object]] = {
        "items": lambda: state.items(["a"]),
        "contents": lambda: state.contents([key("a")]),
        "paths": lambda: state.path_owners(["photos/a"]),
        "fingerprints": lambda: state.fingerprints("m").get(b"f"),
        "albums": lambda: list(state.albums()),
        "members": lambda: list(state.album_members("a1")),
        "runs": lambda: state.runs(1),
    }
    with pytest.raises(StateDamagedError, match=r"state\.lmdb is damaged") as caught:
        reading[table]()
    assert str(environment.directory) in caught.value.advice


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    opened = StateStore.open(tmp_path)
    opened.close()
    opened.close()
    with pytest.raises(ValueError, match="closed"):
        opened.bind("nas", "disk-1")


NAMES = st.sampled_from("abcdef")
BATCHES = st.lists(
    st.tuples(st.lists(st.tuples(NAMES, NAMES), max_size=4), st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=4)),
    max_size=6,
)


@given(BATCHES)
@settings(max_examples=25, deadline=None)
def test_it_behaves_like_dictionaries(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[list[tuple[str, str]], list[tuple[str, str, str]]]]
) -> None:
    items: dict[str, ItemRecord] = {}
    contents: dict[bytes, ContentRecord] = {}
    owners: dict[str, bytes] = {}
    with StateStore.open(tmp_path_factory.mktemp("state")) as opened:
        state = opened.bind("nas", "disk-1")
        for puts, placed in batches:
            records = [content(name, path, (AlbumRef(album, ""),)) for name, path, album in placed]
            state.commit(StateBatch(items=[(name, item(to)) for name, to in puts], contents=records))
            items.update((name, item(to)) for name, to in puts)
            for record in records:
                old = contents.get(record.content)
                if old is not None and owners.get(old.path) == record.content:
                    del owners[old.path]
                owners[record.path] = record.content
                contents[record.content] = record
        assert state.items(list("abcdef")) == [items.get(name) for name in "abcdef"]
        assert list(state.all_contents()) == [contents[name] for name in sorted(contents)]
        assert state.path_owners(list("abcdef")) == [owners.get(path) for path in "abcdef"]
