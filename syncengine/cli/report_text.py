"""The account of a run in words: what happened, whether it is all of the library, what failed and what to do about it.

Each sentence says what the run found out and no more; what an interrupted or narrowed run cannot know is not claimed.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping

from syncengine.api import Outcome, RunReport
from syncengine.cli.advice import advice_for
from syncengine.cli.output import duration_text, folded, printable, size_text

#: Columns and lines of the smallest screen.
_COLUMNS, _LINES = 80, 24
_WIDE_ENOUGH = 100_000
#: How many failures, missing parts and so on are named; fewer where a report has to fit.
_MOST, *_FEWER = (10, 5, 4, 3, 2, 1)

#: What each class of the account means, in the order in which they are shown.
_MEANINGS = {
    Outcome.STORED: "",
    Outcome.UNCHANGED: "there already, and not read again",
    Outcome.DUPLICATE: "recognised as a copy of what is there",
    Outcome.UPDATED: "no new bytes; what is known of it was updated",
    Outcome.FILTERED: "left out by rule",
    Outcome.FAILED: "the next run tries again",
}


def report_lines(report: RunReport) -> Iterator[str]:
    """Yield the account of a run: on one screen where stdout is a terminal, else with every line as long as it is."""
    if not sys.stdout.isatty():
        return _Words(report, _WIDE_ENOUGH, _MOST, cut=False).lines()
    size = shutil.get_terminal_size((_COLUMNS, _LINES))
    return screen_lines(report, max(_COLUMNS, size.columns), max(_LINES, size.lines - 1))


def screen_lines(report: RunReport, columns: int = _COLUMNS, lines: int = _LINES) -> Iterator[str]:
    """Yield the account of a run in so many lines if that can be: naming less, and cutting what is long."""
    told = list(_Words(report, columns, _MOST, cut=False).lines())
    for shown in _FEWER:
        if len(told) <= lines:
            break
        told = list(_Words(report, columns, shown, cut=True).lines())
    yield from told


class _Words:
    """One way to tell a report.

    Args:
        report: the account.
        width: of a line.
        shown: how many failures, missing parts and so on are named.
        cut: each of them takes one line only.
    """

    def __init__(self, report: RunReport, width: int, shown: int, *, cut: bool) -> None:
        self._report = report
        self._width = width
        self._shown = shown
        self._cut = cut

    def lines(self) -> Iterator[str]:
        """Yield all of it."""
        yield from self._head()
        yield ""
        yield from self._classes()
        yield ""
        yield from self._completeness()
        yield from self._removals()
        yield from self._failures()
        yield from self._warnings()

    def _head(self) -> Iterator[str]:
        report = self._report
        what = "Dry run" if report.dry_run else "Run"
        yield f"{what} {report.run} of profile {report.profile}: {self._verdict()} {duration_text(report.seconds)}"
        if report.ended != "completed" and report.reason:
            yield from self._wrapped(report.reason.removeprefix("interrupted; "))
        yield f"  {report.source} -> {printable(report.destination)}"
        if report.plan:
            yield f"  by the plan {printable(report.plan.rpartition(' sha256:')[0])}"

    def _verdict(self) -> str:
        report = self._report
        if report.ended != "completed":
            return f"{report.ended} after"
        if not _is_unchanged(report):
            return "only decided, in" if report.dry_run else "done in"
        return "nothing to do, in" if report.dry_run else "nothing changed, in"

    def _classes(self) -> Iterator[str]:
        report = self._report
        for outcome in _MEANINGS:
            count = report.outcomes.get(outcome, 0)
            if count or outcome in (Outcome.STORED, Outcome.UNCHANGED, Outcome.FAILED):
                yield from self._counted(outcome, count, self._meaning(outcome) if count else "")
        missed = report.listed - sum(report.outcomes.values())
        text = f"{missed:,} of them not reached" if missed > 0 else "every one of them in exactly one line above"
        yield from self._counted("listed", report.listed, text if report.listed else "")
        if report.maintained:
            text = "stored files brought up to date with the profile"
            yield from self._counted("maintained", report.maintained, text)

    def _counted(self, name: str, count: int, text: str) -> Iterator[str]:
        lead = f"  {name:<10} {count:>9,}  "
        yield from textwrap.wrap(text, self._width, initial_indent=lead, subsequent_indent=" " * len(lead)) or [
            lead.rstrip()
        ]

    def _meaning(self, outcome: Outcome) -> str:
        report = self._report
        if outcome is Outcome.STORED:
            if report.dry_run:
                return "would be fetched; copies of each other are only known then"
            alike = f"; {report.near_duplicates:,} look like another file" if report.near_duplicates else ""
            return f"{size_text(report.bytes_written)} written{alike}"
        meaning = _MEANINGS[outcome]
        if outcome is Outcome.UPDATED and report.dry_run:
            return "would be brought up to date, without their bytes"
        if outcome is Outcome.DUPLICATE:
            return f"{meaning} ({_counts_text(report.duplicates)})"
        if outcome is Outcome.FILTERED:
            return f"{meaning} ({_counts_text(report.filtered)})"
        return meaning

    def _completeness(self) -> Iterator[str]:
        report = self._report
        if report.complete:
            yield from self._complete()
        elif report.disagreements:
            yield "NOT COMPLETE: the numbers do not agree, so something may be missing."
            for sentence in report.disagreements[: self._shown]:
                yield from self._named(sentence)
        elif report.missing:
            yield "NOT COMPLETE: the source may hold more than was listed:"
            for name in report.missing[: self._shown]:
                yield from self._named(name)
            if len(report.missing) > self._shown:
                yield f"  and {len(report.missing) - self._shown:,} more"
        elif report.ended != "completed":
            yield "NOT COMPLETE: the run did not come to its end."
        else:
            yield "NOT COMPLETE: the source may hold more than was listed."

    def _complete(self) -> Iterator[str]:
        report = self._report
        what = (
            "Complete for the part that was asked for" if report.partial else "Complete: the source listed all it has"
        )
        numbers = list(self._numbers())
        if report.reconciled is None:
            yield f"{what} (and gives no numbers to hold against it)" + (":" if numbers else ".")
        else:
            yield f"{what}, and its own numbers agree" + (":" if numbers else ".")
        yield from numbers

    def _numbers(self) -> Iterator[str]:
        """Yield the source's totals: those that are sums of others first."""
        report = self._report
        in_sums = set[str]()
        for total, parts in report.sums.items():
            there = [f"{report.inventory[part]:,} {part}" for part in parts if report.inventory.get(part)]
            in_sums |= {total, *parts}
            if len(there) > 1:
                yield from self._wrapped(f"{report.inventory.get(total, 0):,} {total} = {' + '.join(there)}")
        rest = sorted((name, count) for name, count in report.inventory.items() if count and name not in in_sums)
        if rest:
            yield from self._wrapped(", ".join(f"{count:,} {name}" for name, count in rest))

    def _removals(self) -> Iterator[str]:
        report = self._report
        if report.removal_refused:
            yield ""
            yield from textwrap.wrap(f"Mirror: {report.removal_refused}", self._width, subsequent_indent="  ")
            yield from self._paths()
        elif report.removed:
            yield ""
            done = "would go" if report.dry_run else "went"
            yield f"Left the source ({report.removed:,}); {done} to the trash ('syncengine trash list' shows it):"
            yield from self._paths()
        if report.trash_emptied:
            yield f"The trash had kept {report.trash_emptied:,} files for long enough; they are gone for good."

    def _paths(self) -> Iterator[str]:
        report = self._report
        for removal in report.removals[: self._shown]:
            yield f"  {printable(removal['path'])}"
        more = max(report.removed, len(report.removals)) - self._shown
        if more > 0:
            yield f"  and {more:,} more"

    def _failures(self) -> Iterator[str]:
        report = self._report
        failed = report.outcomes.get(Outcome.FAILED, 0)
        if not failed:
            return
        yield ""
        yield f"Failed ({failed:,}):"
        for failure in report.failures[: self._shown]:
            yield from self._named(f"{failure['name']}: {failure['reason']}")
        if failed > self._shown:
            yield from self._wrapped(f"and {failed - self._shown:,} more; all are in {self._where('ledger', 'jsonl')}")
        advised = advice_for(failure["reason"] for failure in report.failures)
        for advice, count in advised[: self._shown]:
            of = f" ({count:,} of the first {len(report.failures):,})" if len(advised) > 1 else ""
            yield from textwrap.wrap(f"  What to do{of}: {advice}", self._width, subsequent_indent="    ")

    def _warnings(self) -> Iterator[str]:
        report = self._report
        if not report.warnings:
            return
        groups = folded(report.warnings)
        yield ""
        yield f"Worth knowing ({len(report.warnings):,}):"
        for text in groups[: self._shown]:
            yield from self._named(text)
        if len(groups) > self._shown:
            more = f"and {len(groups) - self._shown:,} more"
            yield from self._wrapped(f"{more}; all are in {self._where('backup_report', 'json')}")

    def _where(self, kind: str, form: str) -> str:
        """Return where all is written; a run that had to stop leaves that to the next one where it cannot write."""
        if self._report.dry_run:
            return "the output of --json"
        path = f"logs/{kind}_{self._report.run}.{form}"
        return f"{path} (or will be after the next run)" if self._report.ended == "stopped" else path

    def _named(self, text: str) -> list[str]:
        """Return one of several things, in one line where space is short."""
        line = "  " + printable(text)
        if self._cut:
            return [line if len(line) <= self._width else line[: self._width - 3] + "..."]
        return self._wrapped(text)

    def _wrapped(self, text: str) -> list[str]:
        return textwrap.wrap(
            printable(text),
            self._width,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
            break_long_words=False,
        )


def _is_unchanged(report: RunReport) -> bool:
    """Whether the destination is as it was before, apart from the run's own papers."""
    changing = (Outcome.STORED, Outcome.UPDATED, Outcome.DUPLICATE)
    if report.removed or report.trash_emptied or report.bytes_written or report.maintained or report.albums:
        return False
    return not any(report.outcomes.get(outcome, 0) for outcome in changing)


def _counts_text(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
