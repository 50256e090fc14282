"""What is known of exports from earlier runs: how far their parts were numbered.

Nothing in a part says how many there are, so a last part that was moved away leaves no gap. One that was here once,
while others of its export still are, is missing all the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from syncengine_plugins.sources.takeout.parts import PartNumbers

_NAME = "exports.json"


class LastPart(msgspec.Struct, frozen=True):
    """The last part of an export: its number, and its file's name."""

    number: int
    name: str


class KnownExports:
    """The last part of each export that was ever here.

    Args:
        cache: the directory that it is remembered in; losing it costs this knowledge, and nothing else.
    """

    def __init__(self, cache: Path) -> None:
        self._path = cache / _NAME

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return a sentence for each export whose last part of before is not here, while other parts of it are.

        Args:
            names: file names of the parts that are here; they are remembered.

        Raises:
            OSError: it cannot be remembered.
        """
        here, before = PartNumbers.of(names).last(), self._read()
        gone = [
            f"{last.name}: it was here before, and other parts of its export still are"
            for export, last in sorted(before.items())
            if export in here and here[export][0] < last.number
        ]
        known = before | {
            export: LastPart(*last)
            for export, last in here.items()
            if export not in before or before[export].number < last[0]
        }
        if known != before:
            self._write(known)
        return tuple(gone)

    def _read(self) -> dict[str, LastPart]:
        with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, LastPart])
        return {}

    def _write(self, known: dict[str, LastPart]) -> None:
        new = self._path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(known))
        os.replace(new, self._path)
