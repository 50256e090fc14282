"""Links that somebody planted inside the root lead nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import ItemError, TargetExistsError
from syncengine_plugins.destinations.filesystem import FilesystemDestination


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    made = tmp_path / "outside"
    made.mkdir()
    (made / "secret.txt").write_bytes(b"secret")
    return made


@pytest.fixture
def planted(root: Path, outside: Path, destination: FilesystemDestination) -> FilesystemDestination:
    (root / "photos").symlink_to(outside)
    (root / "real").mkdir()
    (root / "real/inner").symlink_to("../photos")
    (root / "real/file.jpg").symlink_to(outside / "secret.txt")
    (root / "real/dangling.jpg").symlink_to(outside / "new.jpg")
    return destination


Use = Callable[[FilesystemDestination, str], Any]


def place(destination: FilesystemDestination, path: str) -> None:
    staging = destination.staging()
    assert staging is not None
    (staging / "staged").write_bytes(b"staged")
    destination.place(staging / "staged", path, replace=True)


def linked(destination: FilesystemDestination, path: str) -> None:
    place(destination, "real/own.jpg")
    destination.link("real/own.jpg", path, kind="hardlink")


_USES: dict[str, Use] = {
    "begin": lambda destination, path: destination.begin(path),
    "place": place,
    "stat": lambda destination, path: destination.stat(path),
    "read": lambda destination, path: destination.read(path),
    "list": lambda destination, path: list(destination.list(path.rpartition("/")[0])),
    "link": linked,
    "link from": lambda destination, path: destination.link(path, "real/new.jpg", kind="symlink"),
    "move": lambda destination, path: destination.move(path, "real/new.jpg"),
    "remove": lambda destination, path: destination.remove(path),
    "set_mtime": lambda destination, path: destination.set_mtime(path, 1e9),
}


@pytest.mark.parametrize("use", _USES)
@pytest.mark.parametrize("directory", ["photos", "real/inner"])
def test_no_use_leads_through_a_linked_directory(
    planted: FilesystemDestination, outside: Path, use: str, directory: str
) -> None:
    with pytest.raises(ItemError):
        _USES[use](planted, f"{directory}/secret.txt")
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"secret.txt": b"secret"}


def test_missing_finds_nothing_behind_a_link(planted: FilesystemDestination) -> None:
    paths = ["photos/secret.txt", "real/inner/secret.txt", "real/file.jpg"]
    assert planted.missing(paths) == set(paths)


def test_a_linked_file_is_not_followed(planted: FilesystemDestination, outside: Path) -> None:
    assert planted.stat("real/file.jpg") is None
    with pytest.raises(FileNotFoundError):
        planted.read("real/file.jpg")
    assert list(planted.list("real")) == []
    for path in ("real/file.jpg", "real/dangling.jpg"):
        upload = planted.begin(path)
        upload.write(b"through")
        with pytest.raises(TargetExistsError):
            upload.commit()
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"secret.txt": b"secret"}


def test_replacing_replaces_the_link_itself(planted: FilesystemDestination, root: Path, outside: Path) -> None:
    upload = planted.begin("real/file.jpg")
    upload.write(b"own")
    upload.commit(replace=True)
    assert not (root / "real/file.jpg").is_symlink()
    assert (outside / "secret.txt").read_bytes() == b"secret"


def test_a_directory_swapped_for_a_link_after_it_was_used(
    destination: FilesystemDestination, root: Path, outside: Path
) -> None:
    place(destination, "photos/a.jpg")
    (root / "photos").rename(root / "moved")
    (root / "photos").symlink_to(outside)
    place(destination, "photos/b.jpg")
    assert sorted(path.name for path in outside.iterdir()) == ["secret.txt"]


def test_what_is_no_file_is_never_opened_or_removed(destination: FilesystemDestination, root: Path) -> None:
    (root / "photos").mkdir()
    os.mkfifo(root / "photos/pipe")
    with pytest.raises(FileNotFoundError):
        destination.read("photos/pipe")
    with pytest.raises(ItemError, match="left alone"):
        destination.remove("photos/pipe")
    with pytest.raises(ItemError, match="left alone"):
        destination.move("photos/pipe", "photos/other")
    assert destination.missing(["photos/pipe"]) == {"photos/pipe"}
    assert list(destination.list("")) == []


@pytest.mark.parametrize("path", [".syncengine/tmp", ".syncengine/tmp/x.jpg", ".syncengine/format.json"])
def test_syncengines_own_files_are_not_written(destination: FilesystemDestination, path: str) -> None:
    with pytest.raises(ItemError, match="belongs to syncengine"):
        place(destination, path)
    with pytest.raises(ItemError, match="belongs to syncengine"):
        destination.remove(path)


def test_the_trash_can_be_used_and_is_not_the_library(destination: FilesystemDestination) -> None:
    place(destination, "photos/a.jpg")
    destination.move("photos/a.jpg", ".syncengine/trash/run/photos/a.jpg")
    assert list(destination.list("")) == []
    assert [found.path for found in destination.list(".syncengine/trash")] == [".syncengine/trash/run/photos/a.jpg"]
