"""Setting files aside in the trash, with the way back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from syncengine.api import Destination, TargetExistsError
from syncengine.engine.trash import Trash
from syncengine.errors import ItemError


class SetAside:
    """Some files that were moved into the trash, and that may come back.

    Args:
        destination: open.
        run: by which they are kept together.
    """

    def __init__(self, destination: Destination[Any], run: str) -> None:
        self._destination = destination
        self._trash = Trash(destination, run)
        self._moved: list[tuple[str, str]] = []

    def put(self, path: str) -> None:
        """Set what is at a path aside, a file or a link; nothing where nothing is.

        Raises:
            ItemError: something else is there, or it cannot be moved.
        """
        with suppress(FileNotFoundError):
            self._moved.append((path, self._trash.put(path)))

    def put_back(self) -> None:
        """Give everything its place again that is still free; what has none stays in the trash."""
        while self._moved:
            path, trashed = self._moved.pop()
            with suppress(FileNotFoundError, TargetExistsError, ItemError):
                self._destination.move(trashed, path)
                self._destination.prune(trashed)
