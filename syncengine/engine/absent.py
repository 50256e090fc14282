"""A destination that is not there yet, for rehearsing a first run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Literal

from syncengine.api import Capabilities, Destination, FileStat, PluginOptions, Upload
from syncengine.errors import FatalError


class AbsentDestination(Destination[Any]):
    """Holds nothing and takes nothing.

    Args:
        location: where the real one will be.
    """

    def __init__(self, location: str) -> None:
        super().__init__(PluginOptions())
        self._location = location

    def open(self, *, create: bool = True) -> None:
        """Do nothing."""

    @property
    def identity(self) -> str:
        """No destination's."""
        return ""

    @property
    def location(self) -> str:
        """Where the real one will be."""
        return self._location

    @property
    def capabilities(self) -> Capabilities:
        """Nothing is known."""
        return Capabilities()

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Everything is missing."""
        return set(paths)

    def stat(self, path: str) -> FileStat | None:
        """Nothing is there."""
        return None

    def list(self, prefix: str) -> Iterator[FileStat]:
        """Yield nothing."""
        return iter(())

    def read(self, path: str) -> BinaryIO:
        """Nothing is there."""
        raise FileNotFoundError(path)

    def free_space(self) -> int | None:
        """Nobody knows."""
        return None

    def flush(self) -> None:
        """Nothing was written."""

    def begin(self, path: str) -> Upload:
        """Refuse."""
        raise self._refusal(path)

    def link(self, existing: str, path: str, *, kind: Literal["hardlink", "symlink"]) -> None:
        """Refuse."""
        raise self._refusal(path)

    def move(self, path: str, to: str) -> None:
        """Refuse."""
        raise self._refusal(path)

    def remove(self, path: str) -> None:
        """Refuse."""
        raise self._refusal(path)

    def _refusal(self, path: str) -> FatalError:
        return FatalError(f"{self._location} is not there, so {path} cannot be written", advice="run without --dry-run")
