"""A run's papers on local disk, until they are at the destination."""

from __future__ import annotations

import pytest

from syncengine.api import FatalError, ItemError
from syncengine.engine import spool
from syncengine.engine.papers import Papers
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from tests.unit.engine.photos import Obstructed

PAPERS = {"ledger.jsonl": b"ledger", "catalog.jsonl": b"catalog", "report.json": b"report"}
TARGETS = {
    "logs/ledger_run-1.jsonl": b"ledger",
    "metadata/catalog/run-1.jsonl": b"catalog",
    "logs/backup_report_run-1.json": b"report",
}


@pytest.fixture
def destination():
    made = MemoryDestination(MemoryDestinationOptions())
    made.open()
    return made


@pytest.fixture
def run(tmp_path):
    """The spool of a run with all its papers, and what it intended."""
    directory = tmp_path / "runs" / "run-1"
    directory.mkdir(parents=True)
    for name, content in {**PAPERS, spool.INTENTS: b""}.items():
        (directory / name).write_bytes(content)
    return directory


def papers_for(destination, tmp_path):
    staging = tmp_path / "staging"
    staging.mkdir(exist_ok=True)
    return Papers(destination, staging)


def files(destination):
    return {stat.path: destination.read(stat.path).read() for stat in destination.list("")}


def test_leftovers_are_directories_oldest_first(tmp_path):
    for name in ("20200102", "20190101", "20210101"):
        (tmp_path / name).mkdir()
    (tmp_path / "a-file").write_bytes(b"")
    assert [path.name for path in spool.leftovers(tmp_path)] == ["20190101", "20200102", "20210101"]
    assert spool.leftovers(tmp_path / "nowhere") == []


def test_papers_are_brought_to_the_destination_and_leave_the_disk(destination, run, tmp_path):
    spool.deliver(run, papers_for(destination, tmp_path))
    assert files(destination) == TARGETS
    assert not run.exists()


def test_what_is_missing_or_empty_is_not_brought(destination, run, tmp_path):
    (run / "report.json").unlink()
    (run / "catalog.jsonl").write_bytes(b"")
    spool.deliver(run, papers_for(destination, tmp_path))
    assert files(destination) == {"logs/ledger_run-1.jsonl": b"ledger"}


def test_papers_that_a_run_before_could_bring_in_part_are_brought_again(destination, run, tmp_path):
    upload = destination.begin("logs/ledger_run-1.jsonl")
    upload.write(b"half")
    upload.commit()
    spool.deliver(run, papers_for(destination, tmp_path))
    assert files(destination) == TARGETS


def test_where_there_is_something_to_mend_the_intents_stay_for_the_next_run(destination, run, tmp_path):
    spool.deliver(run, papers_for(destination, tmp_path), mended=False)
    assert files(destination) == TARGETS
    assert [path.name for path in run.iterdir()] == [spool.INTENTS]


@pytest.mark.parametrize("error", [ItemError("a directory is in the way"), FatalError("gone")])
def test_what_cannot_be_brought_stays_on_the_disk(destination, run, tmp_path, error):
    obstructed = Obstructed(destination, "logs/ledger", error)
    with pytest.raises(type(error), match=str(error)):
        spool.deliver(run, papers_for(obstructed, tmp_path))
    assert {path.name for path in run.iterdir()} == {*PAPERS, spool.INTENTS}
