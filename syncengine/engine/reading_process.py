"""What a reading process does: bring the bytes of a few items into staging, and ask what they say.

Only what goes well is done here. Whatever else happens to an item, a warning in the log included, leaves nothing behind
and is answered with ``None``: the main process then fetches that item itself, and knows what to say, retry or end.
"""

from __future__ import annotations

import itertools
import logging
import os
import pickle  # nosec B403  # between our own processes only
from collections.abc import Callable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from syncengine.api import ItemReader, MediaItem
from syncengine.engine.child_process import settle_in
from syncengine.engine.staging import bring_in, check_time
from syncengine.engine.throttle import Throttle

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event


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


#: The directory of a reading process, and a packed ``Brought`` of each item that it was given and could bring there.
Answer = tuple[Path, list[bytes | None]]


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
        is_stopping: asked before each item.
    """

    def __init__(
        self, reader: ItemReader, zone: tzinfo, directory: Path, alarm: Alarm, is_stopping: Callable[[], bool]
    ) -> None:
        self._reader = reader
        self._zone = zone
        self._directory = directory
        self._alarm = alarm
        self._is_stopping = is_stopping
        self._numbers = itertools.count()
        self._throttle = Throttle(None)

    def bring(self, items: Sequence[MediaItem]) -> Answer:
        """Return what was brought of each item."""
        return self._directory, [None if self._is_stopping() else self._bring(item) for item in items]

    def _bring(self, item: MediaItem) -> bytes | None:
        name = f"f{next(self._numbers)}"
        path = self._directory / name
        self._alarm.rang = False
        try:
            size, digest = bring_in(path, self._throttle, lambda sink: self._reader.fetch(item, sink))
            described = self._reader.describe(item, path)
            check_time(described, self._zone)
            packed = pickle.dumps(Brought(name, described, size, digest))
        except Exception:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # the item's border; told above
            path.unlink(missing_ok=True)
            return None
        if self._alarm.rang:
            path.unlink()
            return None
        return packed


class _Process:
    """What one reading process is: ready, or what went wrong when it started."""

    def __init__(self) -> None:
        self.reader: StagingReader | None = None
        self.failure = ""

    def start(self, packed: bytes, stopping: Event) -> None:
        """Get ready."""
        reader, zone, staging = pickle.loads(packed)  # nosec B301  # made by our own parent process
        directory = staging / f"read-{os.getpid()}"
        directory.mkdir()
        alarm = Alarm()
        logging.getLogger().addHandler(alarm)
        self.reader = StagingReader(reader, zone, directory, alarm, stopping.is_set)


_process: Final = _Process()  # the pool has no other way to hand it to the tasks


def start_reading(packed: bytes, stopping: Event) -> None:
    """Get this process ready; called once, before its first items.

    Args:
        packed: the reader, the time zone and the staging directory.
        stopping: set when no further item is wanted.
    """
    settle_in()
    logging.captureWarnings(capture=True)
    try:
        _process.start(packed, stopping)
    except Exception as error:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # told by ``are_you_there``
        _process.failure = f"{type(error).__name__}: {error}"


def are_you_there() -> None:
    """Answer. Raises ``RuntimeError`` with what went wrong at the start."""
    if _process.failure:
        raise RuntimeError(f"a reading process could not start: {_process.failure}")


def read_here(packed: bytes) -> bytes:
    """Bring some items into staging.

    Args:
        packed: a list of ``MediaItem``.

    Returns:
        A packed ``Answer``, in the same order.
    """
    items: list[MediaItem] = pickle.loads(packed)  # nosec B301  # made by our own parent process
    assert _process.reader is not None  # nosec B101: nobody is given items who could not start
    return pickle.dumps(_process.reader.bring(items))
