"""The words for people: reports, counts and sizes as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from syncengine.api import Outcome, RunReport

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
MAX_SHOWN = 10

#: What each class of the account means, in the order in which they are shown.
_MEANINGS = {
    Outcome.STORED: "new at the destination",
    Outcome.UNCHANGED: "there already",
    Outcome.DUPLICATE: "the same as a stored file",
    Outcome.UPDATED: "metadata only",
    Outcome.FILTERED: "not selected by the profile",
    Outcome.FAILED: "will be tried again by the next run",
}


def size_text(size: float) -> str:
    """Return bytes for people, in decimal units: ``3.4 MB``."""
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError(size)


def duration_text(seconds: float) -> str:
    """Return a duration for people: ``4.2 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def printable(text: str) -> str:
    """Return text that a terminal can be given: what a source may call a file is not to move its cursor."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def missing_lines(missing: Sequence[str]) -> Iterator[str]:
    """Yield that a source could not be read completely, and what is missing."""
    yield "NOT COMPLETE: the source may hold more than was listed."
    for name in missing[:MAX_SHOWN]:
        yield f"  {printable(name)}"
    if len(missing) > MAX_SHOWN:
        yield f"  and {len(missing) - MAX_SHOWN:,} more"


def report_lines(report: RunReport) -> Iterator[str]:
    """Yield the account of a run, on one screen."""
    yield _headline(report)
    yield f"  {report.source} -> {report.destination}"
    yield ""
    for outcome, meaning in _MEANINGS.items():
        count = report.outcomes.get(outcome, 0)
        if count or outcome in (Outcome.STORED, Outcome.UNCHANGED, Outcome.FAILED):
            yield f"  {outcome:<10} {count:>9,}  {_detail(report, outcome, meaning)}".rstrip()
    yield f"  {'listed':<10} {report.listed:>9,}  {_sum_text(report)}"
    yield ""
    yield from _completeness(report)
    yield from _removals(report)
    yield from _failures(report)
    yield from _warnings(report)


def _headline(report: RunReport) -> str:
    what = "Dry run" if report.dry_run else "Run"
    took = duration_text(report.seconds)
    if report.ended != "completed":
        return f"{what} {report.run} of profile {report.profile} {report.ended} after {took}: {report.reason}"
    verdict = "nothing changed" if _is_unchanged(report) else "done"
    return f"{what} {report.run} of profile {report.profile}: {verdict}, in {took}"


def _is_unchanged(report: RunReport) -> bool:
    """Whether the destination is as it was before, apart from the run's own papers."""
    changing = (Outcome.STORED, Outcome.UPDATED, Outcome.DUPLICATE)
    if report.removed or report.trash_emptied:
        return False
    return report.bytes_written == 0 and not any(report.outcomes.get(outcome, 0) for outcome in changing)


def _detail(report: RunReport, outcome: Outcome, meaning: str) -> str:
    match outcome:
        case Outcome.STORED if report.dry_run:
            return "would be fetched; copies of each other are not known before"
        case Outcome.STORED if report.outcomes.get(outcome, 0):
            alike = f"; {report.near_duplicates:,} look like another file" if report.near_duplicates else ""
            return f"{size_text(report.bytes_written)} written{alike}"
        case Outcome.DUPLICATE:
            return f"{meaning} ({_counts_text(report.duplicates)})"
        case Outcome.FILTERED:
            return f"{meaning} ({_counts_text(report.filtered)})"
        case Outcome.FAILED if not report.outcomes.get(outcome, 0):
            return ""
        case _:
            return meaning if report.outcomes.get(outcome, 0) else ""


def _counts_text(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def _sum_text(report: RunReport) -> str:
    accounted = sum(report.outcomes.values())
    if accounted == report.listed:
        return "every one of them in exactly one line above"
    return f"{report.listed - accounted:,} of them not reached"


def _completeness(report: RunReport) -> Iterator[str]:
    if report.complete:
        yield "The source was read completely:" if report.inventory else "The source was read completely."
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(report.inventory.items()) if count)
        yield from textwrap.wrap(counts, 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        return
    yield "NOT COMPLETE: the source may hold more than was listed."
    for name in report.missing[:MAX_SHOWN]:
        yield f"  {name}"
    if len(report.missing) > MAX_SHOWN:
        yield f"  and {len(report.missing) - MAX_SHOWN:,} more in the report's file"


def _removals(report: RunReport) -> Iterator[str]:
    if report.removal_refused:
        yield ""
        yield f"Mirror: {report.removal_refused}"
        yield from _some_paths(report)
    elif report.removed:
        yield ""
        done = "would go" if report.dry_run else "went"
        yield f"Left the source ({report.removed:,}); {done} to the trash ('syncengine trash list' shows it):"
        yield from _some_paths(report)
    if report.trash_emptied:
        yield ""
        yield f"The trash had kept {report.trash_emptied:,} files for long enough; they are gone for good."


def _some_paths(report: RunReport) -> Iterator[str]:
    for removal in report.removals[:MAX_SHOWN]:
        yield f"  {removal['path']}"
    more = max(report.removed, len(report.removals)) - MAX_SHOWN
    if more > 0:
        yield f"  and {more:,} more"


def _failures(report: RunReport) -> Iterator[str]:
    failed = report.outcomes.get(Outcome.FAILED, 0)
    if not failed:
        return
    yield ""
    yield f"Failed ({failed:,}); each is tried again by the next run:"
    for failure in report.failures[:MAX_SHOWN]:
        yield f"  {failure['name']}: {failure['reason']}"
    if failed > MAX_SHOWN:
        yield f"  and {failed - MAX_SHOWN:,} more in logs/ledger_{report.run}.jsonl at the destination"


def _warnings(report: RunReport) -> Iterator[str]:
    if not report.warnings:
        return
    yield ""
    yield f"Worth knowing ({len(report.warnings):,}):"
    for warning in report.warnings[:MAX_SHOWN]:
        yield f"  {warning}"
    if len(report.warnings) > MAX_SHOWN:
        yield f"  and {len(report.warnings) - MAX_SHOWN:,} more in logs/backup_report_{report.run}.json"
