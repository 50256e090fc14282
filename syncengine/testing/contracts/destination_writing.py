# ruff: noqa: D102  (a test's name is its sentence)
"""Uploads and placing: whole or absent, and never over another file."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from syncengine.api import TargetExistsError
from syncengine.testing.contracts.destination_base import (
    AnyDestination,
    DestinationSuite,
    content_of,
    everything,
    started,
    store,
)
from syncengine.testing.promises import kept, raises, same

_PATH = "photos/2019/07/IMG_0001.jpg"
#: SMB and FAT keep two seconds.
_MTIME_SLACK = 2.0


class WritingPromises(DestinationSuite):
    """Promises of ``begin``, ``Upload`` and ``place``."""

    def test_a_committed_file_is_whole(self, destination: AnyDestination) -> None:
        upload = destination.begin(_PATH)
        same("write returns the length of bytes", upload.write(b"abc"), 3)
        same("write returns the length of a bytearray", upload.write(bytearray(b"de")), 2)
        same("write returns the length of a memoryview", upload.write(memoryview(b"fghi")), 4)
        same("write takes nothing, too", upload.write(b""), 0)
        upload.commit()
        same("the file has what was written", content_of(destination, _PATH), b"abcdefghi")

    @pytest.mark.parametrize("size", [0, 1, 1 << 20, (3 << 20) + 7])
    def test_every_size_is_kept(self, destination: AnyDestination, size: int) -> None:
        content = (bytes(range(256)) * (size // 256 + 1))[:size]
        upload = destination.begin(_PATH)
        for start in range(0, size, 1 << 20):
            upload.write(content[start : start + (1 << 20)])
        upload.commit()
        found = destination.stat(_PATH)
        same("stat says the size", None if found is None else found.size, size)
        kept("the file has what was written", content_of(destination, _PATH) == content)

    @pytest.mark.parametrize("mtime", [1_562_163_725.0, 0.0, 1_700_000_000.5])
    def test_mtime_is_the_given_one(self, destination: AnyDestination, mtime: float) -> None:
        store(destination, _PATH, mtime=mtime)
        found = destination.stat(_PATH)
        kept("mtime is kept", found is not None and abs(found.mtime - mtime) <= _MTIME_SLACK)

    def test_another_mtime_can_be_set(self, destination: AnyDestination) -> None:
        store(destination, _PATH, b"of another time", mtime=1e9)
        store(destination, "photos/other.jpg", mtime=1e9)
        destination.set_mtime(_PATH, 1.2e9)
        found, other = destination.stat(_PATH), destination.stat("photos/other.jpg")
        kept("set_mtime sets mtime", found is not None and abs(found.mtime - 1.2e9) <= _MTIME_SLACK)
        kept("of that file alone", other is not None and abs(other.mtime - 1e9) <= _MTIME_SLACK)
        same("set_mtime leaves the content", content_of(destination, _PATH), b"of another time")
        with raises("set_mtime raises FileNotFoundError when nothing is there", FileNotFoundError):
            destination.set_mtime("photos/none.jpg", 1e9)
        same("nothing else is there", len(everything(destination)), 2)

    @pytest.mark.parametrize("mtime", [-1.5, -2_208_988_800.0, 4e9, 1e11, 1e18, -1e18])
    def test_no_time_fails_a_file(self, destination: AnyDestination, mtime: float) -> None:
        store(destination, _PATH, b"of another age", mtime=mtime)
        same("a time that cannot be kept costs no file", content_of(destination, _PATH), b"of another age")

    def test_nothing_is_visible_before_commit(self, destination: AnyDestination) -> None:
        upload = started(destination, _PATH)
        same("stat sees nothing before commit", destination.stat(_PATH), None)
        same("list sees nothing before commit", list(destination.list("")), [])
        same("missing sees nothing before commit", destination.missing([_PATH]), {_PATH})
        with raises("read finds nothing before commit", FileNotFoundError):
            destination.read(_PATH).close()
        upload.abort()

    def test_abort_leaves_nothing(self, destination: AnyDestination) -> None:
        upload = started(destination, _PATH)
        upload.abort()
        upload.abort()
        same("abort leaves nothing", list(destination.list("")), [])
        staging = destination.staging()
        if staging is not None:
            same("abort leaves no temporary file", sorted(staging.iterdir()), [])
        store(destination, _PATH, b"second try")
        same("the name is free after abort", content_of(destination, _PATH), b"second try")

    def test_abort_after_commit_does_nothing(self, destination: AnyDestination) -> None:
        upload = started(destination, _PATH)
        upload.commit()
        upload.abort()
        same("abort after commit does nothing", content_of(destination, _PATH), b"content")

    def test_commit_never_replaces(self, destination: AnyDestination) -> None:
        store(destination, _PATH, b"first")
        upload = started(destination, _PATH, b"second")
        try:
            upload.commit()
        except TargetExistsError as error:
            same("TargetExistsError names the path", error.path, _PATH)
        else:
            kept("commit raises TargetExistsError when a file is there", holds=False)
        upload.abort()
        same("the file that was there is untouched", everything(destination), {_PATH: b"first"})

    def test_equal_content_is_no_excuse_for_replacing(self, destination: AnyDestination) -> None:
        store(destination, _PATH, b"equal")
        upload = started(destination, _PATH, b"equal")
        with raises("commit raises TargetExistsError whatever the content", TargetExistsError):
            upload.commit()

    def test_a_name_taken_after_begin_is_taken(self, destination: AnyDestination) -> None:
        late = started(destination, _PATH, b"late")
        store(destination, _PATH, b"early")
        with raises("commit looks when it commits", TargetExistsError):
            late.commit()
        same("the first stays", content_of(destination, _PATH), b"early")

    def test_replace_replaces_the_whole_file(self, destination: AnyDestination) -> None:
        store(destination, _PATH, b"a long first content")
        upload = started(destination, _PATH, b"short")
        same("the old one is there until commit", content_of(destination, _PATH), b"a long first content")
        upload.commit(replace=True)
        same("replace replaces", everything(destination), {_PATH: b"short"})

    def test_replace_needs_nothing_to_replace(self, destination: AnyDestination) -> None:
        started(destination, _PATH).commit(replace=True)
        same("replace stores where nothing was", content_of(destination, _PATH), b"content")

    def test_one_of_many_threads_gets_the_name(self, destination: AnyDestination) -> None:
        contents = [f"thread {number}".encode() * 100 for number in range(8)]
        uploads = [started(destination, _PATH, content) for content in contents]
        barrier = threading.Barrier(len(contents))

        def try_it(number: int) -> bytes | None:
            barrier.wait(30)
            try:
                uploads[number].commit()
            except TargetExistsError:
                return None
            return contents[number]

        with ThreadPoolExecutor(len(contents)) as pool:
            winners = [content for content in pool.map(try_it, range(8)) if content is not None]
        same("exactly one commit wins", len(winners), 1)
        same("the winner's file is whole", everything(destination), {_PATH: winners[0]})

    def test_many_threads_store_many_files(self, destination: AnyDestination) -> None:
        wanted = {f"photos/{n % 3}/{n % 7}/{n}.jpg": f"content {n}".encode() for n in range(120)}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda path: store(destination, path, wanted[path]), wanted))
        same("every file is there", everything(destination), wanted)

    def test_a_placed_file_is_consumed(self, destination: AnyDestination, tmp_path: Path) -> None:
        staged = (destination.staging() or tmp_path) / "staged.bin"
        staged.write_bytes(b"staged")
        destination.place(staged, _PATH, mtime=1e9)
        kept("place consumes the staged file", not staged.exists())
        found = destination.stat(_PATH)
        kept("place keeps mtime", found is not None and abs(found.mtime - 1e9) <= _MTIME_SLACK)
        same("place gives the file its place", everything(destination), {_PATH: b"staged"})

    def test_a_file_from_elsewhere_is_placed(self, destination: AnyDestination, tmp_path: Path) -> None:
        staged = tmp_path / "elsewhere.bin"
        staged.write_bytes(b"elsewhere")
        destination.place(staged, _PATH)
        kept("place consumes the file", not staged.exists())
        same("place takes any local file", content_of(destination, _PATH), b"elsewhere")

    def test_placing_never_replaces(self, destination: AnyDestination, tmp_path: Path) -> None:
        store(destination, _PATH, b"first")
        staged = (destination.staging() or tmp_path) / "staged.bin"
        staged.write_bytes(b"second")
        with raises("place raises TargetExistsError when a file is there", TargetExistsError):
            destination.place(staged, _PATH, mtime=1e9)
        same("the staged file is kept", staged.read_bytes(), b"second")
        same("the file that was there is untouched", everything(destination), {_PATH: b"first"})
        destination.place(staged, _PATH, replace=True)
        same("place with replace replaces", everything(destination), {_PATH: b"second"})
