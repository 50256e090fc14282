"""A run that may work on some items only."""

from __future__ import annotations

import msgspec

from syncengine.engine import runner
from syncengine.engine.parts import Only
from syncengine.model import Outcome
from tests.unit.engine.photos import photo


def run_only(backup, *ids):
    with backup.parts() as parts:
        return runner.run(msgspec.structs.replace(parts, only=Only(frozenset(ids), "not asked for")))


def test_only_the_named_items_are_worked_on_and_the_others_are_filtered_by_the_rule(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.library.add(photo("b.jpg"), b"bbb")
    report = run_only(backup, "b.jpg")
    assert list(backup.files()) == ["photos/2019/05/b.jpg"]
    assert report.filtered == {"not asked for": 1}
    assert backup.run().outcomes["stored"] == 1


def test_an_item_that_is_there_stays_unchanged_whatever_was_asked_for(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.run()
    backup.library.add(photo("b.jpg"), b"bbb")
    report = run_only(backup)
    assert [(line.id, line.outcome) for line in backup.ledger(report)] == [
        ("a.jpg", Outcome.UNCHANGED),
        ("b.jpg", Outcome.FILTERED),
    ]


def test_an_item_that_is_missing_at_the_destination_comes_back_only_when_asked_for(backup):
    for name in ("a.jpg", "b.jpg"):
        backup.library.add(photo(name), name.encode())
    backup.run()
    for name in ("a.jpg", "b.jpg"):
        backup.destination.remove(f"photos/2019/05/{name}")
    assert run_only(backup, "a.jpg").outcomes["stored"] == 1
    assert list(backup.files()) == ["photos/2019/05/a.jpg"]
