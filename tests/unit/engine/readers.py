"""Readers that do what an item's name says. Reading processes import this."""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import CaptureTime, ItemError, Kind, MediaItem, Sink


def listed(name: str) -> MediaItem:
    """Return an item as a source lists it; what happens to it is in its name up to the first dot."""
    return MediaItem(id=name, name=name, kind=Kind.PHOTO, content_token="1", size=len(content(name)))


def content(name: str) -> bytes:
    """Return the bytes of an item."""
    return hashlib.sha256(name.encode()).digest() * 10


class Scripted:
    """Fetches and describes, with the accident that the item's name asks for."""

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the bytes in two pieces, with the accident between them."""
        data = content(item.name)
        into.write(data[:7])
        accident: Callable[[], None] = getattr(self, item.name.partition(".")[0])
        accident()
        into.write(data[7:])

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """Return the item with its file's size in words, and a capture time."""
        if item.name.startswith("unclear"):
            raise RuntimeError("what is this?")
        taken = CaptureTime(origin="exif", wall="never" if item.name.startswith("absurd") else "2019-05-04T12:00:00")
        raw: Any = item.raw
        for _ in range(5000 if item.name.startswith("nested") else 0):
            raw = [raw]
        return msgspec.structs.replace(item, description=f"{path.stat().st_size} bytes", taken=taken, raw=raw)

    def fine(self) -> None:
        """Nothing."""

    unclear = absurd = fine

    def gone(self) -> None:
        """Fail as a source does."""
        raise ItemError("it is not there any more")

    def broken(self) -> None:
        """Fail as no source should."""
        raise KeyError("broken")

    def nested(self) -> None:
        """Nothing; what is described cannot be packed."""

    def noisy(self) -> None:
        """Warn."""
        logging.getLogger("reader").warning("this looks odd")

    def crash(self) -> None:
        """End the process."""
        os.kill(os.getpid(), signal.SIGKILL)

    def slow(self) -> None:
        """Take a while."""
        time.sleep(0.5)


class Unsendable(Scripted):
    """Cannot be packed, for some reason."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __reduce__(self) -> str:
        raise self.error


class Lost(Scripted):
    """Can be packed, and not unpacked."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return not_here, ()


def not_here() -> None:
    """Fail, as an import does in another process."""
    raise ImportError("it is not installed here")
