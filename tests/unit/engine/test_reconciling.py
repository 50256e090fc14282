"""Numbers that agree, numbers that do not, and numbers that nobody could compare."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from syncengine.api import Inventory
from syncengine.config import schema_files
from syncengine.engine.reconciling import Reconciliation, reconcile
from syncengine.testing.memory.source import MemorySource
from tests.unit.engine.photos import photo

OUTCOMES = {"stored": 2, "filtered": 1}
SUMS = {"members": ("media", "sidecars", "other"), "media": ("items", "copies")}
COUNTS = {"items": 3, "copies": 1, "media": 4, "sidecars": 3, "members": 7}


def test_all_agree():
    assert reconcile(3, OUTCOMES, Inventory(counts=COUNTS, sums=SUMS)) == Reconciliation(True)


@pytest.mark.parametrize(
    ("listed", "changed", "sentence"),
    [
        (4, {"items": 4, "copies": 0}, "4 items were listed, and 3 are in a class"),
        (3, {"items": 5, "copies": -1}, "the source counts 5 items, and 3 were listed"),
        (3, {"sidecars": 2}, "the source counts 7 members, and 6 of media, sidecars and other"),
        (3, {"copies": 0}, "the source counts 4 media, and 3 of items and copies"),
    ],
)
def test_each_that_does_not_agree_is_named(listed, changed, sentence):
    found = reconcile(listed, OUTCOMES, Inventory(counts={**COUNTS, **changed}, sums=SUMS))
    assert found == Reconciliation(False, (sentence,))


def test_a_source_that_counts_nothing_leaves_nothing_to_compare():
    assert reconcile(3, OUTCOMES, Inventory()) == Reconciliation(None)
    assert reconcile(4, OUTCOMES, Inventory()).agrees is False


class Miscounting(MemorySource):
    """Counts an item that it never lists."""

    def inventory(self):
        """Return one too many."""
        return Inventory(counts={"items": 2, "media": 2})


def test_a_run_whose_numbers_disagree_is_not_complete_and_says_so(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    report = backup.run()
    assert (report.complete, report.reconciled, report.disagreements) == (True, True, ())
    backup.source = lambda: Miscounting(MemorySource.Options(), backup.library)
    report = backup.run()
    assert (report.complete, report.reconciled) == (False, False)
    assert report.disagreements == ("the source counts 2 items, and 1 were listed",)
    schema = Draft202012Validator(schema_files.schema("report.schema.json"))
    assert list(schema.iter_errors(json.loads(backup.read(f"logs/backup_report_{report.run}.json")))) == []


def test_what_was_not_read_to_its_end_is_not_called_reconciled(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.stop.set()
    report = backup.run()
    assert (report.ended, report.complete, report.reconciled) == ("interrupted", False, None)
