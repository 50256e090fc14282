from __future__ import annotations

import ctypes
import errno
import os
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.api import FatalError, ItemError, TargetExistsError
from syncengine_plugins.destinations.filesystem import FilesystemDestination, renaming, walk
from syncengine_plugins.destinations.filesystem.libc import LIBC
from syncengine_plugins.destinations.filesystem.times import set_mtime
from syncengine_plugins.destinations.filesystem.tree import Tree
from tests.unit.plugins.destinations.filesystem.conftest import Store

_PARTS = st.one_of(
    st.sampled_from(["", ".", "..", "photos", "a\\b", "\0", "/", "~", "\ud800", "link", "x" * 300]), st.text(max_size=4)
)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.lists(_PARTS, max_size=5).map("/".join))
def test_no_path_leaves_the_root(destination: FilesystemDestination, root: Path, path: str) -> None:
    outside = root.with_name("outside")
    outside.mkdir(exist_ok=True)
    if not (root / "link").is_symlink():
        (root / "link").symlink_to(outside)
    try:
        upload = destination.begin(path)
        upload.write(b"content")
        upload.commit()
    except (ItemError, TargetExistsError):
        assert list(destination.list("")) == []
    else:
        assert [found.path for found in destination.list("")] == [path]
        assert destination.missing([path]) == set()
        destination.remove(path)
    assert sorted(entry.name for entry in root.parent.iterdir()) == ["backup", "outside"]
    assert list(outside.iterdir()) == []


def test_a_very_deep_path_is_no_recursion(destination: FilesystemDestination) -> None:
    with pytest.raises((ItemError, FatalError)):
        destination.begin("/".join(["d" * 3] * 1500) + "\0")
    path = "/".join(["d"] * 100) + "/a.jpg"
    upload = destination.begin(path)
    upload.commit()
    assert [found.path for found in destination.list("")] == [path]


def test_open_directories_are_bounded(destination: FilesystemDestination, store: Store) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(140):
        store(f"photos/{number}/a.jpg")
    assert len(os.listdir("/proc/self/fd")) - before <= 130
    destination.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_directory_in_use_is_not_closed(root: Path) -> None:
    root.mkdir()
    tree = Tree(str(root))
    held = tree.make("photos")
    for number in range(140):
        tree.make(f"other/{number}")
    tree.forget()
    assert os.fstat(held.fd).st_ino == (root / "photos").stat().st_ino


def test_a_vanished_directory_is_made_again(destination: FilesystemDestination, store: Store, root: Path) -> None:
    store("photos/2019/07/a.jpg")
    destination.flush()
    shutil.rmtree(root / "photos")
    store("photos/2019/07/b.jpg")
    destination.flush()
    assert [found.path for found in destination.list("")] == ["photos/2019/07/b.jpg"]


def test_a_directory_made_again_by_somebody_else_is_found(
    destination: FilesystemDestination, store: Store, root: Path
) -> None:
    store("photos/a.jpg")
    shutil.rmtree(root / "photos")
    (root / "photos").mkdir()
    (root / "photos/b.jpg").write_bytes(b"b")
    assert destination.stat("photos/b.jpg") is not None
    with destination.read("photos/b.jpg") as stream:
        assert stream.read() == b"b"


def test_files_whose_directory_was_moved_away_are_not_called_durable(
    destination: FilesystemDestination, store: Store, root: Path
) -> None:
    store("photos/2019/a.jpg")
    (root / "photos/2019").rename(root / "elsewhere")
    with pytest.raises(FatalError, match="moved or replaced"):
        destination.flush()


@pytest.mark.parametrize("mtime", [0.0, -0.25, -86_400.5, 1_562_163_725.123, 1_700_000_000.999999])
def test_mtime_is_kept_to_the_microsecond(tmp_path: Path, mtime: float) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    set_mtime(str(path), mtime)
    assert path.stat().st_mtime == mtime


@pytest.mark.parametrize(
    ("mtime", "wanted"),
    [(float("inf"), 2**31 - 1), (float("-inf"), 0), (1e300, 2**31 - 1), (-1e300, 0)],
)
def test_mtime_out_of_all_range_is_brought_to_its_end(tmp_path: Path, mtime: float, wanted: int) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    set_mtime(str(path), mtime)
    assert path.stat().st_mtime == wanted


def test_a_time_that_is_no_number_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    os.utime(path, (1e9, 1e9))
    set_mtime(str(path), float("nan"))
    assert path.stat().st_mtime == 1e9


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EPERM, errno.EOVERFLOW])
def test_a_file_system_that_refuses_times_costs_no_file(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    tried: list[int] = []

    def refuse(file: Any, *, ns: tuple[int, int]) -> None:
        tried.append(ns[1])
        raise OSError(code, "no such time")

    monkeypatch.setattr(os, "utime", refuse)
    store("photos/a.jpg")
    assert (root / "photos/a.jpg").read_bytes() == b"content"
    assert len(tried) == 2


def test_a_lost_file_is_no_refused_time(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        set_mtime(str(tmp_path / "none"), 1e9)


def test_a_listing_in_nfd_is_handed_out_in_nfc(root: Path) -> None:
    root.mkdir()
    name = "Été.jpg"
    (root / unicodedata.normalize("NFD", name)).touch()
    tree = Tree(str(root))
    assert [found.path for found in walk.walk(tree, "", compose=False)] == [unicodedata.normalize("NFD", name)]
    # Here NFC does not find it, so it is not yielded; where a file system composes, both find it.
    assert list(walk.walk(tree, "", compose=True)) == []


def test_walking_leaves_out_what_vanishes_meanwhile(
    destination: FilesystemDestination, store: Store, root: Path
) -> None:
    for name in ("a", "b", "c"):
        store(f"photos/{name}/1.jpg")
    found = destination.list("photos")
    assert next(found).path == "photos/a/1.jpg"
    shutil.rmtree(root / "photos/b")
    assert [rest.path for rest in found] == ["photos/c/1.jpg"]


def test_a_directory_that_cannot_be_read_is_not_left_out_silently(
    destination: FilesystemDestination, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store("photos/a.jpg")

    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ItemError, match="no permission"):
        list(destination.list(""))


def test_links_are_relative_and_survive_a_move_of_the_root(
    destination: FilesystemDestination, store: Store, root: Path
) -> None:
    store("photos/2019/07/a.jpg")
    destination.link("photos/2019/07/a.jpg", "albums/Rome/a.jpg", kind="symlink")
    destination.link("photos/2019/07/a.jpg", "top.jpg", kind="symlink")
    destination.link("photos/2019/07/a.jpg", "photos/2019/b.jpg", kind="symlink")
    assert os.readlink(root / "albums/Rome/a.jpg") == "../../photos/2019/07/a.jpg"
    assert os.readlink(root / "top.jpg") == "photos/2019/07/a.jpg"
    assert os.readlink(root / "photos/2019/b.jpg") == "07/a.jpg"
    moved = root.rename(root.with_name("moved"))
    assert (moved / "albums/Rome/a.jpg").read_bytes() == b"content"


@pytest.mark.parametrize("code", [errno.EMLINK, errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP])
def test_a_link_too_many_is_an_item_error(
    destination: FilesystemDestination, store: Store, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    store("photos/a.jpg")

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "symlink", refuse)
    for kind in ("hardlink", "symlink"):
        with pytest.raises(ItemError, match="no link"):
            destination.link("photos/a.jpg", "albums/a.jpg", kind=kind)  # type: ignore[arg-type]  # one of the two


def test_links_need_something_to_link_to(destination: FilesystemDestination, root: Path) -> None:
    (root / "photos").mkdir()
    with pytest.raises(ItemError, match="not there"):
        destination.link("photos/none.jpg", "albums/a.jpg", kind="symlink")
    with pytest.raises(ItemError, match="not there"):
        destination.link("photos", "albums/a.jpg", kind="hardlink")


def test_a_file_of_the_same_name_and_content_is_no_link(destination: FilesystemDestination, store: Store) -> None:
    store("photos/a.jpg")
    store("albums/a.jpg")
    with pytest.raises(TargetExistsError):
        destination.link("photos/a.jpg", "albums/a.jpg", kind="hardlink")


def test_writing_the_rest_of_a_short_write(store: Store, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    store("photos/a.jpg", b"0123456789")
    assert (root / "photos/a.jpg").read_bytes() == b"0123456789"


def test_a_file_from_another_file_system_is_copied(
    destination: FilesystemDestination, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LIBC.renameat2 is not None
    real = LIBC.renameat2

    def across(source_dir: int, source: bytes, target_dir: int, target: bytes, flags: int) -> int:
        if b"/.syncengine/" in source:
            return real(source_dir, source, target_dir, target, flags)
        ctypes.set_errno(errno.EXDEV)
        return -1

    monkeypatch.setattr(renaming, "LIBC", LIBC._replace(renameat2=across))
    destination._here.places.tree.root.identity = (0, 0)
    staged = tmp_path / "elsewhere.jpg"
    staged.write_bytes(b"from elsewhere")
    destination.place(staged, "photos/a.jpg", mtime=1e9)
    assert not staged.exists()
    assert (root / "photos/a.jpg").read_bytes() == b"from elsewhere"
    assert (root / "photos/a.jpg").stat().st_mtime == 1e9
    staged.write_bytes(b"second")
    with pytest.raises(TargetExistsError):
        destination.place(staged, "photos/a.jpg")
    assert staged.read_bytes() == b"second"


def test_setting_a_time_keeps_hard_links_together(destination: FilesystemDestination, store: Store, root: Path) -> None:
    store("photos/a.jpg")
    destination.link("photos/a.jpg", "albums/a.jpg", kind="hardlink")
    destination.set_mtime("photos/a.jpg", 1.2e9)
    assert (root / "albums/a.jpg").stat().st_mtime == 1.2e9
    assert (root / "albums/a.jpg").samefile(root / "photos/a.jpg")
    destination.link("photos/a.jpg", "albums/link.jpg", kind="symlink")
    with pytest.raises(FileNotFoundError):
        destination.set_mtime("albums/link.jpg", 1e9)
    assert (root / "photos/a.jpg").stat().st_mtime == 1.2e9
