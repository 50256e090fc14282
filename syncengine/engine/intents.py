"""What a batch is about to place, written down before: a killed run leaves files that the next one knows again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from syncengine.engine.spool import INTENTS

#: (content, SHA-256 of the file's bytes) -> path
Orphans = Mapping[tuple[bytes, bytes], str]


class Intent(msgspec.Struct, frozen=True, array_like=True):
    """One file that is about to be placed: whose content it is, SHA-256 of its bytes, where."""

    content: bytes
    digest: bytes
    path: str


class Intents:
    """The intents of one run, each batch durable before its first file gets its name.

    Args:
        directory: the run's spool.
        orphans: what earlier runs intended and never recorded; handed on, should this run be killed as well.
    """

    def __init__(self, directory: Path, orphans: Orphans) -> None:
        self._path = directory / INTENTS
        self.write(Intent(content, digest, path) for (content, digest), path in orphans.items())

    def write(self, intents: Iterable[Intent]) -> None:
        """Write some intents down. Raises ``OSError`` when the state directory's disk is full."""
        lines = msgspec.json.Encoder().encode_lines(list(intents))
        if not lines:
            return
        with self._path.open("ab") as stream:
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())


def read_orphans(leftovers: Iterable[Path]) -> dict[tuple[bytes, bytes], str]:
    """Return what the runs that left these spools intended; the last line of a killed run may be half."""
    orphans: dict[tuple[bytes, bytes], str] = {}
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
            orphans[intent.content, intent.digest] = intent.path
    return orphans
