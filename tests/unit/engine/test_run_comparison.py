"""What is different between two runs, told from ledgers."""

from __future__ import annotations

from contextlib import closing

import msgspec
import pytest

from syncengine.api import LedgerLine
from syncengine.engine import run_comparison
from syncengine.engine.run_comparison import Comparing, remarks_on
from syncengine.engine.sorted_lines import SortedLines


def compared(directory, *ledgers):
    """Compare runs, each given as outcomes by id."""
    with closing(SortedLines(directory)) as lines:
        comparing = Comparing(lines, last=len(ledgers) - 1)
        for place, ledger in enumerate(ledgers):
            comparing.add(
                place,
                [
                    msgspec.json.encode(LedgerLine(outcome=outcome, id=id_, name=f"{id_}.jpg", reason=f"in {place}"))
                    for id_, outcome in ledger.items()
                ],
            )
        counts, named = comparing.changes()
    assert {change: len(items) for change, items in named.items()} == dict(counts)
    return {change: [item.id for item in items] for change, items in named.items()}


@pytest.mark.parametrize(
    ("then", "now", "change"),
    [
        (None, "stored", "new"),
        (None, "duplicate", "new"),
        (None, "unchanged", "new"),
        ("filtered", "stored", "new"),
        ("stored", None, "gone"),
        ("failed", None, "gone"),
        ("filtered", None, None),
        ("stored", "unchanged", None),
        ("stored", "stored", "changed"),
        ("unchanged", "updated", "updated"),
        ("unchanged", "failed", "newly failing"),
        (None, "failed", "newly failing"),
        ("failed", "failed", "still failing"),
        ("failed", "stored", "fixed"),
        ("failed", "unchanged", "fixed"),
        ("stored", "filtered", "left out"),
        ("failed", "filtered", None),
        (None, "filtered", None),
        ("filtered", "filtered", None),
    ],
)
def test_each_way_in_which_an_item_can_differ(tmp_path, then, now, change):
    found = compared(
        tmp_path,
        {"a": then, "z": "stored"} if then else {"z": "stored"},
        {"a": now, "z": "unchanged"} if now else {"z": "unchanged"},
    )
    assert found == ({change: ["a"]} if change else {})


def test_what_runs_between_did_counts(tmp_path):
    first = {"a": "stored", "b": "stored", "c": "stored", "d": "failed"}
    between = {"a": "updated", "b": "stored", "c": "failed", "d": "stored", "e": "stored", "f": "stored"}
    last = {"a": "unchanged", "b": "unchanged", "c": "unchanged", "d": "unchanged", "e": "unchanged"}
    assert compared(tmp_path, first, between, last) == {
        "updated": ["a"], "changed": ["b"], "fixed": ["d"], "new": ["e"],
    }  # fmt: skip


def test_only_the_first_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(run_comparison, "NAMED", 2)
    with closing(SortedLines(tmp_path)) as lines:
        comparing = Comparing(lines, last=1)
        for number in range(5):
            comparing.add(1, [msgspec.json.encode(LedgerLine(outcome="stored", id=f"{number}\x00\n", name="n"))])
        counts, named = comparing.changes()
    assert counts == {"new": 5}
    assert [item.id for item in named["new"]] == ["0\x00\n", "1\x00\n"]


def test_what_could_not_be_known_is_said():
    assert not list(remarks_on(True, True, []))
    first, second, third = remarks_on(False, False, ["R2"])
    assert "the ledger of run R2 is not at the destination" in first
    assert "some of what counts as new may have been there already" in second
    assert "what it did not come to counts as gone" in third
