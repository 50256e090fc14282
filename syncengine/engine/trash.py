"""The trash at the destination: ``.syncengine/trash/<run>/`` and below it each file under the path that it had."""

from __future__ import annotations

import itertools
from typing import Any

from syncengine.api import Destination, TargetExistsError
from syncengine.engine.safe_names import fit

TRASH = ".syncengine/trash"
ENTRIES = "entries.jsonl"

_MAX_NAME_BYTES = 255


class Trash:
    """Moves files of the destination out of the library, by one run.

    Args:
        destination: open.
        run: id of the run; what it moves stays together.
    """

    def __init__(self, destination: Destination[Any], run: str) -> None:
        self._destination = destination
        self.directory = f"{TRASH}/{run}"

    def put(self, path: str) -> str:
        """Move one file into the trash, never over another one; durable with the destination's next ``flush``.

        The directory that it was in stays, also when it is empty now: see ``Destination.prune``.

        Args:
            path: relative to the destination's root.

        Returns:
            Where the file is now, relative to the root.

        Raises:
            FileNotFoundError: nothing is there.
            ItemError: it cannot be moved (no file, behind a link, no permission); it is where it was.
            FatalError: the destination is gone, full or read-only.
        """
        for number in itertools.count(1):
            to = self.place_of(path, number)
            try:
                self._destination.move(path, to)
            except TargetExistsError:
                continue
            return to
        raise AssertionError("counting ends never")  # pragma: no cover

    def place_of(self, path: str, number: int = 1) -> str:
        """Return where a file goes that was at ``path``: the ``number``-th name that it may take."""
        directory, slash, name = path.rpartition("/")
        own = not slash and name == ENTRIES  # This name belongs to the trash itself.
        if number > 1 or own:
            name = fit(name, f"~{number + own}", _MAX_NAME_BYTES)
        return f"{self.directory}/{directory}{slash}{name}"
