"""The words for people."""

from __future__ import annotations

import pytest

from syncengine.api import LedgerLine, Outcome, RunReport
from syncengine.cli.output import duration_text, report_lines, size_text
from syncengine.cli.progress import PlainLines

REPORT = RunReport(
    run="R1",
    profile="nas",
    source="takeout",
    destination="filesystem /nas",
    started="",
    finished="",
    listed=10,
    outcomes={"stored": 5, "unchanged": 1, "duplicate": 1, "updated": 1, "filtered": 1, "failed": 1},
    complete=True,
    inventory={"media": 12, "albums": 2},
    bytes_written=3_400_000,
    duplicates={"sha256": 1},
    near_duplicates=2,
    filtered={"albums": 1},
    failures=({"id": "x", "name": "IMG.heic", "reason": "corrupt"},),
    warnings=("a sidecar has no photo",),
    seconds=75.0,
)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3_400_000, "3.4 MB"), (5e17, "500.0 PB")]
)
def test_sizes(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(4.21, "4.2 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")])
def test_durations(seconds, text):
    assert duration_text(seconds) == text


def test_a_report_fits_on_a_screen_and_adds_up():
    lines = list(report_lines(REPORT))
    assert lines == [
        "Run R1 of profile nas: done, in 1 min 15 s",
        "  takeout -> filesystem /nas",
        "",
        "  stored             5  3.4 MB written; 2 look like another file",
        "  unchanged          1  there already",
        "  duplicate          1  the same as a stored file (sha256 1)",
        "  updated            1  metadata only",
        "  filtered           1  not selected by the profile (albums 1)",
        "  failed             1  will be tried again by the next run",
        "  listed            10  every one of them in exactly one line above",
        "",
        "The source was read completely:",
        "  2 albums, 12 media",
        "",
        "Failed (1); each is tried again by the next run:",
        "  IMG.heic: corrupt",
        "",
        "Worth knowing (1):",
        "  a sidecar has no photo",
    ]


def test_an_incomplete_report_names_what_is_missing():
    import msgspec

    report = msgspec.structs.replace(
        REPORT, complete=False, ended="stopped", reason="no space", missing=("part 2: truncated",), listed=12
    )
    text = "\n".join(report_lines(report))
    assert "stopped after 1 min 15 s: no space" in text
    assert "NOT COMPLETE" in text
    assert "part 2: truncated" in text
    assert "2 of them not reached" in text


def test_plain_progress_is_a_line_now_and_then(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("syncengine.cli.progress.time.monotonic", lambda: now[0])
    progress = PlainLines("nas")
    progress.note("reading part 1")
    now[0] = 11
    progress.note("reading part 2")
    progress.listed(3, 300)
    progress.finished(LedgerLine(outcome=Outcome.STORED, id="a", name="a"))
    now[0] = 22
    progress.fetched(100)
    progress.unchanged(2)
    assert capsys.readouterr().err.splitlines() == [
        "nas: 0 of 0 listed items done (reading the source); reading part 2",
        "nas: 3 of 3 listed items done (2 unchanged, 1 stored)",
    ]
