"""Samples, and what was stored since a moment."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from syncengine.engine.verification.selection import Selection, _drawn, parse_sample, parse_since
from syncengine.errors import ConfigError
from tests.unit.engine.photos import photo
from tests.unit.engine.verification.test_verifier import PLACE, disk, fill, kinds

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize(("text", "fraction"), [("5%", 0.05), (" 0.5 % ", 0.005), ("100%", 1.0)])
def test_a_sample_is_a_percentage(text, fraction):
    assert parse_sample(text) == pytest.approx(fraction)


@pytest.mark.parametrize("text", ["", "5", "0%", "-1%", "101%", "nan%", "many", "%"])
def test_what_is_no_percentage_is_refused(text):
    with pytest.raises(ConfigError, match="--sample"):
        parse_sample(text)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("20260102T030405123456Z", "20260102T030405123456Z"),
        ("20260102T0304", "20260102T0304"),
        ("30d", "20260301T120000"),
        ("12h", "20260331T000000"),
        ("2 W", "20260317T120000"),
        ("99999999y", "0"),
        ("2026-01-31", "20260130T230000"),
        ("2026-01-31T10:00:00+00:00", "20260131T100000"),
    ],
)
def test_since_is_a_run_a_date_or_a_span(text, first):
    assert parse_since(text, ROME, NOW) == first


@pytest.mark.parametrize("text", ["", "yesterday", "30", "2026-13-01", "d30"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ConfigError, match="--since"):
        parse_since(text, ROME, NOW)


def test_a_sample_is_drawn_exactly_and_differs_with_the_seed(backup, verified):
    fill(backup, 40)
    found = verified(selection=Selection(sample=0.05, seed=1))
    assert (found.selected, found.checked, found.recorded) == (2, 2, 40)
    assert found.selection == {"kind": "sample", "sample": 0.05, "seed": 1}
    assert not found.is_proof
    assert verified(selection=Selection(sample=0.0001, seed=1)).checked == 1


def test_every_file_is_as_likely_to_be_drawn():
    lines = [b"%d" % number for number in range(6)]
    drawn = Counter(line for seed in range(600) for line in _drawn(lines, 6, 0.5, seed))
    assert sum(drawn.values()) == 1800
    assert max(abs(count - 300) for count in drawn.values()) < 60  # 12 is the standard deviation


def test_since_reads_what_later_runs_stored(backup, verified):
    fill(backup)
    backup.library.add(photo("new.jpg"), b"new")
    report = backup.run()
    disk(backup, f"{PLACE}/1.jpg").unlink()
    found = verified(selection=Selection(since=report.run, asked=report.run))
    assert (found.selected, found.checked, found.findings, found.is_proof) == (1, 1, [], False)
    disk(backup, f"{PLACE}/new.jpg").unlink()
    assert kinds(verified(selection=Selection(since=report.run, asked="x"))) == {f"{PLACE}/new.jpg": "missing"}
    assert verified(selection=Selection(since="run-999", asked="x")).selected == 0
    assert verified(selection=Selection(since="run-001", asked="x")).selected == 7


def test_a_catalog_that_is_damaged_is_said(backup, verified):
    fill(backup)
    file = disk(backup, "metadata/catalog/run-001.jsonl")
    file.write_bytes(b"{\n" + file.read_bytes())
    found = verified(selection=Selection(since="run-001", asked="x"))
    assert (found.selected, len(found.notes)) == (6, 1)
    assert "metadata/catalog/run-001.jsonl: 1 lines" in found.notes[0]
