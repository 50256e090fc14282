from __future__ import annotations

import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from syncengine.records import ContentRecord, ItemRecord, StateBatch
from syncengine.state.environment import Environment
from syncengine.state.failures import StateDamagedError
from syncengine.state.store import StateStore
from syncengine.state.structure import check_structure, snapshots

PAGE = 4096
COUNT = 2000


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("filled")
    with StateStore.open(directory) as store:
        state = store.bind("nas", "disk-1")
        for begin in range(0, COUNT, 500):
            names = [str(number) for number in range(begin, begin + 500)]
            state.commit(
                StateBatch(
                    items=[(name, ItemRecord("t", "m", name.encode())) for name in names],
                    contents=[content(name) for name in names],
                    fingerprints=[("m", sha256(name.encode()).digest(), name.encode()) for name in names],
                )
            )
    return directory


def content(name: str) -> ContentRecord:
    key = sha256(name.encode()).digest()
    return ContentRecord(key, f"photos/{name}", key, key, 1, 1, 1.0, name, name * (9000 if name == "7" else 1), "nas")


def damaged(filled: Path, tmp_path: Path, begin: int, end: int, data: bytes) -> Path:
    directory = tmp_path / "state"
    shutil.copytree(filled, directory)
    file = directory / "state.lmdb" / "data.mdb"
    old = file.read_bytes()
    file.write_bytes(old[:begin] + data + old[end:])
    return directory


def read_all(directory: Path) -> None:
    with StateStore.open(directory) as store:
        state = store.bind("nas", "disk-1")
        assert None not in state.items([str(number) for number in range(COUNT)])
        assert sum(1 for _ in state.all_contents()) == COUNT
        assert sum(1 for _ in state.fingerprints("m").entries()) == COUNT
        state.commit(StateBatch(contents=[content(f"new-{number}") for number in range(50)]))


def page_count(filled: Path) -> int:
    return (filled / "state.lmdb" / "data.mdb").stat().st_size // PAGE


def test_a_whole_store_passes(filled: Path, tmp_path: Path) -> None:
    read_all(damaged(filled, tmp_path, 0, 0, b""))


def test_an_empty_store_passes(tmp_path: Path) -> None:
    for _ in range(2):
        with StateStore.open(tmp_path):
            pass


@pytest.mark.parametrize("seed", range(7))
@pytest.mark.parametrize("kind", ["zeros", "noise", "another page"])
def test_a_smashed_page_is_damage_or_does_no_harm(filled: Path, tmp_path: Path, kind: str, seed: int) -> None:
    """The process is still there afterwards: LMDB on its own would end it with a failed assertion."""
    random = Random(seed)
    page = random.randrange(2, page_count(filled)) * PAGE
    other = random.randrange(2, page_count(filled)) * PAGE
    old = (filled / "state.lmdb" / "data.mdb").read_bytes()
    data = {"zeros": bytes(PAGE), "noise": random.randbytes(PAGE), "another page": old[other : other + PAGE]}[kind]
    directory = damaged(filled, tmp_path, page, page + PAGE, data)
    with suppress(StateDamagedError):
        read_all(directory)


def test_every_page_in_use_is_looked_at(filled: Path, tmp_path: Path) -> None:
    copy = damaged(filled, tmp_path, 0, 0, b"") / "state.lmdb" / "data.mdb"
    newest = max(snapshots(copy, PAGE), key=lambda snapshot: snapshot.transaction)
    trees = [*newest.trees, *subtrees_of(copy)]
    used = sum(tree[3] + tree[4] for tree in trees)
    noticed = 0
    whole = copy.read_bytes()
    for page in range(2, len(whole) // PAGE):
        with copy.open("r+b") as stream:
            stream.seek(page * PAGE)
            stream.write(bytes(16))
        try:
            check_structure(copy, newest, PAGE)
        except ValueError:
            noticed += 1
        with copy.open("r+b") as stream:
            stream.seek(page * PAGE)
            stream.write(whole[page * PAGE : page * PAGE + 16])
    check_structure(copy, newest, PAGE)
    assert noticed == used


def subtrees_of(file: Path) -> list[tuple[int, ...]]:
    environment = Environment(file.parent)
    with environment.read() as txn:
        stats = [txn.stat(table) for table in environment.tables.values()]
    environment.close()
    return [(0, 0, 0, stat["branch_pages"], stat["leaf_pages"]) for stat in stats]


@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.999])
def test_a_shortened_file_is_damage(filled: Path, tmp_path: Path, part: float) -> None:
    size = page_count(filled) * PAGE
    with pytest.raises(StateDamagedError):
        read_all(damaged(filled, tmp_path, int(size * part), size, b""))


@pytest.mark.parametrize("size", [0, 1, 100, PAGE, 3 * PAGE])
def test_a_file_of_nothing_is_damage_or_a_new_store(tmp_path: Path, size: int) -> None:
    (tmp_path / "state.lmdb").mkdir()
    (tmp_path / "state.lmdb" / "data.mdb").write_bytes(bytes(size))
    try:
        StateStore.open(tmp_path).close()
    except StateDamagedError:
        assert size > 0


def test_it_is_checked_while_another_process_would_write(filled: Path, tmp_path: Path) -> None:
    directory = damaged(filled, tmp_path, 0, 0, b"")
    with StateStore.open(directory) as store:
        state = store.bind("nas", "disk-1")
        file = directory / "state.lmdb" / "data.mdb"
        for number in range(5):
            state.commit(StateBatch(items=[(f"new-{number}", ItemRecord("t", "m", b"c"))]))
            first, second = snapshots(file, PAGE)
            assert abs(first.transaction - second.transaction) == 1
            check_structure(file, max(first, second), PAGE)
