"""A damaged store is set aside without losing anything of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from syncengine.errors import FatalError
from syncengine.state.failures import translated

STORE = "state.lmdb"


def set_aside(directory: Path) -> Path:
    """Rename a damaged store, so that a new one can take its place; nothing of it is deleted.

    Args:
        directory: the state directory; the caller sees to it that nobody is using its store.

    Returns:
        Where it is now.

    Raises:
        FatalError: it cannot be renamed.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1, 100):
        aside = directory / f"{STORE}.damaged-{stamp}{f'-{number}' if number > 1 else ''}"
        if not aside.exists():
            with translated(directory):
                (directory / STORE).rename(aside)
            return aside
    raise FatalError(f"{directory} holds too many damaged stores", advice="move some of them away")
