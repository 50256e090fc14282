"""What goes wrong in a run: one item fails and the rest goes on, or the run stops and the next one completes."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from syncengine.api import (
    AlbumRef,
    Asset,
    CaptureTime,
    Deduplicator,
    FatalError,
    ItemError,
    Kind,
    Match,
    MediaItem,
    PluginOptions,
    RetryableError,
    Selection,
    Transform,
)
from syncengine.engine import retrying
from syncengine.testing.faults import Fault, Faults, FaultyDestination, FaultySource
from syncengine.testing.transforms import Misbehaving, MisbehavingOptions

MAY = CaptureTime(origin="source", instant=1_558_000_000_000)


def photo(id_: str, **facts: Any) -> MediaItem:
    return MediaItem(**{"id": id_, "name": id_, "kind": Kind.PHOTO, "taken": MAY, "content_token": "1", **facts})


def three(backup: Any) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        backup.library.add(photo(name, albums=(AlbumRef("r", "Rome"),)), name.encode())


def with_faulty_source(backup: Any, *faults: Fault) -> None:
    make = backup.source
    backup.source = lambda: FaultySource(make(), Faults(faults))


def test_an_item_that_cannot_be_fetched_fails_alone_and_is_tried_again(backup):
    three(backup)
    good = backup.source
    with_faulty_source(backup, Fault("fetch", ItemError("bad CRC", advice="download the part again")))
    report = backup.run()
    assert (report.outcomes["failed"], report.outcomes["stored"]) == (1, 2)
    assert report.failures[0]["reason"] == "bad CRC; download the part again"
    assert report.complete
    backup.source = good
    assert backup.run().outcomes["stored"] == 1
    assert len(backup.files()) == 3


def test_a_bug_in_a_source_fails_the_item_alone(backup, caplog):
    three(backup)
    with_faulty_source(backup, Fault("fetch", KeyError("oops")))
    report = backup.run()
    assert report.failures[0]["reason"] == "internal error in the source: KeyError: 'oops'"
    assert report.outcomes["stored"] == 2
    assert "the source failed on" in caplog.text


def test_what_may_pass_is_tried_again(backup, monkeypatch):
    monkeypatch.setattr(retrying, "_FIRST_WAIT", 0.001)
    three(backup)
    with_faulty_source(backup, Fault("fetch", RetryableError("timed out"), times=2))
    assert backup.run().outcomes["stored"] == 3


def test_tries_are_bounded(backup, monkeypatch):
    monkeypatch.setattr(retrying, "_FIRST_WAIT", 0.001)
    backup.library.add(photo("a.jpg"), b"a")
    with_faulty_source(backup, Fault("fetch", RetryableError("timed out", after=0.001), times=None))
    report = backup.run()
    assert report.failures[0]["reason"] == "timed out"


@pytest.mark.parametrize("method", ["scan", "fetch"])
def test_a_source_that_goes_away_stops_the_run_and_the_next_completes(backup, method):
    three(backup)
    good = backup.source
    with_faulty_source(backup, Fault(method, FatalError("the source went away", advice="come back")))
    report = backup.run()
    assert (report.ended, report.reason, report.complete) == ("stopped", "the source went away; come back", False)
    backup.source = good
    report = backup.run()
    assert report.complete
    assert len(backup.files()) == 3
    assert backup.run().outcomes["unchanged"] == 3


@pytest.mark.parametrize("method", ["place", "flush", "begin", "commit", "link", "missing", "free_space"])
@pytest.mark.parametrize("at", [1, 2, 3, 5])
def test_a_destination_that_goes_away_stops_the_run_and_the_next_completes(backup, method, at):
    three(backup)
    good = backup.destination
    backup.destination = FaultyDestination(good, Faults([Fault(method, FatalError("gone"), at=at, times=None)]))
    report = backup.run()
    backup.destination = good
    second = backup.run()
    assert second.complete
    assert backup.files() == {f"photos/2019/05/{name}.jpg": f"{name}.jpg".encode() for name in "abc"}
    assert {"albums/Rome/a.jpg", "albums/Rome/b.jpg", "albums/Rome/c.jpg"} <= set(backup.files("albums"))
    assert len(backup.read("metadata/checksums.sha256").splitlines()) == 3
    assert backup.run().outcomes["unchanged"] == 3
    if report.ended == "stopped":
        assert report.reason == "gone"


def test_a_full_destination_stops_before_it_is_full(backup, monkeypatch):
    three(backup)
    monkeypatch.setattr(type(backup.destination), "free_space", lambda self: 10)
    report = backup.run()
    assert report.ended == "stopped"
    assert "make room" in report.reason
    assert backup.files() == {}


class ToJpeg(Transform[PluginOptions]):
    """Turns ``x.heic`` into ``x.jpg`` with a mark; fails on what says so."""

    def __init__(self, *, keep: bool = False) -> None:
        super().__init__(PluginOptions())
        self._keep = keep

    def accepts(self, asset: Asset) -> bool:
        return asset.name.endswith(".heic")

    def apply(self, asset: Asset, workdir: Any) -> Asset:
        import msgspec

        from syncengine.api import AppliedTransform

        content = asset.path.read_bytes()
        if content.startswith(b"corrupt"):
            raise ItemError("the image is corrupt")
        target = workdir / "out.jpg"
        target.write_bytes(b"jpeg of " + content)
        return msgspec.structs.replace(
            asset,
            path=target,
            name=asset.name[:-5] + ".jpg",
            applied=(AppliedTransform(name="to-jpeg", notes=("depth map dropped",)),),
            keep_original=self._keep,
        )


def test_a_transform_changes_what_is_stored(backup):
    backup.transforms = (ToJpeg(),)
    backup.library.add(photo("a.heic"), b"raw")
    backup.run()
    assert backup.files() == {"photos/2019/05/a.jpg": b"jpeg of raw"}
    document = backup.document("photos/2019/05/a.jpg")
    assert document["name"] == "a.heic"
    assert document["notes"] == ["depth map dropped"]
    assert backup.run().outcomes["unchanged"] == 1


def test_the_original_is_kept_beside_when_asked(backup):
    backup.transforms = (ToJpeg(keep=True),)
    backup.library.add(photo("a.heic"), b"raw")
    backup.run()
    assert backup.files() == {"photos/2019/05/a.heic": b"raw", "photos/2019/05/a.jpg": b"jpeg of raw"}
    assert len(backup.read("metadata/checksums.sha256").splitlines()) == 2


def test_a_failed_transform_keeps_the_original_and_is_tried_again(backup):
    backup.transforms = (ToJpeg(),)
    backup.library.add(photo("a.heic"), b"corrupt")
    backup.library.add(photo("copy.heic"), b"corrupt")
    report = backup.run()
    assert (report.outcomes["failed"], report.outcomes["stored"]) == (2, 0)
    assert report.failures[0]["reason"] == (
        "the image is corrupt; the untouched original is kept as photos/2019/05/a.heic"
    )
    assert backup.files() == {"photos/2019/05/a.heic": b"corrupt"}
    report = backup.run()
    assert (report.outcomes["failed"], backup.files()) == (2, {"photos/2019/05/a.heic": b"corrupt"})


def test_a_transform_that_works_the_next_time_loses_nothing(backup):
    backup.transforms = (Misbehaving(MisbehavingOptions(mode="item-error")),)
    backup.library.add(photo("a.heic"), b"raw")
    backup.run()
    backup.transforms = (ToJpeg(),)
    report = backup.run()
    assert report.outcomes["stored"] == 1
    assert backup.files() == {"photos/2019/05/a.heic": b"raw", "photos/2019/05/a.jpg": b"jpeg of raw"}
    assert backup.document("photos/2019/05/a.jpg")["original"]["path"] == "photos/2019/05/a.heic"
    assert backup.run().outcomes["unchanged"] == 1


class LooksAlike(Deduplicator[PluginOptions]):
    """Takes files for alike that begin with the same byte."""

    stage = "final"

    def __init__(self, *, skip: bool) -> None:
        super().__init__(PluginOptions())
        self._skip = skip
        self._seen: dict[bytes, bytes] = {}

    @property
    def method(self) -> str:
        return "looks-1"

    def load(self, index: Any) -> None:
        super().load(index)
        self._seen = dict(index.entries())

    def fingerprint(self, asset: Asset) -> bytes | None:
        return asset.path.read_bytes()[:1]

    def match(self, fingerprint: bytes) -> Match | None:
        found = self._seen.get(fingerprint)
        return Match(found, distance=3, skip=self._skip) if found is not None else None

    def add(self, fingerprint: bytes, content: bytes) -> None:
        self._seen.setdefault(fingerprint, content)


def test_look_alikes_are_stored_and_reported(backup):
    exact = backup.dedups
    backup.dedups = lambda: (*exact(), LooksAlike(skip=False))
    backup.library.add(photo("a.jpg"), b"x1")
    backup.library.add(photo("b.jpg"), b"x2")
    report = backup.run()
    assert (report.outcomes["stored"], report.near_duplicates) == (2, 1)
    assert b'"looks-1"' in backup.read("metadata/deduplication.json")
    backup.library.add(photo("c.jpg"), b"x3")
    assert backup.run().near_duplicates == 1


def test_look_alikes_are_skipped_when_asked_and_keep_their_albums(backup):
    exact = backup.dedups
    backup.dedups = lambda: (*exact(), LooksAlike(skip=True))
    backup.library.add(photo("a.jpg"), b"x1")
    backup.library.add(photo("b.jpg", albums=(AlbumRef("r", "Rome"),)), b"x2")
    backup.library.add(photo("b-copy.jpg"), b"x2")
    report = backup.run()
    assert (report.outcomes["stored"], report.duplicates) == (1, {"looks-1": 2})
    assert [album["title"] for album in backup.document("photos/2019/05/a.jpg")["albums"]] == ["Rome"]
    assert backup.run().outcomes["unchanged"] == 3


def test_what_the_selection_rejects_only_after_fetching_is_filtered(backup):
    from datetime import date

    backup.select = Selection(after=date(2020, 1, 1))
    backup.library.add(photo("a.jpg", taken=None), b"a", described=photo("a.jpg"))
    report = backup.run()
    assert (report.filtered, backup.files()) == ({"taken": 1}, {})


def test_an_interrupted_run_says_so_and_the_next_goes_on(backup):
    three(backup)
    backup.stop.set()
    report = backup.run()
    assert (report.ended, report.complete) == ("interrupted", False)
    backup.stop = threading.Event()
    assert backup.run().complete
    assert len(backup.files()) == 3


def test_a_killed_run_is_completed_by_the_next(backup, monkeypatch):
    three(backup)
    from syncengine.engine import runner

    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(runner, "_complete", die)
    with pytest.raises(SystemExit):
        backup.run()
    monkeypatch.undo()
    report = backup.run()
    assert report.outcomes["unchanged"] == 3
    assert {"albums/Rome/a.jpg", "albums/Rome/b.jpg", "albums/Rome/c.jpg"} <= set(backup.files("albums"))
    assert {"metadata/catalog/run-001.jsonl", "logs/ledger_run-001.jsonl"} <= set(backup.files(""))
    assert len(backup.read("metadata/checksums.sha256").splitlines()) == 3


def test_nothing_stays_in_staging(backup):
    backup.transforms = (ToJpeg(),)
    three(backup)
    backup.library.add(photo("a.heic"), b"raw")
    backup.library.add(photo("b.heic"), b"raw")
    backup.library.add(photo("c.heic"), b"corrupt")
    backup.run()
    assert [path for path in (backup.directory / "staging").rglob("*") if path.is_file()] == []


def test_observers_are_told(backup):
    three(backup)
    backup.run()
    assert backup.told.started == ["run-001"]
    assert [line.name for line in backup.told.lines] == ["a.jpg", "b.jpg", "c.jpg"]
    assert backup.told.finished[0].outcomes["stored"] == 3
