"""Runs whose items are brought into staging by something beside them, as reading processes do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import Asset, CaptureTime, FatalError, MediaItem, Selection, Source
from syncengine.engine import retrying
from syncengine.engine.fetching import Fetcher
from syncengine.engine.reading import assets_of
from syncengine.engine.reading_process import Alarm, Answer, StagingReader
from syncengine.testing.faults import Fault, Faults, FaultySource
from tests.unit.engine.conftest import ROME as ROME_TIME
from tests.unit.engine.photos import ROME, photo


class ReadBeside:
    """Reads in this process what reading processes would; each chunk when it is waited for.

    Args:
        source: is asked as a reader would be.
        staging: where files are made.
        before: called before each chunk.
    """

    def __init__(self, source: Source[Any], staging: Path, before: Callable[[], None]) -> None:
        directory = staging / "beside"
        directory.mkdir()
        self._reader = StagingReader(source, ROME_TIME, directory, Alarm(), lambda: False)
        self._before = before
        self._chunks: dict[Future[Any], Sequence[MediaItem]] = {}
        self.brought: list[str] = []
        self.missed = 0
        self.closed = False

    def are_ready_for(self, count: int) -> bool:
        return count > 0

    def begin(self, items: Sequence[MediaItem]) -> Future[Any]:
        future: Future[Any] = Future()
        self._chunks[future] = items
        return future

    def finish(self, begun: Future[Any], count: int) -> list[Asset | None]:
        if not begun.cancelled():
            self._before()
            begun.set_result(self._reader.bring(self._chunks[begun]))
        try:
            answer: Answer = begun.result()
        except CancelledError:
            assets: list[Asset | None] = [None] * count
        else:
            assets = assets_of(answer)
        self.brought += [asset.item.id for asset in assets if asset is not None]
        self.missed += assets.count(None)
        return assets

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def beside(backup: Any) -> list[ReadBeside]:
    """What reads beside each run of the backup, in the order of the runs."""
    made: list[ReadBeside] = []
    good = backup.source

    def reading(source: Source[Any], staging: Path) -> ReadBeside:
        reader = good()  # so that what is wrong with the run's own source is not wrong here
        made.append(ReadBeside(reader, staging, backup.before_each_chunk))
        return made[-1]

    backup.before_each_chunk = lambda: None
    backup.reading = reading
    return made


def names(count: int) -> list[str]:
    return [f"{number:03}.jpg" for number in range(count)]


def fill(backup: Any, count: int = 70) -> None:
    for name in names(count):
        backup.library.add(photo(name, albums=(ROME,), size=len(name)), name.encode())


def test_a_whole_run_is_as_if_the_source_had_been_read_here(backup, beside):
    fill(backup)
    report = backup.run()
    assert report.outcomes["stored"] == 70
    assert report.bytes_read == 7 * 70
    assert backup.files() == {f"photos/2019/05/{name}": name.encode() for name in names(70)}
    assert beside[0].brought == names(70)
    assert beside[0].closed
    assert backup.run().outcomes["unchanged"] == 70
    assert beside[1].brought == []


def test_what_could_not_be_brought_beside_is_fetched_here_and_counted_once(backup, beside):
    fill(backup, 3)
    contents = backup.library.contents
    whole = contents["001.jpg"]
    contents["001.jpg"] = b"cut"  # the memory source says that this is an error
    make = backup.source

    class Mended(FaultySource):
        def fetch(self, item: Any, into: Any) -> None:
            contents["001.jpg"] = whole
            super().fetch(item, into)

    backup.source = lambda: Mended(make(), Faults(()))
    report = backup.run()
    assert (report.outcomes["stored"], report.bytes_read) == (3, 21)
    assert sorted(beside[0].brought) == ["000.jpg", "002.jpg"]
    assert beside[0].missed == 1


def test_an_error_is_told_by_the_source_itself(backup, beside, monkeypatch):
    monkeypatch.setattr(retrying, "_FIRST_WAIT", 0.001)
    fill(backup, 3)
    backup.library.contents["001.jpg"] = b"cut"
    report = backup.run()
    assert report.outcomes["failed"] == 1
    assert report.failures[0]["reason"] == "001.jpg has 3 bytes instead of 7"
    assert report.outcomes["stored"] == 2


def test_a_fatal_error_of_the_source_ends_the_run_with_what_was_brought(backup, beside):
    fill(backup, 300)  # more than a batch
    backup.library.contents["299.jpg"] = b"cut"
    make = backup.source
    backup.source = lambda: FaultySource(make(), Faults([Fault("fetch", FatalError("the folder went away"))]))
    report = backup.run()
    assert report.ended == "stopped"
    assert "the folder went away" in report.reason
    assert report.outcomes["stored"] == 256
    backup.source = make
    backup.library.contents["299.jpg"] = b"299.jpg"
    assert backup.run().outcomes["stored"] == 44
    assert len(backup.files()) == 300


def test_a_stop_drops_what_was_not_begun(backup, beside):
    fill(backup)
    backup.before_each_chunk = backup.stop.set  # while the first chunk is being read
    report = backup.run()
    assert report.ended == "interrupted"
    assert report.outcomes["stored"] == len(beside[0].brought) == 32
    backup.stop.clear()
    backup.before_each_chunk = lambda: None
    assert backup.run().outcomes["stored"] == 38
    assert len(backup.files()) == 70


def test_what_is_filtered_once_it_is_described_leaves_no_file(backup, beside):
    late = CaptureTime(origin="exif", wall="2021-05-04T12:00:00")
    for name in names(4):
        item = photo(name, taken=None)
        taken = late if name < "002" else CaptureTime(origin="exif", wall="2019-05-04T12:00:00")
        backup.library.add(item, name.encode(), described=msgspec.structs.replace(item, taken=taken))
    backup.select = Selection(before=date(2020, 1, 1))
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["filtered"]) == (2, 2)
    assert [path for path in (backup.directory / "staging").rglob("*") if path.is_file()] == []


def test_work_that_is_more_than_reading_an_item_is_done_here(backup, beside):
    fill(backup, 4)
    backup.run()
    backup.library.add(photo("000.jpg", metadata_token="2", description="new"), b"000.jpg")
    backup.library.add(photo("001.jpg", content_token="2"), b"changed")
    report = backup.run()
    assert beside[1].brought == ["001.jpg"]
    assert b"changed" in backup.files().values()
    assert report.outcomes["updated"] + report.outcomes["stored"] == 2
    assert backup.document("photos/2019/05/000.jpg")["description"] == "new"


def test_a_limit_of_space_is_kept_beside_as_well(backup, beside, monkeypatch):
    fill(backup, 10)
    monkeypatch.setattr(Fetcher, "_fitting", lambda self, batch: batch[:6])
    report = backup.run()
    assert report.ended == "stopped"
    assert report.outcomes["stored"] == 6
    assert beside[0].brought == names(6)


def test_the_same_bytes_are_stored_once(backup, beside):
    fill(backup, 2)
    for name in ("copy-a.jpg", "copy-b.jpg"):
        backup.library.add(photo(name), b"000.jpg")
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["duplicate"]) == (2, 2)
    assert len(backup.files()) == 2
