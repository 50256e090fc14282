"""A store of an older format is brought to the newest one: whole or not at all, with a copy from before.

The store of version 1 is made here with nothing but LMDB, from what version 1 is: so that it stays version 1.
"""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable
from pathlib import Path

import lmdb
import msgspec
import pytest

from syncengine.errors import FatalError
from syncengine.state import format as format_module
from syncengine.state.environment import Environment
from syncengine.state.format import Migration, Tables
from syncengine.state.store import StateStore

OWNER = bytes.fromhex("0123456789abcdef")
TABLES = ("meta", "items", "contents", "paths", "fingerprints", "albums", "members", "runs", "counters")


def value(body: object) -> bytes:
    """A value of version 1: a byte for the form of values, CRC-32, MessagePack."""
    packed = msgspec.msgpack.encode(body)
    return struct.pack("<BI", 1, zlib.crc32(packed)) + packed


def version_1(directory: Path) -> None:
    directory.mkdir(parents=True)
    with lmdb.open(str(directory), max_dbs=20, map_size=1 << 20, lib_version=0) as env:
        tables = {name: env.open_db(name.encode()) for name in TABLES}
        with env.begin(write=True) as txn:
            txn.put(b"format", value(1), db=tables["meta"])
            for number in range(5):
                record = ["token", "m", b"k" * 32, "stored", f"photos/{number}.jpg"]
                txn.put(OWNER + b"item %d" % number, value(record), db=tables["items"])


def items(environment: Environment) -> dict[bytes, bytes]:
    with environment.read() as txn:
        return {bytes(name): bytes(found) for name, found in txn.cursor(environment.tables["items"])}


def rename_items(txn: lmdb.Transaction, tables: Tables) -> None:
    """A made-up step to version 2: items have other keys."""
    with txn.cursor(tables["items"]) as cursor:
        for name, found in list(cursor):
            txn.delete(name, db=tables["items"])
            txn.put(name.replace(b"item", b"photo"), found, db=tables["items"])


def count_items(txn: lmdb.Transaction, tables: Tables) -> None:
    """A made-up step to version 3: a number of items."""
    txn.put(b"items", value(txn.stat(tables["items"])["entries"]), db=tables["meta"])


CHAIN: tuple[Migration, ...] = (rename_items, count_items)


def version_of(file: Path) -> int:
    with lmdb.open(str(file), max_dbs=20, subdir=file.is_dir(), readonly=True, lock=False, lib_version=0) as env:
        meta = env.open_db(b"meta", create=False)
        with env.begin() as txn:
            return int(msgspec.msgpack.decode(bytes(txn.get(b"format", db=meta))[5:]))


def opened(directory: Path, *steps: Migration) -> Environment:
    return Environment(directory, migrations=steps)


def test_the_format_of_today_takes_a_store_of_version_1(tmp_path: Path) -> None:
    version_1(tmp_path / "state.lmdb")
    with StateStore.open(tmp_path) as store:
        assert store.check("disk-1", ["nas"]).records["items"] == 5


def test_two_steps_one_after_the_other(tmp_path: Path) -> None:
    version_1(tmp_path / "state.lmdb")
    environment = opened(tmp_path / "state.lmdb", *CHAIN)
    assert sorted(items(environment)) == [OWNER + b"photo %d" % number for number in range(5)]
    environment.close()
    assert version_of(tmp_path / "state.lmdb") == 3
    environment = opened(tmp_path / "state.lmdb", *CHAIN)
    assert len(items(environment)) == 5
    environment.close()


def test_a_copy_from_before_is_kept(tmp_path: Path) -> None:
    version_1(tmp_path / "state.lmdb")
    opened(tmp_path / "state.lmdb", *CHAIN).close()
    copy = tmp_path / "copies/state-version-1.mdb"
    assert version_of(copy) == 1
    opened(tmp_path / "state.lmdb", *CHAIN).close()
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def test_a_new_store_needs_no_copy(tmp_path: Path) -> None:
    opened(tmp_path / "state.lmdb", *CHAIN).close()
    assert version_of(tmp_path / "state.lmdb") == 3
    assert not (tmp_path / "copies").exists()


def test_without_room_for_the_copy_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version_1(tmp_path / "state.lmdb")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FatalError, match="No space left"):
        opened(tmp_path / "state.lmdb", *CHAIN)
    assert version_of(tmp_path / "state.lmdb") == 1


def test_a_step_that_fails_leaves_the_version_before(tmp_path: Path) -> None:
    def fails(txn: lmdb.Transaction, tables: Tables) -> None:
        raise RuntimeError("no")

    version_1(tmp_path / "state.lmdb")
    with pytest.raises(RuntimeError):
        opened(tmp_path / "state.lmdb", rename_items, fails)
    assert version_of(tmp_path / "state.lmdb") == 1
    environment = opened(tmp_path / "state.lmdb")
    assert sorted(items(environment)) == [OWNER + b"item %d" % number for number in range(5)]
    environment.close()


def test_killed_in_the_middle_it_is_still_the_version_before(tmp_path: Path) -> None:
    version_1(tmp_path / "state.lmdb")
    code = """
        import os, signal, sys
        from pathlib import Path
        from syncengine.state.environment import Environment
        def first(txn, tables):
            txn.drop(tables["items"], delete=False)
        def second(txn, tables):
            os.kill(os.getpid(), signal.SIGKILL)
        Environment(Path(sys.argv[1]), migrations=(first, second))
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "state.lmdb")]
    assert subprocess.run(command, check=False).returncode == -9
    assert version_of(tmp_path / "state.lmdb") == 1
    environment = opened(tmp_path / "state.lmdb", *CHAIN)
    assert len(items(environment)) == 5
    environment.close()


def test_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    version_1(tmp_path / "state.lmdb")
    opened(tmp_path / "state.lmdb", *CHAIN).close()
    with pytest.raises(FatalError, match="newer syncengine"):
        opened(tmp_path / "state.lmdb", rename_items)
    assert version_of(tmp_path / "state.lmdb") == 3
    assert len(format_module.MIGRATIONS) + 1 == 1, "the store of today: say here what version 2 is made of"


def foreign(store: Path) -> None:
    with lmdb.open(str(store), max_dbs=2, map_size=1 << 20, lib_version=0) as env:
        env.open_db(b"somebody's")


ODD: dict[str, Callable[[Path], object]] = {
    "was not made by syncengine": foreign,
    "is damaged": lambda store: (store.mkdir(), (store / "data.mdb").write_bytes(b"x" * 100)),
    "Is a directory": lambda store: (store / "data.mdb").mkdir(parents=True),
    "cannot be used": lambda store: store.write_bytes(b""),
    "lock.mdb": lambda store: (store / "lock.mdb").mkdir(parents=True),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_store_is_one_line(tmp_path: Path, what: str) -> None:
    ODD[what](tmp_path / "state.lmdb")
    with pytest.raises(FatalError) as caught:
        StateStore.open(tmp_path)
    said = f"{caught.value.reason}; {caught.value.advice}"
    assert str(tmp_path) in said
    assert what in said or what == "lock.mdb"
    assert "\n" not in said
    assert caught.value.advice


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_directory_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code), str(tmp_path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(FatalError, match="cannot be written") as caught:
        StateStore.open(tmp_path / "state")
    assert "SYNCENGINE_STATE_DIR" in caught.value.advice


@pytest.mark.parametrize("name", ["data.mdb", "lock.mdb"])
@pytest.mark.parametrize("content", [None, b"", b"from elsewhere"])
def test_a_lock_file_from_elsewhere_and_missing_or_empty_files_do_no_harm(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    with StateStore.open(tmp_path):
        pass
    file = tmp_path / "state.lmdb" / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    if (name, content) == ("data.mdb", b"from elsewhere"):
        with pytest.raises(FatalError, match="is damaged"):
            StateStore.open(tmp_path)
        return
    with StateStore.open(tmp_path) as store:
        assert store.check("disk-1", ["nas"]).count == 0
