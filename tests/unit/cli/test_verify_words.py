"""What people see of a verification: while it goes on, and at its end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from syncengine.cli.verify_output import verification_lines
from syncengine.cli.verify_progress import LiveLine, PlainLines, watcher_for
from syncengine.engine.verification.findings import Finding, FindingKind, Verification

GOOD = Verification(
    profile="nas",
    destination="filesystem /mnt/nas",
    started="2026-01-01T10:00:00+00:00",
    continued="",
    finished="2026-01-01T10:01:00+00:00",
    ended="completed",
    reason="",
    selection={"kind": "all"},
    recorded=1000,
    selected=1000,
    checked=1000,
    earlier=0,
    intact=1000,
    bytes_checked=5_000_000_000,
    bytes_read=5_000_000_000,
    seconds=20.0,
)


def text(**facts: Any) -> str:
    return "\n".join(verification_lines(msgspec.structs.replace(GOOD, **facts)))


def finding(kind: FindingKind = FindingKind.FLIPPED, **facts: Any) -> Finding:
    return Finding(**{"kind": kind, "path": f"photos/{kind}.jpg", "reason": "because", **facts})


def test_all_is_well():
    shown = text()
    assert "5.0 GB read in 20.0 s, 250.0 MB/s" in shown
    assert "every one of them was looked at" in shown
    assert shown.endswith("Everything that is recorded is there and intact.")


def test_a_verification_that_went_on():
    assert "went on 2026-01-01T12:00: 400 files were read by then" in text(continued="2026-01-01T12:00", earlier=400)


def test_one_that_came_to_no_end():
    shown = text(ended="stopped", reason="it went away; mount it", checked=10, intact=10)
    assert "stopped after 20.0 s: it went away; mount it" in shown
    assert "990 of them not reached" in shown
    assert shown.endswith("NOT COMPLETE: what was not reached was not checked.")


def test_the_gravest_come_first_and_the_repaired_last():
    many = [finding(FindingKind.EXTRA, path=f"photos/{number}") for number in range(12)]
    repaired = finding(FindingKind.MISSING, repaired=True, repair="from the source")
    shown = text(findings=[*many, repaired, finding(FindingKind.TRUNCATED)]).splitlines()
    first = shown.index("Not as recorded (14):")
    assert shown[first + 1] == "  truncated photos/truncated.jpg: because"
    assert "  and 4 more; --json names them all" in shown
    assert "  missing            1  not there (1 repaired)" in shown
    assert shown[-1] == "NOT ALL WELL: 'syncengine verify --repair' restores what can be restored."


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (finding(repaired=True, repair="from the source"), "Everything that is recorded is there and intact."),
        (finding(repair="not repaired: no copy"), "NOT ALL WELL: see above."),
        (finding(FindingKind.EXTRA), "NOT ALL WELL: see above."),
        (finding(FindingKind.EXTRA, by_others=True), "Everything that is recorded is there and intact."),
    ],
)
def test_the_verdict(found, verdict):
    assert text(findings=[found]).splitlines()[-1] == verdict


def test_names_that_a_terminal_would_obey_are_shown_and_not_obeyed():
    shown = text(findings=[finding(path="a\x1b[2J.jpg"), finding(FindingKind.EXTRA, path="b\x1b", by_others=True)])
    assert "\x1b" not in shown


def test_a_sample_and_what_came_since():
    assert "a sample of 5% was to be read: 50 files (seed 7)" in text(
        selection={"kind": "sample", "sample": 0.05, "seed": 7}, selected=50, checked=50
    )
    shown = text(selection={"kind": "since", "since": "30d"}, selected=0, checked=0, seconds=0.0, bytes_read=0)
    assert "those stored since 30d were to be read: 0 files" in shown
    assert shown.endswith("Everything that was looked at is there and intact.")


def test_plain_progress_is_a_line_now_and_then_with_rate_and_time_left(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("syncengine.cli.verify_progress.time.monotonic", lambda: now[0])
    watcher = PlainLines("nas")
    watcher.planned(100, 1_000_000_000)
    watcher.skipped(50, 500_000_000)
    watcher.checked(100_000_000, None)
    assert capsys.readouterr().err == ""
    now[0] = 20.0
    watcher.checked(100_000_000, finding())
    assert capsys.readouterr().err == (
        "nas: 52 of 100 files, 700.0 MB of 1.0 GB; 10.0 MB/s, about 30.0 s left, 1 not as recorded\n"
    )
    now[0] = 40.0
    watcher.note("looking at the albums")
    assert capsys.readouterr().err == "nas: 52 of 100 files, 700.0 MB of 1.0 GB; looking at the albums\n"


def test_the_live_line_shows_files_bytes_and_words():
    shown: dict[str, Any] = {}

    class Shown:
        def update(self, task: Any, **fields: Any) -> None:
            shown.update(fields)

    watcher = LiveLine(Shown(), 1)  # type: ignore[arg-type]  # as much of rich as it takes
    watcher.note("asking the state")
    assert shown["words"] == "asking the state"
    watcher.planned(10, 1000)
    watcher.skipped(5, 500)
    watcher.reading(60)
    watcher.checked(40, None)
    assert (shown["completed"], shown["total"], shown["files"]) == (600, 1000, "6/10 files")
    assert shown["bytes"] == "600 B of 1.0 kB"


def test_without_a_terminal_lines_are_plain():
    with watcher_for("nas", quiet=False) as watcher:
        assert isinstance(watcher, PlainLines)
