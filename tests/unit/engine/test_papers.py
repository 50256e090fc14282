"""The engine's own files at the destination, put in place together."""

from __future__ import annotations

import pytest

from syncengine.api import FatalError
from syncengine.engine.papers import Papers
from syncengine.testing.faults import Faults, FaultyDestination
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from tests.unit.engine.photos import Obstructed


@pytest.fixture
def destination():
    made = MemoryDestination(MemoryDestinationOptions())
    made.open()
    return made


def test_papers_take_the_place_of_older_ones(destination, tmp_path):
    for text in (b"old", b"new"):
        papers = Papers(destination, tmp_path)
        papers.write("metadata/paper.json", text)
        assert papers.place() == []
    assert destination.read("metadata/paper.json").read() == b"new"
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_stays_as_it_is(destination, tmp_path):
    for _ in range(2):
        faults = Faults(())
        papers = Papers(FaultyDestination(destination, faults), tmp_path)
        papers.write("same", b"same")
        papers.write("other", b"new!" if destination.stat("other") else b"old!")
        assert papers.place() == []
        assert list(tmp_path.iterdir()) == []
    assert faults.calls["place"] == 1
    assert destination.read("other").read() == b"new!"


def test_nothing_is_at_the_destination_before_all_is_written(destination, tmp_path):
    papers = Papers(destination, tmp_path)
    papers.stage("a").write_bytes(b"a")
    papers.write("b", b"b")
    assert list(destination.list("")) == []
    papers.place()
    assert [stat.path for stat in destination.list("")] == ["a", "b"]


def test_one_obstacle_does_not_keep_the_others_away(destination, tmp_path):
    papers = Papers(Obstructed(destination, "b"), tmp_path)
    for path in ("a", "b", "c"):
        papers.write(path, path.encode())
    assert papers.place() == ["b could not be written: no permission"]
    assert [stat.path for stat in destination.list("")] == ["a", "c"]
    assert list(tmp_path.iterdir()) == []


def test_papers_are_durable_once_placed(destination, tmp_path):
    papers = Papers(destination, tmp_path)
    papers.write("a", b"a")
    papers.place()
    destination.storage.power_cut()
    assert destination.read("a").read() == b"a"


def test_no_papers_cost_the_destination_nothing(destination, tmp_path):
    faults = Faults(())
    Papers(FaultyDestination(destination, faults), tmp_path).place()
    assert faults.calls == {}


def test_a_staging_that_is_gone_ends_the_run(destination, tmp_path):
    with pytest.raises(FatalError, match="cannot write"):
        Papers(destination, tmp_path / "gone").write("a", b"a")
