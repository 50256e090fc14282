"""What people see while a verification goes on: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from syncengine.cli.live import Pace, live_line, suits_live_line
from syncengine.cli.output import duration_text, size_text

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from syncengine.engine.verification.findings import Finding
    from syncengine.engine.verification.verifier import Watcher

#: Seconds after which the time left is worth saying.
_WARM_UP = 2.0


class Tally:
    """Counts what was read, for both ways of showing it."""

    def __init__(self) -> None:
        self.files = self.size = 0
        self.done = self.done_size = 0
        self.read = self.found = 0
        self.text = ""
        self._start = 0.0
        self._lock = threading.Lock()

    def planned(self, files: int, size: int) -> None:
        """Take what there is to read."""
        self.files, self.size = files, size
        self._start = time.monotonic()

    def skipped(self, files: int, size: int) -> None:
        """Count what an earlier part has read."""
        self.done += files
        self.done_size += size

    def reading(self, size: int) -> None:
        """Count a part of a large file."""
        with self._lock:
            self.done_size += size
            self.read += size

    def checked(self, size: int, finding: Finding | None) -> None:
        """Count a file."""
        self.done += 1
        with self._lock:
            self.done_size += size
            self.read += size
        self.found += finding is not None
        self.text = ""

    def note(self, text: str) -> None:
        """Remember what a long step is doing."""
        self.text = text

    def rate(self) -> float:
        """Return the bytes per second so far."""
        return self.read / max(time.monotonic() - self._start, 1e-3)

    def left(self) -> str:
        """Return the time that is left, for people; empty when nobody can say."""
        seconds = time.monotonic() - self._start
        if not self.read or seconds < _WARM_UP:
            return ""
        return f"about {duration_text(max(self.size - self.done_size, 0) / self.rate())} left"

    def words(self) -> str:
        """Return where it is, for people."""
        if self.text:
            return self.text
        found = f"{self.found:,} not as recorded" if self.found else ""
        rate = f"{size_text(self.rate())}/s" if self.read else ""
        return ", ".join(word for word in (rate, self.left(), found) if word)


class PlainLines(Tally):
    """A line now and then, for logs and pipes."""

    def __init__(self, profile: str) -> None:
        super().__init__()
        self._profile = profile
        self._pace = Pace()

    def reading(self, size: int) -> None:
        """Count a part of a large file, and say where the verification is when it is time."""
        super().reading(size)
        self._say()

    def checked(self, size: int, finding: Finding | None) -> None:
        """Count a file, and say where the verification is when it is time."""
        super().checked(size, finding)
        self._say()

    def note(self, text: str) -> None:
        """Say what a long step is doing when it is time."""
        super().note(text)
        self._say()

    def _say(self) -> None:
        if self._pace.is_due():
            of = f"{self.done:,} of {self.files:,} files, {size_text(self.done_size)} of {size_text(self.size)}"
            click.echo(f"{self._profile}: {of}; {self.words()}", err=True)


class LiveLine(Tally):
    """A bar with files, bytes, rate, time left and findings."""

    def __init__(self, shown: RichProgress, task: TaskID) -> None:
        super().__init__()
        self._shown = shown
        self._task = task

    def planned(self, files: int, size: int) -> None:
        """Take what there is to read, and show it."""
        super().planned(files, size)
        self._show()

    def skipped(self, files: int, size: int) -> None:
        """Count what an earlier part has read, and show it."""
        super().skipped(files, size)
        self._show()

    def reading(self, size: int) -> None:
        """Count a part of a large file, and show it."""
        super().reading(size)
        self._show()

    def checked(self, size: int, finding: Finding | None) -> None:
        """Count a file, and show it."""
        super().checked(size, finding)
        self._show()

    def note(self, text: str) -> None:
        """Show what a long step is doing."""
        super().note(text)
        self._show()

    def _show(self) -> None:
        self._shown.update(
            self._task,
            completed=self.done_size,
            total=self.size or None,
            files=f"{self.done:,}/{self.files:,} files",
            bytes=f"{size_text(self.done_size)} of {size_text(self.size)}",
            words=self.words(),
        )


@contextmanager
def watcher_for(profile: str, *, quiet: bool) -> Iterator[Watcher]:
    """Give the watcher that suits where the output goes.

    Args:
        profile: its name.
        quiet: say nothing on stdout; a terminal on stderr still gets the live line.
    """
    if not suits_live_line(quiet=quiet):
        yield PlainLines(profile)
        return
    # Imported here: only a terminal needs it.
    from rich.progress import BarColumn, SpinnerColumn, TextColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[files]}"),
        TextColumn("{task.fields[bytes]}"),
        TextColumn("{task.fields[words]}"),
    )
    with live_line(*columns) as shown:
        task = shown.add_task(profile, total=None, files="", bytes="", words="asking the state what is recorded")
        yield LiveLine(shown, task)
