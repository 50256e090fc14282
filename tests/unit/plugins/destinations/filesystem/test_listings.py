from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import FatalError
from syncengine_plugins.destinations.filesystem import FilesystemDestination, listings
from tests.unit.plugins.destinations.filesystem.conftest import Store


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    real = os.scandir

    def scandir(path: Any) -> Any:
        calls.append(path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return calls


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    real = os.stat

    def stat(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        if isinstance(path, str) and not path.startswith("/"):
            calls.append(path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", stat)
    return calls


def fill(root: Path, count: int, directory: str = "photos") -> list[str]:
    (root / directory).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (root / directory / f"{number}.jpg").touch()
    return [f"{directory}/{number}.jpg" for number in range(count)]


def test_one_listing_for_many_paths(
    destination: FilesystemDestination, root: Path, scans: list[Any], stats: list[str]
) -> None:
    paths = fill(root, 100)
    assert destination.missing(paths) == set()
    assert destination.missing(paths) == set()
    assert len(scans) == 1
    assert stats == []


def test_a_few_paths_are_asked_for_one_by_one(
    destination: FilesystemDestination, root: Path, scans: list[Any], stats: list[str]
) -> None:
    paths = fill(root, 100)
    assert destination.missing([*paths[:2], "photos/none.jpg"]) == {"photos/none.jpg"}
    assert scans == []
    assert len(stats) == 3


def test_a_changed_directory_is_listed_again_only_when_that_pays(
    destination: FilesystemDestination, root: Path, store: Store, scans: list[Any], stats: list[str]
) -> None:
    paths = fill(root, 200)
    destination.missing(paths)
    store("photos/new.jpg")
    assert destination.missing(paths[:5]) == set()
    assert (len(scans), len(stats)) == (1, 5)
    assert destination.missing(paths) == set()
    assert (len(scans), len(stats)) == (2, 5)


def test_what_another_program_removed_is_noticed(destination: FilesystemDestination, root: Path) -> None:
    paths = fill(root, 50)
    assert destination.missing(paths) == set()
    os.utime(root / "photos", (1, 1))
    destination.missing(paths)
    (root / paths[7]).unlink()
    assert destination.missing(paths) == {paths[7]}


def test_a_directory_that_was_removed_and_made_again(destination: FilesystemDestination, root: Path) -> None:
    paths = fill(root, 50)
    assert destination.missing(paths) == set()
    shutil.rmtree(root / "photos")
    assert destination.missing(paths) == set(paths)
    fill(root, 10)
    assert destination.missing(paths) == set(paths[10:])


def test_an_enormous_directory_is_not_held_in_memory(
    destination: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch, scans: list[Any]
) -> None:
    monkeypatch.setattr(listings, "_MOST_NAMES", 30)
    monkeypatch.setattr(listings, "_NAMES_PER_STAT", 1)
    paths = fill(root, 100)
    for _ in range(3):
        assert destination.missing([*paths[:20], "photos/x.jpg"]) == {"photos/x.jpg"}
    assert len(scans) == 1


def test_memory_is_bounded_by_names(
    destination: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "_MOST_NAMES", 30)
    paths = [path for number in range(10) for path in fill(root, 10, f"photos/{number}")]
    for _ in range(3):
        assert destination.missing([*paths, "photos/3/x.jpg"]) == {"photos/3/x.jpg"}
    held = destination._here.listings
    assert held._names == sum(listing.count for listing in held._listings.values() if listing.files is not None)
    assert held._names <= 30


def test_memory_is_bounded_by_directories(
    destination: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "_MOST_LISTINGS", 3)
    paths = [path for number in range(10) for path in fill(root, 5, f"photos/{number}")]
    assert destination.missing(paths) == set()
    assert len(destination._here.listings._listings) == 3


def test_many_paths_are_taken_in_chunks(
    destination: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "_CHUNK", 7)
    paths = fill(root, 50)
    taken: list[str] = []

    def wanted() -> Iterator[str]:
        for path in [*paths, "photos/none.jpg"]:
            taken.append(path)
            yield path

    assert destination.missing(wanted()) == {"photos/none.jpg"}
    assert len(taken) == 51


def test_a_listing_in_another_normalisation_is_no_loss(
    destination: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A NAS that lists NFD finds the file by its NFC name all the same."""
    names = [f"été {number}.jpg" for number in range(10)]
    (root / "photos").mkdir()
    for name in names:
        (root / "photos" / name).touch()
    real = listings.Listings._list

    def decomposed(self: Any, *args: Any) -> Any:
        found = real(self, *args)
        assert found is not None
        return frozenset(unicodedata.normalize("NFD", name) for name in found)

    monkeypatch.setattr(listings.Listings, "_list", decomposed)
    paths = [f"photos/{unicodedata.normalize('NFC', name)}" for name in names]
    assert destination.missing([*paths, "photos/none.jpg"]) == {"photos/none.jpg"}


def test_a_file_removed_during_the_listing_is_not_remembered(
    destination: FilesystemDestination, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = fill(root, 20)
    real = os.scandir
    removed: list[str] = []

    def racing(path: Any) -> Any:
        entries = real(path)
        if isinstance(path, int) and not removed:
            found = list(entries)
            entries.close()
            removed.append(paths[3])
            before = os.stat(root / "photos")
            destination.remove(paths[3])
            os.utime(root / "photos", ns=(before.st_atime_ns, before.st_mtime_ns))
            return _Entries(found)
        return entries

    monkeypatch.setattr(os, "scandir", racing)
    destination.missing(paths)
    assert destination.missing(paths) == {paths[3]}


class _Entries:
    def __init__(self, found: list[Any]) -> None:
        self.found = found

    def __enter__(self) -> Iterator[Any]:
        return iter(self.found)

    def __exit__(self, *_: object) -> None:
        return None


def test_a_missing_root_is_not_a_library_of_missing_files(destination: FilesystemDestination, root: Path) -> None:
    paths = fill(root, 10)
    root.rename(root.with_name("unmounted"))
    with pytest.raises(FatalError, match="went away"):
        destination.missing([*paths, "photos/none.jpg"])


def test_paths_that_are_none(destination: FilesystemDestination, root: Path) -> None:
    paths = fill(root, 10)
    bad = [
        "",
        "/",
        "//",
        "/photos/1.jpg",
        "photos//1.jpg",
        "../x",
        "photos/..",
        "photos/.",
        "photos/\ud800.jpg",
        "a\0/b",
    ]
    assert destination.missing([*paths, *bad]) == set(bad)


def test_an_own_change_counts_whatever_the_directorys_time_says(destination: FilesystemDestination, root: Path) -> None:
    paths = fill(root, 50)
    assert destination.missing(paths) == set()
    before = os.stat(root / "photos")
    destination.remove(paths[7])
    os.utime(root / "photos", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert destination.missing(paths) == {paths[7]}
