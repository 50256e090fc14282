"""Files in which a source keeps notes for itself, with SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncengine.api import FatalError


@contextmanager
def noting(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into a ``FatalError`` that names the file: the disk is full, or it may not be written."""
    try:
        yield
    except sqlite3.Error as error:
        raise FatalError(f"{path} cannot be used: {error}", advice="make room there, and run again") from None
