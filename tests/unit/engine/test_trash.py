"""Moving files into the trash."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from syncengine.api import ItemError
from syncengine.engine.trash import ENTRIES, Trash
from syncengine.testing.contracts.destination_base import everything, store
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions

_HELD = ".syncengine/trash/run-1"


@pytest.fixture
def destination() -> MemoryDestination:
    made = MemoryDestination(MemoryDestinationOptions())
    made.open()
    return made


def test_a_file_moves_to_the_trash_of_its_run(destination: MemoryDestination) -> None:
    store(destination, "photos/2019/a.jpg", b"a", mtime=1e9)
    assert Trash(destination, "run-1").put("photos/2019/a.jpg") == f"{_HELD}/photos/2019/a.jpg"
    assert everything(destination) == {f"{_HELD}/photos/2019/a.jpg": b"a"}
    found = destination.stat(f"{_HELD}/photos/2019/a.jpg")
    assert found is not None
    assert found.mtime == 1e9


def test_a_second_file_of_that_path_gets_a_number(destination: MemoryDestination) -> None:
    trash = Trash(destination, "run-1")
    places = []
    for content in (b"first", b"second", b"third"):
        store(destination, "photos/a.jpg", content)
        places.append(trash.put("photos/a.jpg"))
    assert places == [f"{_HELD}/photos/a.jpg", f"{_HELD}/photos/a~2.jpg", f"{_HELD}/photos/a~3.jpg"]
    assert sorted(everything(destination).values()) == [b"first", b"second", b"third"]


def test_what_is_not_there_cannot_be_moved(destination: MemoryDestination) -> None:
    with pytest.raises(FileNotFoundError):
        Trash(destination, "run-1").put("photos/a.jpg")


def test_the_name_of_the_entries_stays_free(destination: MemoryDestination) -> None:
    store(destination, ENTRIES, b"a photo by that name")
    assert Trash(destination, "run-1").put(ENTRIES) == f"{_HELD}/entries~2.jsonl"


def test_a_long_name_is_cut_for_its_number(destination: MemoryDestination) -> None:
    trash, path = Trash(destination, "run-1"), f"photos/{'n' * 251}.jpg"
    for content in (b"first", b"second"):
        store(destination, path, content)
        name = trash.put(path).rpartition("/")[2]
    assert name == f"{'n' * 249}~2.jpg"


def test_a_link_in_place_of_the_trash_is_not_followed(tmp_path: Path) -> None:
    with closing(FilesystemDestination(FilesystemOptions(path=str(tmp_path / "backup")))) as made:
        made.open()
        store(made, "photos/a.jpg", b"a")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "backup/.syncengine/trash").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(ItemError):
            Trash(made, "run-1").put("photos/a.jpg")
        assert everything(made) == {"photos/a.jpg": b"a"}
        assert not list((tmp_path / "elsewhere").iterdir())
