"""Comparing two runs of a profile by their ledgers at the destination."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import date, datetime
from typing import Any

import msgspec

from syncengine.api import Destination, RunReport
from syncengine.app.opening import open_destination
from syncengine.app.scratch import temporary_directory
from syncengine.config.profile import Profile
from syncengine.engine.run_comparison import CHANGES, Comparing, Comparison, remarks_on
from syncengine.engine.sorted_lines import SortedLines
from syncengine.errors import ConfigError, FatalError

LAST = "last"


def compare_runs(profile: Profile, reports: Sequence[RunReport], run: RunReport, since: str) -> Comparison:
    """Return what is different after a run, from what was so after an earlier one.

    Args:
        profile: whose runs.
        reports: its accounts, newest first.
        run: the later run.
        since: the earlier one: its id or the beginning of it; a date, for the last run before that day; or ``last``,
            for the one before.

    Raises:
        ConfigError: there is no such earlier run.
        FatalError: the destination cannot be read, or a ledger that is needed is not there or damaged.
    """
    earlier = [report for report in reports if report.run < run.run]
    base = _base(earlier, since)
    runs = [base, *reversed([report for report in earlier if report.run > base.run]), run]
    with ExitStack() as stack:
        destination = open_destination(profile, threading.Event(), stack, create=False)
        comparing = Comparing(stack.enter_context(closing(SortedLines(temporary_directory(stack)))), len(runs) - 1)
        lost = [one for place, one in enumerate(runs) if not _add(comparing, destination, place, one)]
        if needed := [one for one in lost if one in (base, run)]:
            raise _without_ledger(needed[0], destination)
        counts, named = comparing.changes()
    return Comparison(
        since=base.run,
        run=run.run,
        counts={change: counts[change] for change in CHANGES if counts[change]},
        items={change: named[change] for change in CHANGES if change in named},
        remarks=tuple(remarks_on(base.complete, run.complete, [one.run for one in lost])),
    )


def _base(earlier: Sequence[RunReport], since: str) -> RunReport:
    if not earlier:
        raise ConfigError("--since: there is no earlier run to compare with")
    if since == LAST:
        return earlier[0]
    day = _day(since)
    if day is not None:
        found = next((one for one in earlier if datetime.fromisoformat(one.started).date() < day), None)
        if found is None:
            first = earlier[-1]
            raise ConfigError(f"--since {since}: no run is from before that day; the first is {first.run}")
        return found
    found = next((one for one in earlier if one.run.startswith(since)), None)
    if found is None:
        raise ConfigError(f"--since {since}: no earlier run has that id; 'last' is run {earlier[0].run}")
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if "-" in text else None
    except ValueError:
        raise ConfigError(f"--since {text}: that is no date; write it like 2026-03-31") from None


def _add(comparing: Comparing, destination: Destination[Any], place: int, report: RunReport) -> bool:
    """Take the ledger of one run; return whether it is there."""
    path = _path(report)
    try:
        with destination.read(path) as stream:
            comparing.add(place, stream)
    except FileNotFoundError:
        return _listed_nothing(report)
    except msgspec.MsgspecError as error:
        raise FatalError(f"{path} at {destination.location} is damaged", advice="compare with another run") from error
    return True


def _listed_nothing(report: RunReport) -> bool:
    """Return whether a run had nothing to put into its ledger, and so has none."""
    return not sum(report.outcomes.values())


def _path(report: RunReport) -> str:
    return f"logs/ledger_{report.run}.jsonl"


def _without_ledger(report: RunReport, destination: Destination[Any]) -> FatalError:
    return FatalError(
        f"{_path(report)} is not at {destination.location}, so run {report.run} cannot be compared",
        advice="it was removed, or the run went to another destination; choose another run",
    )
