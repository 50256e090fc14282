"""``syncengine trash`` and the options of a mirror: what is refused before anything is touched, and the words."""

from __future__ import annotations

import msgspec
import pytest
from click.testing import CliRunner

from syncengine.api import RunReport
from syncengine.cli import exit_codes, run, trash
from syncengine.cli.report_text import report_lines
from syncengine.cli.run import exit_code_for

REPORT = RunReport(
    run="R1",
    profile="nas",
    source="takeout",
    destination="filesystem /nas",
    started="",
    finished="",
    listed=10,
    outcomes={"unchanged": 10},
    complete=True,
)
GONE = ({"id": "x", "name": "a.jpg", "path": "photos/a.jpg", "reason": "left the source"},)


def told(**changes):
    return "\n".join(report_lines(msgspec.structs.replace(REPORT, **changes)))


def test_what_was_removed_is_told():
    text = told(removed=1, removals=GONE)
    assert "Left the source (1); went to the trash" in text
    assert "  photos/a.jpg" in text
    assert "would go to the trash" in told(removed=1, removals=GONE, dry_run=True)
    assert "The trash had kept 1,200 files" in told(trash_emptied=1200)


def test_what_was_refused_is_told_and_not_all_well():
    text = told(removal_refused="nothing was removed: the source is empty", removals=GONE)
    assert "Mirror: nothing was removed: the source is empty" in text
    assert "  photos/a.jpg" in text
    assert exit_code_for(msgspec.structs.replace(REPORT, removal_refused="x")) == exit_codes.SOME_ITEMS_FAILED
    assert exit_code_for(REPORT) == exit_codes.WELL


@pytest.mark.parametrize(
    ("command", "arguments", "says"),
    [
        (trash.command, ["restore", "p.yaml"], "say what to bring back"),
        (trash.command, ["empty", "p.yaml", "--older-than", "soon"], "such as 30d or 12h"),
        (trash.command, ["empty", "p.yaml", "--older-than", "-1d"], "such as 30d or 12h"),
        (run.command, ["p.yaml", "--max-delete", "many"], "a percentage such as 1%"),
        (run.command, ["p.yaml", "--max-delete", "120%"], "a percentage such as 1%"),
    ],
)
def test_a_wrong_command_line_is_refused(command, arguments, says):
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == exit_codes.WRONG
    assert says in result.output
