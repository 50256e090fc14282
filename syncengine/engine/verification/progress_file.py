"""How far a verification came: each file that was found intact, so that an interrupted one goes on from there.

The first line says what was asked for, each further one is that of a file (``RecordedFile.line``). A file whose record
has changed since has another line, so it is read again; so is what was found damaged, for it is not in here.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from syncengine.engine.sorted_lines import SortedLines
from syncengine.engine.verification.selection import Selection

#: Seconds between two writes.
_EVERY = 2.0


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: of which destination, what, and since when, ISO 8601 with offset."""

    version: int = 1
    destination: str
    selection: Selection
    started: str


class ProgressFile:
    """The file on local disk. It is only appended to; the last line of a killed process may be half.

    Args:
        path: where it is; the directory exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[bytes] = []
        self._next = time.monotonic() + _EVERY

    def begun(self) -> Begun | None:
        """Return what the verification that was interrupted had been asked for, or ``None``."""
        try:
            with self._path.open("rb") as stream:
                return msgspec.json.decode(stream.readline(), type=Begun)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def done(self, scratch: Path) -> SortedLines:
        """Return the lines of the files that were found intact, sorted."""
        lines = SortedLines(scratch)
        try:
            with self._path.open("rb") as stream:
                stream.readline()
                for line in stream:
                    if line.endswith(b"\n"):
                        lines.add(line)
        except FileNotFoundError:
            pass
        return lines

    def begin(self, begun: Begun) -> None:
        """Begin anew. Raises ``OSError`` when the disk of the state directory is full."""
        new = self._path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(begun) + b"\n")
        os.replace(new, self._path)

    def go_on(self) -> None:
        """Go on with what is there: end a line that was left half."""
        with self._path.open("rb+") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(size - 1, 0))
            if stream.read(1) != b"\n":
                stream.write(b"\n")

    def add(self, line: bytes) -> None:
        """Remember a file that was found intact; written when it is time."""
        self._lines.append(line)
        if time.monotonic() >= self._next:
            self.write()

    def write(self) -> None:
        """Write what was remembered since the last time. Raises ``OSError``."""
        if self._lines:
            with self._path.open("ab") as stream:
                stream.writelines(self._lines)
            self._lines.clear()
        self._next = time.monotonic() + _EVERY

    def remove(self) -> None:
        """Forget it: the verification came to its end."""
        self._path.unlink(missing_ok=True)
