"""What people see while a run goes on: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from syncengine.api import LedgerLine
from syncengine.cli.live import Pace, live_line, suits_live_line
from syncengine.cli.output import size_text

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from syncengine.engine.ports import Progress


class Tally:
    """Counts what happened, for both ways of showing it."""

    def __init__(self) -> None:
        self.total = 0
        self.total_size = 0
        self.done = 0
        self.read = 0
        self.outcomes: Counter[str] = Counter()
        self.text = ""

    def listed(self, count: int, size: int) -> None:
        """Count listed items."""
        self.total += count
        self.total_size += size

    def fetched(self, size: int) -> None:
        """Count bytes."""
        self.read += size

    def finished(self, line: LedgerLine) -> None:
        """Count an outcome."""
        self.done += 1
        self.outcomes[line.outcome] += 1

    def unchanged(self, count: int) -> None:
        """Count unchanged items."""
        self.done += count
        self.outcomes["unchanged"] += count

    def note(self, text: str) -> None:
        """Remember what a long step is doing."""
        self.text = text

    def say(self, text: str) -> None:
        """Show a text that must not be missed."""
        click.echo(text, err=True)

    def counts(self) -> str:
        """Return the outcomes so far."""
        return ", ".join(f"{count:,} {name}" for name, count in self.outcomes.most_common()) or "reading the source"


class PlainLines(Tally):
    """A line now and then, for logs and pipes."""

    def __init__(self, profile: str) -> None:
        super().__init__()
        self._profile = profile
        self._pace = Pace()

    def finished(self, line: LedgerLine) -> None:
        """Count an outcome, and say where the run is when it is time."""
        super().finished(line)
        self._say()

    def unchanged(self, count: int) -> None:
        """Count unchanged items, and say where the run is when it is time."""
        super().unchanged(count)
        self._say()

    def note(self, text: str) -> None:
        """Say what a long step is doing when it is time."""
        super().note(text)
        self._say()

    def _say(self) -> None:
        if self._pace.is_due():
            step = f"; {self.text}" if self.text and not self.done else ""
            click.echo(
                f"{self._profile}: {self.done:,} of {self.total:,} listed items done ({self.counts()}){step}", err=True
            )


class LiveLine(Tally):
    """A bar with items, bytes, rate, time left and outcomes."""

    def __init__(self, shown: RichProgress, task: TaskID) -> None:
        super().__init__()
        self._shown = shown
        self._task = task

    def listed(self, count: int, size: int) -> None:
        """Count listed items, and show them."""
        super().listed(count, size)
        self._show()

    def fetched(self, size: int) -> None:
        """Count bytes, and show them."""
        super().fetched(size)
        self._show()

    def finished(self, line: LedgerLine) -> None:
        """Count an outcome, and show it."""
        super().finished(line)
        self._show()

    def unchanged(self, count: int) -> None:
        """Count unchanged items, and show them."""
        super().unchanged(count)
        self._show()

    def note(self, text: str) -> None:
        """Show what a long step is doing."""
        super().note(text)
        self._show()

    def say(self, text: str) -> None:
        """Show a text that must not be missed, above the line; as it is, so that links can be clicked."""
        self._shown.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _show(self) -> None:
        self._shown.update(
            self._task,
            completed=self.done,
            total=self.total or None,
            bytes=size_text(self.read),
            counts=self.counts() if self.done else self.text or "reading the source",
        )


@contextmanager
def progress_for(profile: str, *, quiet: bool) -> Iterator[Progress]:
    """Give the progress that suits where the output goes.

    Args:
        profile: its name.
        quiet: say nothing on stdout; a terminal on stderr still gets the live line.
    """
    if not suits_live_line(quiet=quiet):
        yield PlainLines(profile)
        return
    # Imported here: only a terminal needs it.
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[bytes]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    with live_line(*columns) as shown:
        task = shown.add_task(profile, total=None, bytes="", counts="reading the source")
        yield LiveLine(shown, task)
