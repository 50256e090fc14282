# ruff: noqa: D102  (a test's name is its sentence)
"""Finding, moving and removing files."""

from __future__ import annotations

from pathlib import Path

from syncengine.api import FileStat, TargetExistsError
from syncengine.testing.contracts.destination_base import (
    AnyDestination,
    DestinationSuite,
    content_of,
    everything,
    store,
)
from syncengine.testing.promises import kept, raises, same

_FILES = (
    "albums/Rome/b.jpg",
    "photos/2019/06/z.jpg",
    "photos/2019/07/a.jpg",
    "photos/2019/07/b.jpg",
    "photos/2019/c.jpg",
    "photos/20/d.jpg",
    "photos/20.jpg",
    "top.txt",
)


class LookingPromises(DestinationSuite):
    """Promises of ``stat``, ``list``, ``missing``, ``read``, ``move``, ``remove``, ``prune``."""

    def test_stat_says_what_is_there(self, destination: AnyDestination) -> None:
        same("stat returns None where nothing is", destination.stat("photos/none.jpg"), None)
        store(destination, "photos/a.jpg", b"12345", mtime=1e9)
        found = destination.stat("photos/a.jpg")
        kept("stat returns a FileStat", isinstance(found, FileStat))
        same("stat returns path and size", (found.path, found.size) if found else None, ("photos/a.jpg", 5))

    def test_list_yields_every_file_below_a_directory(self, destination: AnyDestination) -> None:
        for path in reversed(_FILES):
            store(destination, path, path.encode())
        listed = [found.path for found in destination.list("")]
        same("list yields every file once", sorted(listed), sorted(_FILES))
        for prefix in ("photos/2019", "photos/20", "photos"):
            listed = [found.path for found in destination.list(prefix)]
            wanted = [path for path in _FILES if path.startswith(f"{prefix}/")]
            same("a prefix is a directory", sorted(listed), sorted(wanted))
        same("list yields nothing where nothing is", list(destination.list("photos/none")), [])
        for found in destination.list(""):
            same("list and stat agree", found, destination.stat(found.path))

    def test_list_is_sorted_within_each_directory(self, destination: AnyDestination) -> None:
        for path in reversed(_FILES):
            store(destination, path)
        by_directory: dict[str, list[str]] = {}
        for found in destination.list(""):
            directory, _, name = found.path.rpartition("/")
            by_directory.setdefault(directory, []).append(name)
        for directory, names in by_directory.items():
            same(f"list is sorted within {directory!r}", names, sorted(names))

    def test_list_order_is_the_same_every_time(self, destination: AnyDestination) -> None:
        for path in _FILES:
            store(destination, path)
        same("list is stable", list(destination.list("")), list(destination.list("")))

    def test_missing_returns_those_without_a_file(self, destination: AnyDestination) -> None:
        for path in _FILES:
            store(destination, path)
        absent = {f"{path}.none" for path in _FILES} | {"photos/1999/a.jpg", "none/none.jpg"}
        same("nothing is missing of nothing", destination.missing([]), set())
        same("missing takes an iterator", destination.missing(iter(_FILES)), set())
        same("missing returns those without a file", destination.missing([*_FILES, *absent]), absent)
        same("twice makes no difference", destination.missing([*_FILES, *absent, *_FILES, *absent]), absent)

    def test_missing_sees_what_this_run_changed(self, destination: AnyDestination) -> None:
        paths = [f"photos/{number}.jpg" for number in range(20)]
        for path in paths[:-1]:
            store(destination, path)
        same("one is missing", destination.missing(paths), {paths[-1]})
        store(destination, paths[-1])
        same("a stored file is not missing any more", destination.missing(paths), set())
        destination.remove(paths[0])
        same("a removed file is missing", destination.missing(paths), {paths[0]})
        destination.move(paths[1], "elsewhere/1.jpg")
        same("a moved file is missing", destination.missing([*paths, "elsewhere/1.jpg"]), {paths[0], paths[1]})

    def test_missing_of_many_directories(self, destination: AnyDestination) -> None:
        paths = [f"photos/{number % 50}/{number}.jpg" for number in range(200)]
        for path in paths[::2]:
            store(destination, path)
        same("missing is right over many directories", destination.missing(paths), set(paths[1::2]))

    def test_read_finds_nothing_where_nothing_is(self, destination: AnyDestination) -> None:
        store(destination, "photos/a.jpg")
        with raises("read raises FileNotFoundError", FileNotFoundError):
            destination.read("photos/none.jpg").close()

    def test_two_readers_do_not_disturb_each_other(self, destination: AnyDestination) -> None:
        store(destination, "photos/a.jpg", b"0123456789")
        with destination.read("photos/a.jpg") as first, destination.read("photos/a.jpg") as second:
            same("the first reads from the start", first.read(4), b"0123")
            same("the second reads from the start", second.read(), b"0123456789")
            same("the first goes on", first.read(), b"456789")

    def test_move_renames(self, destination: AnyDestination) -> None:
        store(destination, "photos/a.jpg", b"moved", mtime=1e9)
        before = destination.stat("photos/a.jpg")
        destination.move("photos/a.jpg", "archive/2019/b.jpg")
        same("move takes the old name away", everything(destination), {"archive/2019/b.jpg": b"moved"})
        after = destination.stat("archive/2019/b.jpg")
        same("move keeps mtime", after.mtime if after else None, before.mtime if before else None)

    def test_move_never_replaces(self, destination: AnyDestination) -> None:
        store(destination, "photos/a.jpg", b"a")
        store(destination, "photos/b.jpg", b"b")
        with raises("move raises TargetExistsError when a file is there", TargetExistsError):
            destination.move("photos/a.jpg", "photos/b.jpg")
        with raises("move raises FileNotFoundError when nothing is there", FileNotFoundError):
            destination.move("photos/none.jpg", "photos/c.jpg")
        same("nothing was changed", everything(destination), {"photos/a.jpg": b"a", "photos/b.jpg": b"b"})

    def test_remove_removes_one_file(self, destination: AnyDestination) -> None:
        store(destination, "photos/a.jpg", b"a")
        store(destination, "photos/b.jpg", b"b")
        destination.remove("photos/a.jpg")
        same("remove removes one file", everything(destination), {"photos/b.jpg": b"b"})
        with raises("remove raises FileNotFoundError when nothing is there", FileNotFoundError):
            destination.remove("photos/a.jpg")
        store(destination, "photos/a.jpg", b"again")
        same("the name is free again", content_of(destination, "photos/a.jpg"), b"again")

    def test_prune_removes_what_is_empty(self, destination: AnyDestination) -> None:
        for path in ("photos/2019/07/a.jpg", "photos/2020/01/b.jpg", "photos/2020/c.jpg"):
            store(destination, path, path.encode())
        kept_files = everything(destination)
        for path in ("photos/2019/07/a.jpg", "photos/2020/01/none.jpg", "photos/none/none.jpg", "photos/x.jpg", "x"):
            destination.prune(path)
        same("prune removes no file", everything(destination), kept_files)
        destination.remove("photos/2019/07/a.jpg")
        destination.prune("photos/2019/07/a.jpg")
        destination.flush()
        store(destination, "photos/2019/07/again.jpg", b"again")
        destination.flush()
        same("a pruned directory is made again", content_of(destination, "photos/2019/07/again.jpg"), b"again")
        same("missing sees it", destination.missing(["photos/2019/07/again.jpg"]), set())
        same("list sees it", [found.path for found in destination.list("photos/2019")], ["photos/2019/07/again.jpg"])

    def test_prune_is_right_for_every_user(self, destination: AnyDestination, tmp_path: Path) -> None:
        other = self.make(tmp_path)
        other.open()
        try:
            store(other, "photos/2019/a.jpg", b"a")
            other.flush()
            destination.remove("photos/2019/a.jpg")
            destination.prune("photos/2019/a.jpg")
            store(destination, "photos/2019/b.jpg", b"b")
            same(
                "list sees what came since", [found.path for found in other.list("photos/2019")], ["photos/2019/b.jpg"]
            )
            store(other, "photos/2019/c.jpg", b"c")
            same("nothing is lost", everything(destination), {"photos/2019/b.jpg": b"b", "photos/2019/c.jpg": b"c"})
            other.flush()
        finally:
            other.close()
