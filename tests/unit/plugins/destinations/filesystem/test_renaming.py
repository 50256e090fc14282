from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import ItemError, TargetExistsError
from syncengine.testing.contracts.destination_base import content_of, everything, started, store
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions, renaming
from syncengine_plugins.destinations.filesystem.libc import LIBC
from syncengine_plugins.destinations.filesystem.renaming import Renamer

_WAYS = ("renameat2", "link", "look")


def _forbid(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Leave ``way`` as the first that this file system knows."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "not here")

    if way != "renameat2":
        monkeypatch.setattr(renaming, "LIBC", LIBC._replace(renameat2=None))
    if way == "look":
        monkeypatch.setattr(os, "link", refuse)


@pytest.fixture(params=_WAYS)
def destination(request: pytest.FixtureRequest, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    _forbid(monkeypatch, request.param)
    made = FilesystemDestination(FilesystemOptions(path=str(root)))
    made.open()
    yield made
    made.close()


def test_each_way_stores_and_never_replaces(destination: FilesystemDestination) -> None:
    store(destination, "photos/a.jpg", b"first")
    with pytest.raises(TargetExistsError):
        store(destination, "photos/a.jpg", b"second")
    with pytest.raises(TargetExistsError):
        destination.move("photos/a.jpg", "photos/a.jpg")
    store(destination, "photos/b.jpg", b"third")
    with pytest.raises(TargetExistsError):
        destination.move("photos/b.jpg", "photos/a.jpg")
    destination.move("photos/b.jpg", "other/c.jpg")
    assert everything(destination) == {"photos/a.jpg": b"first", "other/c.jpg": b"third"}
    staging = destination.staging()
    assert staging is not None
    assert list(staging.iterdir()) == []


def test_each_way_lets_one_of_many_win(destination: FilesystemDestination) -> None:
    uploads = [started(destination, "photos/a.jpg", f"{number}".encode() * 50) for number in range(8)]
    barrier = threading.Barrier(8)

    def commit(number: int) -> bool:
        barrier.wait(30)
        try:
            uploads[number].commit()
        except TargetExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(commit, range(8)))
    assert won.count(True) == 1
    assert content_of(destination, "photos/a.jpg") == f"{won.index(True)}".encode() * 50


def test_no_way_takes_a_planted_link_for_free(destination: FilesystemDestination, root: Path) -> None:
    (root / "photos").mkdir()
    (root / "photos/a.jpg").symlink_to("nowhere")
    with pytest.raises(TargetExistsError):
        store(destination, "photos/a.jpg")
    assert os.readlink(root / "photos/a.jpg") == "nowhere"


def test_a_name_that_cannot_be_costs_one_item(destination: FilesystemDestination) -> None:
    with pytest.raises(ItemError, match="refuses the name"):
        store(destination, f"photos/{'x' * 300}.jpg")
    store(destination, "photos/a.jpg")
    assert everything(destination) == {"photos/a.jpg": b"content"}


def test_einval_for_one_name_does_not_spoil_the_way_for_others(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bytes] = []
    assert LIBC.renameat2 is not None
    real = LIBC.renameat2

    def refuse_colons(source_dir: int, source: bytes, target_dir: int, target: bytes, flags: int) -> int:
        calls.append(target)
        if b":" in target:
            renaming.ctypes.set_errno(errno.EINVAL)
            return -1
        return real(source_dir, source, target_dir, target, flags)

    monkeypatch.setattr(renaming, "LIBC", LIBC._replace(renameat2=refuse_colons))
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    directory = os.open(tmp_path, os.O_RDONLY)
    renamer = Renamer(directory)
    renamer.rename(str(tmp_path / "a"), None, "a:", directory)
    renamer.rename(str(tmp_path / "b"), None, "b2", directory)
    os.close(directory)
    assert calls == [b"a:", b"b2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a:", "b2"]


def test_the_last_way_holds_a_lock_that_others_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _forbid(monkeypatch, "look")
    taken: list[int] = []
    monkeypatch.setattr(renaming.fcntl, "flock", lambda fd, operation: taken.append(operation))
    (tmp_path / "a").write_bytes(b"a")
    directory = os.open(tmp_path, os.O_RDONLY)
    Renamer(directory).rename("a", directory, "b", directory)
    os.close(directory)
    assert taken == [renaming.fcntl.LOCK_EX, renaming.fcntl.LOCK_UN]
