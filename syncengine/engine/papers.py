"""The engine's own files at the destination: written under temporary names, flushed together, put in place together."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from syncengine.api import Destination, ItemError
from syncengine.engine.hashing import digest_of, holds
from syncengine.engine.staging import write_staged


class Papers:
    """Files that take the place of older ones: listings, albums, reports.

    Args:
        destination: open.
        staging: where they are written first.
    """

    def __init__(self, destination: Destination[Any], staging: Path) -> None:
        self._destination = destination
        self._staging = staging
        self._numbers = itertools.count()
        self._staged: list[tuple[Path, str]] = []

    def stage(self, path: str) -> Path:
        """Return a local name to write the file that is to be at ``path``."""
        staged = self._staging / f"p{next(self._numbers)}"
        self._staged.append((staged, path))
        return staged

    def write(self, path: str, content: bytes) -> None:
        """Write a whole file. Raises ``FatalError`` when staging is full or gone."""
        write_staged(self.stage(path), content)

    def place(self) -> list[str]:
        """Put all of them in place, durably: a power cut leaves each file old or new, never empty.

        A file that is there already, byte for byte, stays as it is: with its time, and out of snapshots' way.

        Returns:
            What is in the way of some of them, a sentence each; the others are in place.
        """
        if not self._staged:
            return []
        refused: list[str] = []
        self._destination.flush()
        while self._staged:
            staged, path = self._staged.pop()
            try:
                if self._is_there(staged, path):
                    staged.unlink()
                else:
                    self._destination.place(staged, path, replace=True)
            except ItemError as error:
                staged.unlink(missing_ok=True)
                refused.append(f"{path} could not be written: {error}")
        self._destination.flush()
        return refused

    def _is_there(self, staged: Path, path: str) -> bool:
        size = staged.stat().st_size
        try:
            there = self._destination.stat(path)
            if there is None or there.size != size:
                return False
            with open(staged, "rb") as file:
                return holds(self._destination, path, digest_of(file), size)
        except (ItemError, FileNotFoundError):
            return False
