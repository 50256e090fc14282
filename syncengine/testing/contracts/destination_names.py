# ruff: noqa: D102  (a test's name is its sentence)
"""Names: none leads out of the root, and every safe one can be used."""

from __future__ import annotations

import contextlib
import unicodedata
from pathlib import Path

import pytest

from syncengine.api import ItemError, TargetExistsError
from syncengine.testing.contracts.destination_base import (
    AnyDestination,
    DestinationSuite,
    content_of,
    everything,
    started,
    store,
)
from syncengine.testing.promises import kept, raises, same

#: Paths that no destination may follow.
ESCAPES = (
    "",
    "/",
    "/etc/passwd",
    "/outside.jpg",
    "..",
    "../outside.jpg",
    "photos/../../outside.jpg",
    "photos/..",
    "photos/../outside.jpg",
    "photos/./a.jpg",
    ".",
    "photos//a.jpg",
    "photos/",
    "photos/a\0.jpg",
    "..\\outside.jpg",
    "photos\\..\\..\\outside.jpg",
)

#: Names that are safe by the product's rules, and still hard.
HARD_NAMES = (
    "IMG 0001 (1).jpg",
    unicodedata.normalize("NFC", "Ångström été.jpg"),
    "写真.jpg",
    "👩‍👩‍👧.jpg",
    ".hidden.jpg",
    "'quotes' & $dollars; `ticks`.jpg",
    "%41.jpg",
    "-rf.jpg",
    "~.jpg",
    "a" * 251 + ".jpg",
    "é" * 120 + ".jpg",
)

_PROMISE = "a path that leaves the root is refused with ItemError"


class NamePromises(DestinationSuite):
    """Promises about paths."""

    @pytest.mark.parametrize("path", ESCAPES)
    def test_writing_does_not_leave_the_root(self, destination: AnyDestination, tmp_path: Path, path: str) -> None:
        staged = (destination.staging() or tmp_path) / "staged.bin"
        staged.write_bytes(b"staged")
        before = _outside(tmp_path)
        with raises(_PROMISE, ItemError):
            started(destination, path).commit(replace=True)
        with raises(_PROMISE, ItemError):
            destination.place(staged, path, replace=True)
        same("a refused file is kept", staged.read_bytes(), b"staged")
        same("nothing was stored", everything(destination), {})
        same("nothing was written outside", _outside(tmp_path), before)

    @pytest.mark.parametrize("path", ESCAPES)
    def test_looking_does_not_leave_the_root(self, destination: AnyDestination, path: str) -> None:
        store(destination, "photos/a.jpg")
        with raises(_PROMISE, ItemError):
            destination.stat(path)
        with raises(_PROMISE, ItemError):
            destination.read(path).close()
        if path:
            with raises(_PROMISE, ItemError):
                list(destination.list(path))
        # One path must not hide the answer on the others, so a destination may call it missing instead.
        with contextlib.suppress(ItemError):
            same("nothing outside of the root is there", destination.missing([path]), {path})

    @pytest.mark.parametrize("path", ESCAPES)
    def test_changing_does_not_leave_the_root(self, destination: AnyDestination, path: str) -> None:
        store(destination, "photos/a.jpg")
        with raises(_PROMISE, ItemError):
            destination.move("photos/a.jpg", path)
        with raises(_PROMISE, ItemError):
            destination.move(path, "photos/b.jpg")
        with raises(_PROMISE, ItemError):
            destination.remove(path)
        with raises(_PROMISE, ItemError):
            destination.set_mtime(path, 1e9)
        with raises(_PROMISE, ItemError):
            destination.link("photos/a.jpg", path, kind="symlink")
        with raises(_PROMISE, ItemError):
            destination.link(path, "photos/b.jpg", kind="symlink")
        same("nothing was changed", everything(destination), {"photos/a.jpg": b"content"})

    @pytest.mark.parametrize("name", HARD_NAMES)
    def test_every_safe_name_can_be_used(self, destination: AnyDestination, name: str) -> None:
        path = f"photos/Été 2019 à Rome/{name}"
        store(destination, path, b"named")
        same("read finds it by name", content_of(destination, path), b"named")
        same("list names it as it was named", [found.path for found in destination.list("photos")], [path])
        same("missing finds it by name", destination.missing([path]), set())

    def test_case_is_as_the_capabilities_say(self, destination: AnyDestination) -> None:
        store(destination, "photos/a.jpg", b"lower")
        upload = started(destination, "photos/A.JPG", b"upper")
        if destination.capabilities.case_sensitive:
            upload.commit()
            wanted = {"photos/A.JPG": b"upper", "photos/a.jpg": b"lower"}
        else:
            with raises("a name that differs by case only is taken", TargetExistsError):
                upload.commit()
            wanted = {"photos/a.jpg": b"lower"}
            same("missing finds it in any case", destination.missing(["photos/A.JPG"]), set())
        same("neither is lost", everything(destination), wanted)

    def test_a_file_is_no_directory(self, destination: AnyDestination) -> None:
        store(destination, "photos/a.jpg")
        with raises("a file is not written through", ItemError):
            started(destination, "photos/a.jpg/b.jpg").commit()
        same("the file is untouched", everything(destination), {"photos/a.jpg": b"content"})

    def test_a_directory_is_no_file(self, destination: AnyDestination) -> None:
        store(destination, "photos/2019/a.jpg")
        with raises("a directory is not replaced", TargetExistsError, ItemError):
            started(destination, "photos/2019").commit()
        same("stat sees files only", destination.stat("photos/2019"), None)
        with raises("read opens files only", FileNotFoundError):
            destination.read("photos/2019").close()
        with raises("remove removes files only", FileNotFoundError, ItemError):
            destination.remove("photos/2019")
        kept("missing counts files only", destination.missing(["photos/2019"]) == {"photos/2019"})
        same("what is in it is untouched", everything(destination), {"photos/2019/a.jpg": b"content"})


def _outside(tmp_path: Path) -> set[str]:
    """Return what is beside the test's own directory; the destination itself is below it."""
    return {path.name for path in tmp_path.parent.iterdir()}
