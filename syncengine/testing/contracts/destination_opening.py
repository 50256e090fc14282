# ruff: noqa: D102  (a test's name is its sentence)
"""Opening, closing, and what a destination says of itself."""

from __future__ import annotations

from pathlib import Path

from syncengine.api import Capabilities, FatalError
from syncengine.testing.contracts.destination_base import AnyDestination, DestinationSuite, content_of, store
from syncengine.testing.promises import kept, raises, same


class OpeningPromises(DestinationSuite):
    """Promises of ``open``, ``close``, ``identity``, ``location``, ``capabilities``, ``staging``, ``free_space``."""

    #: ``False`` where what ``make`` returns is there before it is opened for the first time.
    starts_missing = True

    def test_close_may_be_called_without_open_and_twice(self, tmp_path: Path) -> None:
        destination = self.make(tmp_path)
        destination.close()
        destination.open()
        destination.close()
        destination.close()

    def test_open_makes_nothing_when_it_may_not(self, tmp_path: Path) -> None:
        destination = self.make(tmp_path)
        if self.starts_missing:
            with raises("open(create=False) raises FatalError when the root is missing", FatalError):
                destination.open(create=False)
            with raises("open(create=False) has made nothing", FatalError):
                self.make(tmp_path).open(create=False)
        destination.open()
        destination.close()
        destination = self.make(tmp_path)
        destination.open(create=False)
        destination.close()

    def test_it_says_what_it_is(self, destination: AnyDestination) -> None:
        kept("identity is a text", isinstance(destination.identity, str) and destination.identity != "")
        kept("location is a text", isinstance(destination.location, str) and destination.location != "")
        kept("capabilities are known after open", isinstance(destination.capabilities, Capabilities))

    def test_identity_outlives_the_run(self, tmp_path: Path) -> None:
        first = self.make(tmp_path)
        first.open()
        identity = first.identity
        first.close()
        second = self.make(tmp_path)
        second.open()
        same("identity stays the same", second.identity, identity)
        second.close()

    def test_what_was_stored_is_there_in_the_next_run(self, tmp_path: Path) -> None:
        first = self.make(tmp_path)
        first.open()
        store(first, "photos/a.jpg", b"kept")
        first.flush()
        first.close()
        second = self.make(tmp_path)
        second.open()
        same("a stored file outlives the run", content_of(second, "photos/a.jpg"), b"kept")
        second.close()

    def test_two_runs_see_each_others_files(self, tmp_path: Path, destination: AnyDestination) -> None:
        other = self.make(tmp_path)
        other.open()
        same("both have one identity", other.identity, destination.identity)
        store(destination, "photos/a.jpg", b"one")
        same("a committed file is visible to others", content_of(other, "photos/a.jpg"), b"one")
        other.close()
        store(destination, "photos/b.jpg", b"two")
        same("the other's close takes nothing away", content_of(destination, "photos/b.jpg"), b"two")

    def test_staging_is_an_empty_directory_of_this_run(self, tmp_path: Path) -> None:
        first, second = self.make(tmp_path), self.make(tmp_path)
        first.open()
        second.open()
        mine, theirs = first.staging(), second.staging()
        if mine is not None:
            same("staging is empty at first", sorted(mine.iterdir()), [])
            kept("two runs do not share a staging directory", mine != theirs)
            (mine / "left").write_bytes(b"left over")
            second.close()
            kept("another run's close leaves this run's staging alone", (mine / "left").exists())
            first.close()
            kept("close removes this run's temporary files", not mine.exists())
        first.close()
        second.close()

    def test_flush_may_be_called_any_time(self, destination: AnyDestination) -> None:
        destination.flush()
        store(destination, "photos/a.jpg")
        destination.flush()
        destination.flush()
        same("flush changes nothing", content_of(destination, "photos/a.jpg"), b"content")

    def test_free_space_is_a_number_or_unknown(self, destination: AnyDestination) -> None:
        space = destination.free_space()
        kept("free_space returns bytes or None", space is None or space >= 0)
