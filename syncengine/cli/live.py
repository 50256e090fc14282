"""Where progress is shown: a live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

#: Seconds between plain lines.
_EVERY = 10.0


class Pace:
    """Says when it is time for another plain line."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _EVERY

    def is_due(self) -> bool:
        """Return whether it is time; if so, the next time is some seconds away."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + _EVERY
        return True


def suits_live_line(*, quiet: bool) -> bool:
    """Return whether a live line goes to a person; ``quiet`` says that stdout is not for words anyway."""
    return sys.stderr.isatty() and (quiet or sys.stdout.isatty())


@contextmanager
def live_line(*columns: ProgressColumn) -> Iterator[Progress]:
    """Show a line on stderr that goes when all is done."""
    # Imported here: only a terminal needs it.
    from rich.console import Console
    from rich.progress import Progress

    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=5) as shown:
        yield shown
