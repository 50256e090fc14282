"""Report and ledger of real runs, in every outcome and every end, against their JSON Schemas."""

from __future__ import annotations

import functools
import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from syncengine.api import AlbumRef, FatalError, Selection
from syncengine.config import schema_files
from syncengine.engine.runner import run
from syncengine.model import Outcome
from syncengine.testing.faults import Fault, Faults, FaultySource
from tests.unit.engine.photos import Stamp, photo
from tests.unit.engine.test_run_failures import LooksAlike


@functools.cache
def validator(name: str) -> Any:
    return Draft202012Validator(schema_files.schema(f"{name}.schema.json"))


def checked(backup, report):
    """Check both papers of a run, and return the ledger's lines by class."""
    at_destination = json.loads(backup.read(f"logs/backup_report_{report.run}.json"))
    assert list(validator("report").iter_errors(at_destination)) == []
    assert msgspec.json.decode(msgspec.json.encode(report)) == at_destination
    found: dict[str, list[dict[str, Any]]] = {}
    for raw in backup.read(f"logs/ledger_{report.run}.jsonl").splitlines():
        line = json.loads(raw)
        assert list(validator("ledger").iter_errors(line)) == []
        found.setdefault(line["outcome"], []).append(line)
    counts = {outcome: count for outcome, count in report.outcomes.items() if count}
    assert {outcome: len(lines) for outcome, lines in found.items()} == counts
    return found


def test_every_outcome(backup):
    rome = (AlbumRef("r", "Rome"),)
    backup.library.add(photo("kept.jpg", albums=rome, origins=("x/kept.jpg",)), b"kept")
    backup.library.add(photo("told.jpg", metadata_token="1"), b"told")
    checked(backup, backup.run())
    backup.library.add(photo("told.jpg", metadata_token="2", description="at the sea"), b"told")
    backup.library.add(photo("new\udc80.jpg", notes=("no sidecar",)), b"new")
    backup.library.add(photo("copy.jpg", origins=("y/copy.jpg",)), b"kept")
    backup.library.add(photo("out.gif"), b"out")
    backup.library.add(photo("lost.jpg", size=99), b"short")
    backup.select = Selection(exclude_names=("*.gif",))
    found = checked(backup, backup.run())
    assert set(found) == {outcome.value for outcome in Outcome}


def test_pictures_that_look_alike(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.dedups = lambda: (LooksAlike(skip=False),)
    checked(backup, backup.run())
    backup.library.add(photo("b.jpg"), b"abb")
    report = backup.run()
    checked(backup, report)
    assert report.near_duplicates == 1
    backup.library.add(photo("c.jpg"), b"acc")
    backup.dedups = lambda: (LooksAlike(skip=True),)
    assert checked(backup, backup.run())["duplicate"][0]["method"] == "looks-1"


def test_a_transform_that_failed(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.transforms = (Stamp(broken=True),)
    report = backup.run()
    (line,) = checked(backup, report)["failed"]
    assert line["path"] == "photos/2019/05/a.jpg"
    assert report.failures


@pytest.mark.parametrize("way", ["interrupted", "stopped", "limited", "missing", "unlisted"])
def test_every_end(backup, way):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.library.add(photo("b.jpg"), b"bbb")
    if way == "interrupted":
        backup.stop.set()
    elif way == "limited":
        backup.limit = 1
    elif way == "missing":
        backup.library.missing = ("part 2: truncated",)
    elif way in {"stopped", "unlisted"}:
        method = "fetch" if way == "stopped" else "inventory"
        make = backup.source
        backup.source = lambda: FaultySource(make(), Faults([Fault(method, FatalError("gone", advice="come back"))]))
    with backup.parts() as parts:
        report = run(parts)
    at_destination = [path for path in backup.files("logs") if path.endswith(f"report_{report.run}.json")]
    plain = json.loads(backup.read(at_destination[0]))
    assert list(validator("report").iter_errors(plain)) == []
    assert report.complete is (way == "limited")
    assert report.reconciled is {"limited": True, "missing": True}.get(way)
    assert report.ended == (way if way in {"interrupted", "stopped"} else "completed")


def test_a_dry_run(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    report = backup.run(rehearse=True)
    plain = json.loads(msgspec.json.encode(report))
    assert list(validator("report").iter_errors(plain)) == []
    assert (report.dry_run, report.complete, report.reconciled) == (True, True, True)
