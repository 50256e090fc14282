"""What a batch is about to place, written down before: a killed run leaves files that the next one knows again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from syncengine.engine.spool import INTENTS

#: (content, whether it is the untouched original) -> path
Orphans = Mapping[tuple[bytes, bool], str]


class Intent(msgspec.Struct, frozen=True, array_like=True):
    """One file that is about to be placed."""

    content: bytes
    is_original: bool
    path: str


class Intents:
    """The intents of one run, each batch durable before its first file gets its name.

    Args:
        directory: the run's spool.
        orphans: what earlier runs intended and never recorded; handed on, should this run be killed as well.
    """

    def __init__(self, directory: Path, orphans: Orphans) -> None:
        self._path = directory / INTENTS
        self.write(Intent(content, original, path) for (content, original), path in orphans.items())

    def write(self, intents: Iterable[Intent]) -> None:
        """Write some intents down. Raises ``OSError`` when the state directory's disk is full."""
        lines = msgspec.json.Encoder().encode_lines(list(intents))
        if not lines:
            return
        with self._path.open("ab") as stream:
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())


def read_orphans(leftovers: Iterable[Path]) -> dict[tuple[bytes, bool], str]:
    """Return what the runs that left these spools intended; the last line of a killed run may be half."""
    orphans: dict[tuple[bytes, bool], str] = {}
    decoder = msgspec.json.Decoder(Intent)
    for directory in leftovers:
        try:
            lines = (directory / INTENTS).read_bytes().splitlines()
        except FileNotFoundError:
            continue
        for line in lines:
            try:
                intent = decoder.decode(line)
            except msgspec.MsgspecError:
                continue
            orphans[intent.content, intent.is_original] = intent.path
    return orphans
