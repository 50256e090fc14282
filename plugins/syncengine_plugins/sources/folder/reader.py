"""Reads the items of one folder: their bytes, and what these and the sidecars beside them say."""

from __future__ import annotations

import os
from pathlib import Path

from syncengine.api import ItemError, MediaItem, Sink
from syncengine_plugins.sources.folder.fetching import Reader
from syncengine_plugins.sources.folder.names import path_of


class FolderReader:
    """Finds items again by their ids; holds nothing open, so that a copy of it does the same in another process.

    Args:
        root: absolute path of the folder.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._reader = Reader()

    def __reduce__(self) -> tuple[type[FolderReader], tuple[str]]:
        return FolderReader, (self._root,)

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the file's bytes; a file that is not as it was listed is an error."""
        self._reader.read(self._path(item), item.content_token, into)

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """Return the item with what its bytes and its sidecars say.

        Args:
            item: as listed.
            path: its fetched bytes; where there is no such file, the source's own is read.
        """
        return self._complete(item, path if os.path.isfile(path) else Path(self._path(item)))

    def describe_in_place(self, item: MediaItem) -> MediaItem:
        """Return the item with what the source's own file and its sidecars say."""
        return self._complete(item, Path(self._path(item)))

    def _complete(self, item: MediaItem, path: Path) -> MediaItem:
        # Imported here: reading EXIF, XMP and movies is not needed where nothing changed.
        from syncengine_plugins.sources.folder.describing import complete

        return complete(item, path, self._root)

    def _path(self, item: MediaItem) -> str:
        relative = path_of(item.id)
        if relative is None:
            raise ItemError(f"{item.id!r} is no id of the folder source")
        return os.path.join(self._root, relative)
