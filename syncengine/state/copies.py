"""Compact copies of the store beside it, one a day, the newest few kept."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from syncengine.state.store import StateStore

KEPT = 3

_DIRECTORY = "copies"
_NAME = re.compile(r"state-(\d{8})T\d{6}Z\.mdb")


def keep_copy(store: StateStore, directory: Path, now: datetime | None = None) -> Path | None:
    """Write today's copy, unless there is one, and remove those that are too many.

    Args:
        store: open.
        directory: the state directory; the copies are in ``copies`` there.
        now: the time, with its zone.

    Returns:
        The new copy, or ``None`` when there is one of today.

    Raises:
        FatalError: it cannot be written; the older ones stay.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    before = copies(directory)
    if any(path.name.startswith(f"state-{moment:%Y%m%d}T") for path in before):
        return None
    made = new_copy(store, directory, moment)
    for path in copies(directory)[KEPT:]:
        with suppress(OSError):
            path.unlink()
    return made


def new_copy(store: StateStore, directory: Path, now: datetime | None = None) -> Path:
    """Write a copy now. Raises ``FatalError`` when it cannot be written."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    target = directory / _DIRECTORY / f"state-{moment:%Y%m%dT%H%M%SZ}.mdb"
    store.copy(target)
    return target


def copies(directory: Path) -> list[Path]:
    """Return the copies in a state directory, newest first."""
    with suppress(OSError):
        found = (path for path in (directory / _DIRECTORY).iterdir() if _NAME.fullmatch(path.name))
        return sorted(found, key=lambda path: path.name, reverse=True)
    return []
