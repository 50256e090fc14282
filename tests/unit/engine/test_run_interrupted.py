"""A run that is interrupted or killed at an awkward moment, and what the next one makes of what it left."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import Any

import msgspec
import pytest

from syncengine.api import AlbumRef, FatalError, RetryableError
from syncengine.engine import bringing, planning, recording, runner
from syncengine.testing.faults import Fault, Faults, FaultyDestination, FaultySource
from tests.unit.engine.photos import ROME, Stamp, assert_checksums_hold, photo, put
from tests.unit.engine.test_run_failures import LooksAlike


class StopsAt(FaultySource):
    """Asks the run to stop when an item is described."""

    def __init__(self, inner: Any, stop: threading.Event, item: str) -> None:
        super().__init__(inner, Faults(()))
        self.stop = stop
        self.item = item

    def describe(self, item: Any, path: Any) -> Any:
        described = super().describe(item, path)
        if item.id == self.item:
            self.stop.set()
        return described


def run_and_stop_at(backup: Any, item: str) -> Any:
    """Run, interrupted when the item is described; the next run is not."""
    make = backup.source
    backup.source = lambda: StopsAt(make(), backup.stop, item)
    report = backup.run()
    backup.source = make
    backup.stop.clear()
    assert report.ended == "interrupted"
    return report


def kill_before_recording(backup: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run, killed when a batch is at the destination and not yet in the state."""

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(recording.Recorder, "record", die)
        with pytest.raises(SystemExit):
            backup.run()


class Waiting:
    """Image work that never ends by itself."""

    def __init__(self, on_submit: Any) -> None:
        self.futures: list[Future[Any]] = []
        self.killed = False
        self._on_submit = on_submit

    def submit(self, asset: Any, workdir: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.futures.append(future)
        self._on_submit()
        if self.killed:
            future.cancel()
        return future

    def kill(self) -> None:
        self.killed = True
        for future in self.futures:
            if future.cancel():
                future.set_running_or_notify_cancel()


def run_with_workers(backup: Any, workers: Waiting) -> Any:
    with backup.parts() as parts:
        return runner.run(msgspec.structs.replace(parts, workers=workers))


def test_what_was_fetched_and_not_transformed_is_not_stored_untransformed(backup):
    backup.transforms = (Stamp(extension=".png"),)
    for number in range(3):
        backup.library.add(photo(f"{number}.heic"), b"%d" % number)
    run_and_stop_at(backup, "2.heic")
    report = backup.run()
    assert report.complete
    assert sorted(backup.files().values()) == [b"stamped 0", b"stamped 1", b"stamped 2"]


def test_image_work_under_way_is_dropped_and_nothing_is_called_failed(backup):
    backup.transforms = (Stamp(extension=".png"),)
    backup.library.add(photo("a.heic"), b"same")
    backup.library.add(photo("a-copy.heic"), b"same")
    report = run_with_workers(backup, Waiting(backup.stop.set))
    assert (report.ended, report.outcomes["failed"], backup.files()) == ("interrupted", 0, {})
    backup.stop.clear()
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["duplicate"]) == (1, 1)


def test_work_that_is_handed_over_after_the_workers_ended_is_dropped(backup, monkeypatch):
    monkeypatch.setattr(planning, "BATCH_ITEMS", 1)
    backup.transforms = (Stamp(extension=".png"),)
    for number in range(3):
        backup.library.add(photo(f"{number}.heic"), b"%d" % number)
    second_waits = threading.Event()

    def on_submit() -> None:
        if len(workers.futures) == 2:
            backup.stop.set()
            second_waits.wait(0.6)

    workers = Waiting(on_submit)
    report = run_with_workers(backup, workers)
    assert workers.killed
    assert (report.ended, report.outcomes["failed"]) == ("interrupted", 0)
    backup.stop.clear()
    assert backup.run().outcomes["stored"] == 3


def test_an_item_whose_next_try_was_waited_for_is_not_called_failed(backup):
    backup.library.add(photo("a.jpg"), b"a")
    make = backup.source
    backup.source = lambda: FaultySource(make(), Faults([Fault("fetch", RetryableError("timed out", after=30))]))
    timer = threading.Timer(0.2, backup.stop.set)
    timer.start()
    began = time.monotonic()
    report = backup.run()
    timer.join()
    assert time.monotonic() - began < 10
    assert (report.ended, report.outcomes["failed"]) == ("interrupted", 0)


def test_metadata_that_was_not_asked_for_any_more_is_not_taken_from_the_bare_listing(backup, monkeypatch):
    monkeypatch.setattr(planning, "BATCH_ITEMS", 2)
    full = {"description": "old", "people": ("Ann",)}
    backup.library.add(photo("b.jpg", metadata_token="1"), b"b", described=photo("b.jpg", **full))
    backup.run()
    backup.library.remove("b.jpg")
    backup.library.add(photo("a.jpg"), b"a")
    newer = photo("b.jpg", metadata_token="2", description="new", people=("Ann",))
    backup.library.add(photo("b.jpg", metadata_token="2"), b"b", described=newer)
    bring_in_order(monkeypatch)
    run_and_stop_at(backup, "a.jpg")
    assert backup.document("photos/2019/05/b.jpg")["description"] == "old"
    assert backup.run().outcomes["updated"] == 1
    document = backup.document("photos/2019/05/b.jpg")
    assert (document["description"], document["people"]) == ("new", ["Ann"])


def bring_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have b.jpg wait until a.jpg was brought."""
    bring = bringing.Bringer.bring
    a_is_through = threading.Event()

    def one(self: Any, work: Any) -> None:
        if work.item.id == "b.jpg":
            a_is_through.wait(5)
        bring(self, work)
        if work.item.id == "a.jpg":
            a_is_through.set()

    monkeypatch.setattr(bringing.Bringer, "bring", one)


class LooksAlikeDecoded(LooksAlike):
    """As the perceptual method: it decodes."""

    decodes = True


def test_a_look_alike_is_not_stored_because_its_fingerprint_was_never_taken(backup):
    exact = backup.dedups
    backup.dedups = lambda: (*exact(), LooksAlikeDecoded(skip=True))
    backup.library.add(photo("a.jpg"), b"x1")
    backup.run()
    backup.library.add(photo("b.jpg"), b"x2")
    run_and_stop_at(backup, "b.jpg")
    report = backup.run()
    assert (report.duplicates, list(backup.files())) == ({"looks-1": 1}, ["photos/2019/05/a.jpg"])


def test_a_destination_that_is_gone_ends_the_run_before_the_source_is_read_to_its_end(backup, monkeypatch):
    monkeypatch.setattr(planning, "BATCH_ITEMS", 1)
    monkeypatch.setattr(planning, "LOOK_UP", 5)
    scanned = 0

    class Endless(FaultySource):
        def scan(self, select: Any) -> Any:
            nonlocal scanned
            for number in range(5000):
                scanned = number
                item = photo(f"{number}.jpg")
                backup.library.contents[item.id] = b"%d" % number
                yield item
                time.sleep(0.001)

    make = backup.source
    backup.source = lambda: Endless(make(), Faults(()))
    backup.destination = FaultyDestination(backup.destination, Faults([Fault("flush", FatalError("gone"), times=None)]))
    report = backup.run()
    assert (report.ended, report.reason) == ("stopped", "gone")
    assert scanned < 2500


def test_a_killed_run_leaves_a_sidecar_that_the_next_run_knows_as_its_own(backup, monkeypatch):
    backup.metadata = ("json", "xmp")
    backup.library.add(photo("a.jpg", metadata_token="1", description="old"), b"a")
    kill_before_recording(backup, monkeypatch)
    backup.run()
    backup.library.add(photo("a.jpg", metadata_token="2", description="a new one"), b"a")
    backup.run()
    assert b"a new one" in backup.read("photos/2019/05/a.jpg.xmp")
    assert_checksums_hold(backup)


@pytest.mark.parametrize("kills", [1, 3])
def test_a_killed_run_leaves_a_file_that_is_known_under_whatever_name_it_is_listed_next(backup, monkeypatch, kills):
    backup.transforms = (Stamp(extension=".png", keep=True),)
    backup.library.add(photo("1", name="a.heic"), b"raw")
    kill_before_recording(backup, monkeypatch)
    backup.library.remove("1")
    backup.library.add(photo("2", name="b.heic"), b"raw")
    for _ in range(kills - 1):
        kill_before_recording(backup, monkeypatch)
    assert backup.run().complete
    assert backup.files() == {"photos/2019/05/a.heic": b"raw", "photos/2019/05/a.png": b"stamped raw"}
    assert_checksums_hold(backup)


@pytest.mark.parametrize(("name", "extension"), [("a.heic", ".png"), ("a.jpg", "")])
@pytest.mark.parametrize("keep", [False, True])
def test_an_original_that_a_killed_run_left_is_known_when_its_transform_works_the_next_time(
    backup, monkeypatch, name, extension, keep
):
    stamp = Stamp(extension=extension, keep=keep, broken=True)
    backup.transforms = (stamp,)
    backup.library.add(photo("1", name=name), b"raw")
    kill_before_recording(backup, monkeypatch)
    stamp.broken = False
    assert backup.run().complete
    (record,) = backup.contents()
    assert (record.original_path, backup.read(record.path)) == (f"photos/2019/05/{name}", b"stamped raw")
    assert sorted(backup.files().values()) == [b"raw", b"stamped raw"]
    assert_checksums_hold(backup)
    assert backup.run().outcomes["unchanged"] == 1


def test_a_file_of_somebody_else_where_a_killed_run_wanted_to_place_one_is_not_taken_for_ours(backup, monkeypatch):
    stamp = Stamp(extension=".png", broken=True)
    backup.transforms = (stamp,)
    backup.library.add(photo("a.heic"), b"raw")
    kill_before_recording(backup, monkeypatch)
    put(backup.destination, "photos/2019/05/a.heic", b"theirs")
    stamp.broken = False
    backup.run()
    (record,) = backup.contents()
    assert (record.path, record.original_path) == ("photos/2019/05/a.png", "")
    assert backup.read("photos/2019/05/a.heic") == b"theirs"


def test_a_file_that_a_killed_run_left_is_known_whatever_extension_its_copy_has(backup, monkeypatch):
    backup.library.add(photo("b.HEIC"), b"same")
    kill_before_recording(backup, monkeypatch)
    backup.library.remove("b.HEIC")
    backup.library.add(photo("a.jpg"), b"same")
    backup.library.add(photo("b.HEIC"), b"same")
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["duplicate"]) == (1, 1)
    assert backup.files() == {"photos/2019/05/b.HEIC": b"same"}
    assert_checksums_hold(backup)


def test_an_item_that_was_only_touched_is_unchanged_and_no_copy_of_itself(backup):
    backup.library.add(photo("a.jpg"), b"a")
    backup.run()
    backup.library.add(photo("a.jpg", content_token="2"), b"a")
    report = backup.run()
    assert (report.outcomes["unchanged"], report.outcomes["duplicate"]) == (1, 0)
    assert backup.run().bytes_read == 0


def test_an_item_that_was_touched_and_described_anew_is_updated(backup):
    backup.library.add(photo("a.jpg", metadata_token="1", description="old"), b"a")
    backup.run()
    backup.library.add(photo("a.jpg", content_token="2", metadata_token="2", description="new"), b"a")
    assert backup.run().outcomes["updated"] == 1
    assert backup.document("photos/2019/05/a.jpg")["description"] == "new"


def test_albums_that_a_killed_run_did_not_write_are_written_by_the_next(backup, monkeypatch):
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(runner, "_complete", die)
        with pytest.raises(SystemExit):
            backup.run()
    backup.library.add(photo("b.jpg", albums=(AlbumRef("p", "Paris"),)), b"b")
    backup.run()
    assert {"albums/Rome/a.jpg", "albums/Paris/b.jpg"} <= set(backup.files("albums"))
