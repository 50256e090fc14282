from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import FatalError
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions, durability
from syncengine_plugins.destinations.filesystem.durability import file_system_of, syncfs_is_enough
from syncengine_plugins.destinations.filesystem.libc import LIBC
from tests.unit.plugins.destinations.filesystem.conftest import Store

_MOUNTINFO = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:50 / /mnt/a\\040share rw,nosuid - cifs //nas/photos rw,vers=3.0
31 22 0:51 / /mnt/pool rw shared:5 master:2 - fuse.mergerfs a:b rw
"""


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Descriptors that ``syncfs`` was called with."""
    calls: list[int] = []
    assert LIBC.syncfs is not None
    real = LIBC.syncfs

    def syncfs(fd: int) -> int:
        calls.append(fd)
        return real(fd)

    monkeypatch.setattr(durability, "LIBC", LIBC._replace(syncfs=syncfs))
    return calls


@pytest.fixture
def fsynced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names that ``fsync`` was called for."""
    calls: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        calls.append(os.readlink(f"/proc/self/fd/{fd}"))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    return calls


def failing(code: int, times: int = 1000) -> Callable[[int], int]:
    left = iter(range(times))

    def syncfs(fd: int) -> int:
        if next(left, None) is None:
            return 0
        ctypes.set_errno(code)
        return -1

    return syncfs


@pytest.fixture
def opened(root: Path) -> Iterator[FilesystemDestination]:
    made = FilesystemDestination(FilesystemOptions(path=str(root)))
    made.open()
    yield made
    made.close()


def store(destination: FilesystemDestination, path: str) -> None:
    upload = destination.begin(path)
    upload.write(b"content")
    upload.commit()


def test_one_syncfs_for_a_batch(
    destination: FilesystemDestination, store: Store, synced: list[int], fsynced: list[str]
) -> None:
    for number in range(20):
        store(f"photos/{number}.jpg")
    destination.flush()
    assert len(synced) == 1
    assert fsynced == []


@pytest.mark.parametrize("unknown", [errno.ENOSYS, errno.EOPNOTSUPP, None])
def test_without_syncfs_everything_touched_is_flushed(
    opened: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch, fsynced: list[str], unknown: int | None
) -> None:
    missing = None if unknown is None else failing(unknown)
    monkeypatch.setattr(durability, "LIBC", LIBC._replace(syncfs=missing))
    monkeypatch.setattr(durability, "syncfs_is_enough", lambda device: missing is not None)
    opened.close()
    opened.open()
    opened.flush()
    fsynced.clear()
    staging = opened.staging()
    assert staging is not None
    (staging / "staged").write_bytes(b"staged")
    store(opened, "photos/2019/a.jpg")
    opened.flush()
    flushed = {Path(path).relative_to(root).as_posix() for path in fsynced}
    staged = (staging / "staged").relative_to(root).as_posix()
    assert {staged, "photos/2019/a.jpg", "photos/2019", "photos", "."} <= flushed


def test_a_file_system_that_forgets_errors_gets_both(
    opened: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch, synced: list[int], fsynced: list[str]
) -> None:
    monkeypatch.setattr(durability, "syncfs_is_enough", lambda device: False)
    opened.close()
    opened.open()
    fsynced.clear()
    store(opened, "photos/a.jpg")
    opened.flush()
    assert len(synced) == 1
    assert str(root / "photos/a.jpg") in fsynced


def test_what_is_remembered_for_flushing_is_bounded(
    opened: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch, fsynced: list[str]
) -> None:
    monkeypatch.setattr(durability, "syncfs_is_enough", lambda device: False)
    monkeypatch.setattr(durability, "_MOST_TOUCHED", 10)
    opened.close()
    opened.open()
    fsynced.clear()
    for number in range(25):
        store(opened, f"photos/{number}.jpg")
    flushed = {Path(path).name for path in fsynced if path.endswith(".jpg")}
    assert len(flushed) == 22
    opened.flush()
    flushed = {Path(path).name for path in fsynced if path.endswith(".jpg")}
    assert len(flushed) == 25


def test_what_was_moved_or_removed_is_no_error(
    opened: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch, fsynced: list[str]
) -> None:
    monkeypatch.setattr(durability, "syncfs_is_enough", lambda device: False)
    opened.close()
    opened.open()
    fsynced.clear()
    for name in ("a", "b", "c"):
        store(opened, f"photos/{name}.jpg")
    opened.move("photos/a.jpg", "moved/a.jpg")
    opened.remove("photos/b.jpg")
    opened.link("photos/c.jpg", "albums/c.jpg", kind="symlink")
    opened.flush()
    flushed = {Path(path).relative_to(root).as_posix() for path in fsynced}
    assert {"moved/a.jpg", "moved", "photos/c.jpg", "photos", "albums"} <= flushed


@pytest.mark.parametrize(
    ("code", "match"), [(errno.EIO, "read or write error"), (errno.ENOSPC, "is full"), (errno.EBADF, "durable")]
)
def test_what_is_not_durable_is_fatal(
    destination: FilesystemDestination, store: Store, monkeypatch: pytest.MonkeyPatch, code: int, match: str
) -> None:
    store("photos/a.jpg")
    monkeypatch.setattr(durability, "LIBC", LIBC._replace(syncfs=failing(code)))
    with pytest.raises(FatalError, match=match):
        destination.flush()


def test_an_interrupted_syncfs_is_called_again(
    destination: FilesystemDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "LIBC", LIBC._replace(syncfs=failing(errno.EINTR, times=2)))
    destination.flush()


def test_a_write_error_of_fsync_is_fatal(opened: FilesystemDestination, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durability, "syncfs_is_enough", lambda device: False)
    opened.close()
    opened.open()
    store(opened, "photos/a.jpg")

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "lost")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FatalError, match="read or write error"):
        opened.flush()


def test_a_file_system_without_fsync_is_taken_at_its_word(
    opened: FilesystemDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "syncfs_is_enough", lambda device: False)
    opened.close()
    opened.open()
    store(opened, "photos/a.jpg")

    def refuse(fd: int) -> None:
        raise OSError(errno.EINVAL, "no fsync here")

    monkeypatch.setattr(os, "fsync", refuse)
    opened.flush()


def test_replacing_waits_for_the_new_bytes(store: Store, root: Path, fsynced: list[str]) -> None:
    store("metadata/checksums.sha256", b"old", replace=True)
    assert fsynced == []
    store("metadata/checksums.sha256", b"new", replace=True)
    assert len(fsynced) == 1
    assert "/.syncengine/tmp/" in fsynced[0]


@pytest.mark.parametrize(
    ("device", "wanted"), [((254, 0), "ext4"), ((0, 50), "cifs"), ((0, 51), "fuse.mergerfs"), ((9, 9), "")]
)
def test_file_system_of(tmp_path: Path, device: tuple[int, int], wanted: str) -> None:
    (tmp_path / "mountinfo").write_text(_MOUNTINFO)
    assert file_system_of(os.makedev(*device), tmp_path / "mountinfo") == wanted


def test_no_mountinfo_is_no_error(tmp_path: Path) -> None:
    assert file_system_of(0, tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("kind", "release", "enough"),
    [
        ("ext4", "6.1.0-18-amd64", True),
        ("", "5.8.0", True),
        ("nfs4", "6.1.0", True),
        ("btrfs", "5.7.19", False),
        ("ext4", "4.4.180+", False),
        ("ext4", "strange", False),
        ("cifs", "6.1.0", False),
        ("fuse.sshfs", "6.1.0", False),
        ("fuseblk", "6.1.0", False),
    ],
)
def test_syncfs_is_enough(monkeypatch: pytest.MonkeyPatch, kind: str, release: str, enough: bool) -> None:
    class Uname:
        pass

    found: Any = Uname()
    found.release = release
    monkeypatch.setattr(os, "uname", lambda: found)
    monkeypatch.setattr(durability, "file_system_of", lambda device: kind)
    assert syncfs_is_enough(0) is enough
