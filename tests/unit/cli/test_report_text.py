"""The account in words: each of them true, in every way in which a run can end."""

from __future__ import annotations

import msgspec
import pytest

from syncengine.api import RunReport
from syncengine.cli.advice import advice_for
from syncengine.cli.report_text import report_lines, screen_lines

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
    inventory={"items": 10, "copies": 2, "media": 12, "albums": 2},
    sums={"media": ("items", "copies")},
    reconciled=True,
    bytes_written=3_400_000,
    duplicates={"sha256": 1},
    near_duplicates=2,
    filtered={"albums": 1},
    failures=({"id": "x", "name": "IMG.heic", "reason": "corrupt"},),
    warnings=("a sidecar has no photo",),
    seconds=75.0,
)


def told(**changes):
    return "\n".join(report_lines(msgspec.structs.replace(REPORT, **changes)))


def test_a_report_says_it_all():
    assert list(report_lines(REPORT)) == [
        "Run R1 of profile nas: done in 1 min 15 s",
        "  takeout -> filesystem /nas",
        "",
        "  stored             5  3.4 MB written; 2 look like another file",
        "  unchanged          1  there already, and not read again",
        "  duplicate          1  recognised as a copy of what is there (sha256 1)",
        "  updated            1  no new bytes; what is known of it was updated",
        "  filtered           1  left out by rule (albums 1)",
        "  failed             1  the next run tries again",
        "  listed            10  every one of them in exactly one line above",
        "",
        "Complete: the source listed all it has, and its own numbers agree:",
        "  12 media = 10 items + 2 copies",
        "  2 albums",
        "",
        "Failed (1):",
        "  IMG.heic: corrupt",
        "  What to do: run again; --debug says more",
        "",
        "Worth knowing (1):",
        "  a sidecar has no photo",
    ]


FAILURES = tuple(
    {
        "id": str(number),
        "name": f"IMG_{number}.jpg",
        "reason": ("its checksum is 1, the archive says 2", "odd")[number % 3 > 1],
    }
    for number in range(100)
)
ALL = {"stored": 5, "unchanged": 1, "duplicate": 1, "updated": 1, "filtered": 1, "failed": 2000}
LONG = "x" * 300


@pytest.mark.parametrize(
    "changes",
    [
        {"failures": FAILURES, "outcomes": ALL, "warnings": tuple(f"{LONG} {number}" for number in range(50))},
        {
            "complete": False,
            "missing": tuple(f"{LONG}-{number}" for number in range(50)),
            "failures": FAILURES,
            "outcomes": ALL,
        },
        {"ended": "stopped", "complete": False, "reason": "no space " * 20, "failures": FAILURES, "outcomes": ALL},
        {"removed": 90, "removals": tuple({"path": f"photos/{number}.jpg"} for number in range(90)), "outcomes": ALL},
    ],
)
def test_whatever_happened_fits_on_a_screen(changes):
    lines = list(screen_lines(msgspec.structs.replace(REPORT, **changes)))
    assert len(lines) <= 26
    assert max(map(len, lines)) <= 80


def test_what_was_interrupted_claims_nothing_of_the_rest():
    text = told(
        ended="interrupted",
        reason="interrupted; run again to go on from here",
        complete=False,
        listed=12,
        reconciled=None,
        inventory={},
        sums={},
    )
    assert text.startswith("Run R1 of profile nas: interrupted after 1 min 15 s\n  run again to go on from here\n")
    assert "2 of them not reached" in text
    assert "NOT COMPLETE: the run did not come to its end." in text
    assert "agree" not in text


def test_what_had_to_stop_does_not_promise_its_papers():
    text = told(ended="stopped", reason="no space", complete=False, failures=FAILURES, outcomes=ALL)
    assert "stopped after 1 min 15 s\n  no space\n" in text
    assert "logs/ledger_R1.jsonl (or will be after the next run)" in text


def test_a_source_that_is_not_complete_is_said_to_be_so_by_name():
    text = told(complete=False, missing=tuple(f"part {number}: truncated" for number in range(12)))
    assert "NOT COMPLETE: the source may hold more than was listed:\n  part 0: truncated\n" in text
    assert "  and 2 more\n" in text
    assert "NOT COMPLETE: the source may hold more than was listed.\n" in told(complete=False)


def test_numbers_that_disagree_are_named():
    text = told(complete=False, reconciled=False, disagreements=("the source counts 9 items, and 10 were listed",))
    assert "the numbers do not agree, so something may be missing.\n  the source counts 9 items, and 10" in text


def test_a_dry_run_says_what_would_be():
    text = told(dry_run=True, outcomes={"stored": 9, "updated": 1}, failures=())
    assert text.startswith("Dry run R1 of profile nas: only decided, in")
    assert "would be fetched" in text
    assert "would be brought up to date" in text
    assert "written" not in text
    assert "nothing to do, in" in told(dry_run=True, outcomes={"unchanged": 10}, bytes_written=0)


def test_what_was_narrowed_by_hand_is_not_blamed_on_the_profile():
    text = told(filtered={"--limit": 3, "not in the plan": 1}, plan="/home/plan.json sha256:00")
    assert "left out by rule (--limit 3, not in the plan 1)" in text
    assert "  by the plan /home/plan.json\n" in text


def test_a_part_of_a_library_is_not_called_all_of_it():
    assert "Complete for the part that was asked for, and" in told(partial=True)


def test_numbers_that_nobody_compared_are_not_said_to_agree():
    text = told(reconciled=None, inventory={}, sums={})
    assert "the source listed all it has (and gives no numbers to hold against it)." in text


def test_nothing_changed_is_said_only_when_nothing_did():
    quiet = {"outcomes": {"unchanged": 10}, "bytes_written": 0}
    assert "nothing changed, in" in told(**quiet)
    assert "done in" in told(**quiet, removed=1, removals=({"path": "photos/a.jpg"},))
    assert "done in" in told(outcomes={"duplicate": 1}, bytes_written=0)
    assert "done in" in told(**quiet, albums=1)
    assert "maintained         3  stored files brought up to date" in told(**quiet, maintained=3)
    assert "done in" in told(**quiet, maintained=3)


def test_a_mirror_says_what_it_removed_or_why_it_did_not():
    paths = tuple({"path": f"photos/{number}.jpg"} for number in range(12))
    assert "Left the source (12); went to the trash" in told(removed=12, removals=paths)
    assert "would go to the trash" in told(removed=12, removals=paths, dry_run=True)
    assert "  and 2 more" in told(removed=12, removals=paths)
    assert "Mirror: too many" in told(removal_refused="too many", removals=paths)
    assert "for good" in told(trash_emptied=3)


def test_names_cannot_move_the_cursor():
    text = told(
        failures=({"id": "1", "name": "a\x1b[2J.jpg", "reason": "odd"},), warnings=("b\x07",), destination="\x9b"
    )
    assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize(
    ("reason", "helps"),
    [
        ("damaged HEIC: x; the untouched original is kept as photos/a.heic", "look at them"),
        ("it could not be made again, so the file stays as it was: damaged HEIC: x", "look at them"),
        ("its checksum is 00, the archive says 01", "download that archive"),
        ("a.zip!b.jpg: it ends after 3 of 4 bytes", "download that archive"),
        ("no permission for photos/a.jpg at the destination", "the right to read"),
        ("every name that it could take beside a.jpg is taken by another file", "move away"),
        ("it is not as it was when the plan was made, so it was left alone; make a new plan", "make a new plan"),
        ("a.jpg changed since it was listed", "run again when nothing else writes"),
        ("internal error in heic-to-jpeg: KeyError: 1", "--debug"),
        ("its capture time makes no sense: year 99999", "correct its date"),
    ],
)
def test_each_kind_of_failure_has_its_advice(reason, helps):
    ((advice, count),) = advice_for([reason])
    assert helps in advice
    assert count == 1


def test_the_most_frequent_advice_comes_first():
    assert [count for _, count in advice_for(["odd", "its checksum is 1", "its checksum is 2"])] == [2, 1]
