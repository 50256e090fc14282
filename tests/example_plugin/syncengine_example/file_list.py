"""Source ``file-list``: the photos that a text file names, one path in each line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from syncengine.api import (
    Album,
    CaptureTime,
    FatalError,
    Inventory,
    ItemError,
    Kind,
    MediaItem,
    Meta,
    PluginOptions,
    Registry,
    RunContext,
    Selection,
    Sink,
    Source,
    hookimpl,
)

_CHUNK = 1 << 20
_PHOTOS = (".jpg", ".jpeg", ".heic", ".png")


class FileListOptions(PluginOptions, frozen=True):
    """Backs up the files that a text file names."""

    path: Annotated[str, Meta(min_length=1, description="Text file with one path in each line, relative to it.")]


class FileList(Source[FileListOptions]):
    """Lists files by the lines of a text file; empty lines and lines that begin with ``#`` mean nothing."""

    Options = FileListOptions

    def __init__(self, options: FileListOptions) -> None:
        super().__init__(options)
        self._list = Path(options.path).expanduser()
        self._missing: list[str] = []
        self._count = 0

    def open(self, context: RunContext) -> None:
        """Check that the list is there."""
        super().open(context)
        if not self._list.is_file():
            raise FatalError(f"there is no file list {self._list}", advice="write the wanted paths into it, one a line")

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Yield the files in the order of the list; one that is not there makes the inventory incomplete."""
        self._missing, self._count = [], 0
        for line in dict.fromkeys(self._lines()):
            path = self._list.parent / line
            try:
                status = path.stat()
            except OSError as error:
                self._missing.append(f"{line}: {error.strerror}")
                continue
            self._count += 1
            yield MediaItem(
                id=line,
                name=path.name,
                kind=Kind.PHOTO if path.suffix.lower() in _PHOTOS else Kind.OTHER,
                content_token=f"{status.st_size}-{status.st_mtime_ns}",
                size=status.st_size,
                taken=CaptureTime(origin="mtime", instant=status.st_mtime_ns // 1_000_000),
                origins=(str(path),),
                locator=path,
            )

    def inventory(self) -> Inventory:
        """Return how many files there were, and which of the list were not there."""
        return Inventory(complete=not self._missing, missing=tuple(self._missing), counts={"media": self._count})

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the file's bytes."""
        try:
            with Path(item.locator).open("rb") as file:
                while chunk := file.read(_CHUNK):
                    into.write(chunk)
        except OSError as error:
            raise ItemError(f"{item.id} cannot be read: {error.strerror}") from error

    def albums(self) -> Iterator[Album]:
        """Yield nothing: a list of files knows no albums."""
        return iter(())

    def _lines(self) -> Iterator[str]:
        for line in self._list.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                yield line.strip()


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Make ``file-list`` known."""
    registry.add("source", "file-list", FileList)
