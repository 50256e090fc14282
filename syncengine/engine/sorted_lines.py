"""Sorting more lines than memory should hold."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

#: Lines that are sorted in memory at once; some 10 MB.
_RUN = 50_000


class SortedLines:
    """Takes lines in any order, in bounded memory, and gives them back sorted bytewise.

    Args:
        directory: for temporary files, which have no name there.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lines: list[bytes] = []
        self._runs: list[BinaryIO] = []
        self._stack = ExitStack()

    def add(self, line: bytes) -> None:
        """Take a line that ends with a line feed and has no other."""
        self._lines.append(line)
        if len(self._lines) >= _RUN:
            self._spill()

    def __iter__(self) -> Iterator[bytes]:
        self._lines.sort()
        for run in self._runs:
            run.seek(0)
        yield from heapq.merge(*self._runs, self._lines)

    def close(self) -> None:
        """Remove the temporary files."""
        self._stack.close()

    def _spill(self) -> None:
        run = self._stack.enter_context(TemporaryFile(dir=self._directory))  # noqa: SIM115  # the stack closes it
        run.writelines(sorted(self._lines))
        self._lines.clear()
        self._runs.append(run)
