"""The exit codes, as documented for users."""

from __future__ import annotations

from collections.abc import Iterable

WELL = 0
SOME_ITEMS_FAILED = 1
WRONG = 2
COULD_NOT_RUN = 3
ALREADY_RUNNING = 4
INTERRUPTED = 130

#: What says most about a series of runs comes first.
_GRAVEST_FIRST = (INTERRUPTED, COULD_NOT_RUN, ALREADY_RUNNING, WRONG, SOME_ITEMS_FAILED, WELL)


def gravest(codes: Iterable[int]) -> int:
    """Return the exit code of a command that did several things."""
    return min(codes, key=_GRAVEST_FIRST.index, default=WELL)
