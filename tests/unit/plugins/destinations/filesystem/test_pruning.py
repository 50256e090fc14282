"""Removing directories that are empty now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.api import ItemError
from syncengine.testing.contracts.destination_base import everything, store
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def destination(root: Path) -> Iterator[FilesystemDestination]:
    made = FilesystemDestination(FilesystemOptions(path=str(root)))
    made.open()
    yield made
    made.close()


def test_empty_directories_go_up_to_the_first_level(destination: FilesystemDestination, root: Path) -> None:
    store(destination, "photos/2019/07/a.jpg")
    destination.remove("photos/2019/07/a.jpg")
    destination.prune("photos/2019/07/a.jpg")
    assert list((root / "photos").iterdir()) == []
    destination.flush()  # Nobody misses what was removed on purpose.


def test_a_directory_that_holds_anything_stays(destination: FilesystemDestination, root: Path) -> None:
    store(destination, "photos/2019/07/a.jpg")
    (root / "photos/2019/.DS_Store").write_bytes(b"")
    destination.remove("photos/2019/07/a.jpg")
    destination.prune("photos/2019/07/a.jpg")
    assert [path.name for path in (root / "photos/2019").iterdir()] == [".DS_Store"]


def test_what_another_removed_is_no_obstacle(destination: FilesystemDestination, root: Path) -> None:
    store(destination, "photos/2019/07/a.jpg")
    destination.flush()
    (root / "photos/2019/07/a.jpg").unlink()
    (root / "photos/2019/07").rmdir()
    destination.prune("photos/2019/07/a.jpg")
    assert list((root / "photos").iterdir()) == []
    store(destination, "photos/2019/07/b.jpg", b"b")
    destination.flush()
    assert everything(destination) == {"photos/2019/07/b.jpg": b"b"}


def test_links_are_not_followed(destination: FilesystemDestination, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere/empty").mkdir(parents=True)
    (root / "photos").mkdir(exist_ok=True)
    (root / "photos/2019").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ItemError):
        destination.prune("photos/2019/empty/a.jpg")
    with pytest.raises(ItemError):
        destination.prune("photos/../../elsewhere/empty/a.jpg")
    assert (tmp_path / "elsewhere/empty").is_dir()
