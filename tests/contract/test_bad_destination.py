"""A destination that is full, read-only, damaged or goes away: a clear end, nothing half, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import FatalError, ItemError
from syncengine.testing.contracts.destination_base import content_of, everything, started, store
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions, renaming
from syncengine_plugins.destinations.filesystem.libc import LIBC

_FATAL = {
    errno.ENOSPC: "is full",
    errno.EDQUOT: "is full",
    errno.EROFS: "read-only",
    errno.EIO: "read or write error",
    errno.ESTALE: "went away",
    errno.ENOTCONN: "went away",
    errno.ENODEV: "went away",
    errno.ETIMEDOUT: "went away",
    errno.EMFILE: "ulimit",
}
_ONE_ITEM = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EACCES, errno.EPERM, errno.EFBIG, errno.EBUSY)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def destination(root: Path) -> Iterator[FilesystemDestination]:
    made = FilesystemDestination(FilesystemOptions(path=str(root)))
    made.open()
    store(made, "photos/kept.jpg", b"kept")
    yield made
    made.close()


def _fail(monkeypatch: pytest.MonkeyPatch, call: str, code: int) -> None:
    """Make one system call fail, always."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    def renameat2(*_: Any) -> int:
        renaming.ctypes.set_errno(code)
        return -1

    real = os.open

    def open_file(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(code, os.strerror(code))
        return real(path, flags, *args, **kwargs)

    if call == "renameat2":
        monkeypatch.setattr(renaming, "LIBC", LIBC._replace(renameat2=renameat2))
    else:
        monkeypatch.setattr(os, call, {"open": open_file}.get(call, fail))


def _close_and_fail(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Make ``close`` of a written file fail, as NFS does when the server is full."""
    real = os.close

    def close(fd: int) -> None:
        written = os.readlink(f"/proc/self/fd/{fd}").find("/.upload-") >= 0
        real(fd)
        if written:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "close", close)


def _reason(error: FatalError) -> str:
    return f"{error.reason} {error.advice}"


@pytest.mark.parametrize("code", _FATAL, ids=errno.errorcode.get)
@pytest.mark.parametrize("call", ["open", "write", "mkdir", "renameat2"])
def test_what_ends_the_run_says_why_and_leaves_nothing_half(
    destination: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    with monkeypatch.context() as broken:
        _fail(broken, call, code)
        with pytest.raises(FatalError) as caught:
            store(destination, "photos/2019/new.jpg", b"new")
    assert _FATAL[code] in _reason(caught.value)
    assert caught.value.advice
    if code != errno.EMFILE:
        assert str(root) in caught.value.reason
    assert everything(destination) == {"photos/kept.jpg": b"kept"}
    store(destination, "photos/2019/new.jpg", b"new")
    assert content_of(destination, "photos/2019/new.jpg") == b"new"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO], ids=errno.errorcode.get)
def test_an_error_that_comes_with_close_is_seen_before_the_file_has_its_name(
    destination: FilesystemDestination, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    upload = started(destination, "photos/new.jpg")
    with monkeypatch.context() as broken:
        _close_and_fail(broken, code)
        with pytest.raises(FatalError):
            upload.commit()
    assert everything(destination) == {"photos/kept.jpg": b"kept"}
    staging = destination.staging()
    assert staging is not None
    assert list(staging.iterdir()) == []


@pytest.mark.parametrize("code", _ONE_ITEM, ids=errno.errorcode.get)
def test_what_concerns_one_item_fails_one_item(
    destination: FilesystemDestination, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    with monkeypatch.context() as broken:
        _fail(broken, "renameat2", code)
        with pytest.raises(ItemError, match=r"photos/new\.jpg"):
            store(destination, "photos/new.jpg")
    store(destination, "photos/new.jpg")
    assert set(everything(destination)) == {"photos/kept.jpg", "photos/new.jpg"}


_USES: dict[str, Callable[[FilesystemDestination], Any]] = {
    "stat": lambda destination: destination.stat("photos/kept.jpg"),
    "read": lambda destination: destination.read("photos/kept.jpg").close(),
    "list": lambda destination: list(destination.list("")),
    "missing": lambda destination: destination.missing(["photos/kept.jpg", "photos/none.jpg"]),
    "link": lambda destination: destination.link("photos/kept.jpg", "albums/a.jpg", kind="hardlink"),
    "move": lambda destination: destination.move("photos/kept.jpg", "photos/moved.jpg"),
    "remove": lambda destination: destination.remove("photos/kept.jpg"),
    "begin": lambda destination: started(destination, "photos/new.jpg"),
    "free_space": lambda destination: destination.free_space(),
}


@pytest.mark.parametrize("use", _USES)
def test_an_unreadable_disk_is_never_an_answer(
    destination: FilesystemDestination, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    with monkeypatch.context() as broken:
        for call in ("stat", "lstat", "open", "scandir", "link", "unlink", "rename", "fstatvfs"):
            _fail_always(broken, call, errno.EIO)
        with pytest.raises(FatalError):
            _USES[use](destination)
    assert everything(destination) == {"photos/kept.jpg": b"kept"}


def _fail_always(monkeypatch: pytest.MonkeyPatch, call: str, code: int) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)


@pytest.mark.parametrize("use", ["missing", "flush", "stat of nothing", "read of nothing", "list of nothing", "begin"])
def test_a_root_that_went_away_ends_the_run(destination: FilesystemDestination, root: Path, use: str) -> None:
    uses: dict[str, Callable[[], Any]] = {
        "missing": lambda: destination.missing(["photos/none.jpg"]),
        "flush": destination.flush,
        "stat of nothing": lambda: destination.stat("photos/none.jpg"),
        "read of nothing": lambda: destination.read("photos/none.jpg"),
        "list of nothing": lambda: list(destination.list("none")),
        "begin": lambda: destination.begin("photos/new.jpg"),
    }
    root.rename(root.with_name("unplugged"))
    with pytest.raises(FatalError, match="went away") as caught:
        uses[use]()
    assert str(root) in caught.value.reason


def test_another_disk_in_the_same_place_is_not_taken_for_it(destination: FilesystemDestination, root: Path) -> None:
    store(destination, "photos/new.jpg")
    root.rename(root.with_name("unplugged"))
    root.mkdir()
    with pytest.raises(FatalError, match="another directory"):
        destination.flush()
    assert list(root.iterdir()) == []


def test_the_temporary_directory_of_the_run_was_removed(destination: FilesystemDestination) -> None:
    staging = destination.staging()
    assert staging is not None
    staging.rmdir()
    with pytest.raises(FatalError, match="was removed during the run"):
        destination.begin("photos/new.jpg")


def test_a_staged_file_that_is_not_there_is_one_item(destination: FilesystemDestination, tmp_path: Path) -> None:
    with pytest.raises(ItemError):
        destination.place(tmp_path / "none", "photos/new.jpg", mtime=1e9)
    with pytest.raises(ItemError):
        destination.place(tmp_path / "none", "photos/new.jpg")


def test_a_part_of_the_tree_on_another_file_system_is_named(
    destination: FilesystemDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = destination.staging()
    assert staging is not None
    (staging / "staged").write_bytes(b"staged")
    _fail(monkeypatch, "renameat2", errno.EXDEV)
    with pytest.raises(FatalError, match="photos/2019 is on another file system"):
        destination.place(staging / "staged", "photos/2019/new.jpg")
    with pytest.raises(FatalError, match="photos/2019 is on another file system"):
        store(destination, "photos/2019/new.jpg")
    assert (staging / "staged").read_bytes() == b"staged"


# --- the same with real mounts, in a user namespace of their own ------------------------------------------------

_DRIVER = """
import json, os, subprocess, sys
from pathlib import Path
from syncengine.api import FatalError
from syncengine.testing.contracts.destination_base import everything, store
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions

root, trouble = Path(sys.argv[1]), sys.argv[2]
run = lambda *command: subprocess.run(command, check=True)
run("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(root))
destination = FilesystemDestination(FilesystemOptions(path=str(root)))
destination.open()
done = 0
try:
    store(destination, "photos/0.jpg", bytes(30_000))
    destination.flush()
    if trouble == "read-only":
        destination.close()
        run("mount", "-o", "remount,ro", str(root))
        destination.open()
    elif trouble == "unmounted":
        run("umount", "-l", str(root))
    elif trouble == "nested":
        (root / "photos/2019").mkdir()
        run("mount", "-t", "tmpfs", "tmpfs", str(root / "photos/2019"))
    for number in range(1, 100):
        store(destination, f"photos/{2019 if trouble == 'nested' else 'all'}/{number}.jpg", bytes(30_000))
        destination.flush()
        done = number
    print(json.dumps({"error": "nothing happened"}))
except FatalError as error:
    left = everything(destination) if trouble == "full" else {}
    print(json.dumps({
        "error": f"{error.reason} {error.advice}", "done": done, "left": {k: len(v) for k, v in left.items()},
    }))
destination.close()
"""


def _can_mount() -> bool:
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not _can_mount(), reason="no user namespaces here; the tests above inject the same errors")
@pytest.mark.parametrize(
    ("trouble", "match"),
    [
        ("full", "is full"),
        ("read-only", "read-only"),
        ("unmounted", "went away"),
        ("nested", "on another file system"),
    ],
)
def test_real_trouble(tmp_path: Path, trouble: str, match: str) -> None:
    root = tmp_path / "mount"
    root.mkdir()
    command = ["unshare", "-rm", sys.executable, "-c", _DRIVER, str(root), trouble]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    said = json.loads(done.stdout)
    assert match in said["error"]
    assert str(root) in said["error"]
    assert set(said["left"].values()) <= {30_000}
    if trouble == "full":
        assert 5 < said["done"] < 17
        assert len(said["left"]) == said["done"] + 1
    assert list(root.iterdir()) == []
