"""What a reading process does: bring the bytes of a few items into staging, and ask what they say.

Only what goes well is done here. Whatever else happens to an item, a warning in the log included, leaves nothing behind
and is answered with ``None``: the main process then fetches that item itself, and knows what to say, retry or end.
"""

from __future__ import annotations

import itertools
import logging
import os
import pickle  # nosec B403  # between our own processes only
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Final

import msgspec

from syncengine.api import ItemReader, MediaItem
from syncengine.engine.child_process import settle_in
from syncengine.engine.staging import bring_in, check_time
from syncengine.engine.throttle import Throttle


class Brought(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An item whose bytes are in staging.

    Args:
        name: of the file, in the reading process's own directory.
        item: as described.
        size: bytes.
        sha256: 32 bytes.
    """

    name: str
    item: MediaItem
    size: int
    sha256: bytes


#: The directory of a reading process, and what it brought there of each item that it was given.
Answer = tuple[Path, list[Brought | None]]


class Alarm(logging.Handler):
    """Notices that something was logged which a person should see."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.rang = False

    def emit(self, record: logging.LogRecord) -> None:
        """Ring."""
        self.rang = True


class StagingReader:
    """Reads items into a directory of its own.

    Args:
        reader: fetches and describes.
        zone: for capture times that know no zone.
        directory: in staging; nobody else makes files in it.
        alarm: hears what is logged.
    """

    def __init__(self, reader: ItemReader, zone: tzinfo, directory: Path, alarm: Alarm) -> None:
        self._reader = reader
        self._zone = zone
        self._directory = directory
        self._alarm = alarm
        self._numbers = itertools.count()
        self._throttle = Throttle(None)

    def bring(self, items: Sequence[MediaItem]) -> Answer:
        """Return the directory, and for each item what was brought there."""
        return self._directory, [self._bring(item) for item in items]

    def _bring(self, item: MediaItem) -> Brought | None:
        name = f"f{next(self._numbers)}"
        path = self._directory / name
        self._alarm.rang = False
        try:
            size, digest = bring_in(path, self._throttle, lambda sink: self._reader.fetch(item, sink))
            described = self._reader.describe(item, path)
            check_time(described, self._zone)
        except Exception:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # the item's border; told above
            path.unlink(missing_ok=True)
            return None
        if self._alarm.rang:
            path.unlink()
            return None
        return Brought(name, described, size, digest)


_process: Final[list[StagingReader]] = []  # a process is one reader; the pool has no other way to hand it to the tasks


def start_reading(packed: bytes) -> None:
    """Get this process ready; called once, before its first items.

    Args:
        packed: the reader, the time zone and the staging directory.
    """
    settle_in()
    logging.captureWarnings(capture=True)
    reader, zone, staging = pickle.loads(packed)  # nosec B301  # made by our own parent process
    directory = staging / f"read-{os.getpid()}"
    directory.mkdir()
    alarm = Alarm()
    logging.getLogger().addHandler(alarm)
    _process[:] = [StagingReader(reader, zone, directory, alarm)]


def are_you_there() -> None:
    """Answer."""


def read_here(packed: bytes) -> bytes:
    """Bring some items into staging.

    Args:
        packed: a list of ``MediaItem``.

    Returns:
        A packed ``Answer``, in the same order.
    """
    items: list[MediaItem] = pickle.loads(packed)  # nosec B301  # made by our own parent process
    return pickle.dumps(_process[0].bring(items))
