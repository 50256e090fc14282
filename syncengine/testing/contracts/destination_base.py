"""What the parts of the destinations' suite share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import Destination, Upload

AnyDestination = Destination[Any]


class DestinationSuite(ABC):
    """Makes the destination under test."""

    @abstractmethod
    def make(self, tmp_path: Path) -> AnyDestination:
        """Return a destination that is not open yet; the same storage whenever ``tmp_path`` is the same.

        Args:
            tmp_path: the test's own directory; keep to a new name below it.
        """

    @pytest.fixture
    def destination(self, tmp_path: Path) -> Iterator[AnyDestination]:
        """The destination under test, open."""
        made = self.make(tmp_path)
        made.open()
        yield made
        made.close()


def store(destination: AnyDestination, path: str, content: bytes = b"content", *, mtime: float = 1e9) -> None:
    """Store a file by an upload."""
    upload = destination.begin(path)
    upload.write(content)
    upload.commit(mtime=mtime)


def started(destination: AnyDestination, path: str, content: bytes = b"content") -> Upload:
    """Return an upload of which everything is written and nothing committed."""
    upload = destination.begin(path)
    upload.write(content)
    return upload


def content_of(destination: AnyDestination, path: str) -> bytes:
    """Return a stored file's bytes."""
    with destination.read(path) as stream:
        return stream.read()


def everything(destination: AnyDestination) -> dict[str, bytes]:
    """Return every stored file with its bytes."""
    return {found.path: content_of(destination, found.path) for found in list(destination.list(""))}
