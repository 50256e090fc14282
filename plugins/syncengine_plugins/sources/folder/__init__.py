"""The ``folder`` source: any tree of photos and videos, such as a camera card, a phone's dump or an older backup."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from syncengine.api import (
    Album,
    AlbumRef,
    FatalError,
    Inventory,
    ItemError,
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
from syncengine_plugins.sources.folder.listing import Listing
from syncengine_plugins.sources.folder.names import id_of, name_of
from syncengine_plugins.sources.folder.reader import FolderReader
from syncengine_plugins.sources.folder.tally import Tally
from syncengine_plugins.sources.folder.tree import Tree


class FolderOptions(PluginOptions, frozen=True, kw_only=True):
    """Options of the ``folder`` source."""

    path: Annotated[str, Meta(min_length=1, description="The folder; everything below it is listed.")]
    folders_as_albums: Annotated[bool, Meta(description="Each folder below it is an album with the folder's name.")] = (
        False
    )
    include_other: Annotated[bool, Meta(description="List files that are neither photo nor video as well.")] = False
    include_hidden: Annotated[bool, Meta(description="List files and folders whose names begin with a dot.")] = False


class FolderSource(Source[FolderOptions]):
    """Lists a directory tree; links are never followed, and nothing in it is ever changed."""

    Options = FolderOptions
    reads_local_disk = True

    def __init__(self, options: FolderOptions) -> None:
        super().__init__(options)
        self._tally = Tally()
        self._tree: Tree | None = None
        self._reader: FolderReader | None = None

    def open(self, context: RunContext) -> None:
        """Check that the folder is there. Raises ``FatalError`` when it is not."""
        super().open(context)
        self._tree = Tree(self.options.path, include_hidden=self.options.include_hidden)
        self._reader = FolderReader(self._tree.path)

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Yield every photo and video, folder by folder in the order of names.

        Capture times and what sidecars say are read now only where ``select`` needs them.
        """
        tree, self._tally = self._root(), Tally()
        reads_ahead = select.needs_time or select.favorites
        for directory in tree.walk(self._tally):
            listing = Listing(directory, self._tally, include_other=self.options.include_other)
            albums = self._albums_of(directory.prefix)
            items = listing.items(tree, albums)
            if reads_ahead:
                yield from map(self._opened_reader.describe_in_place, items)
            else:
                yield from items

    def inventory(self) -> Inventory:
        """Return the totals of the last scan."""
        return self._tally.inventory(others_listed=self.options.include_other)

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the file's bytes; a file that is not as it was listed is an error."""
        try:
            self._opened_reader.fetch(item, into)
        except ItemError:
            self._root().check_root()
            raise

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """Return the item with what its bytes and its sidecars say.

        Args:
            item: as listed.
            path: its fetched bytes; where there is no such file, the source's own is read.
        """
        return self._opened_reader.describe(item, path)

    def reader(self) -> FolderReader:
        """Return what reads the same files elsewhere."""
        return self._opened_reader

    def albums(self) -> Iterator[Album]:
        """Yield every folder that holds an item, if folders are albums."""
        if not self.options.folders_as_albums:
            return
        tally = Tally()
        for directory in self._root().walk(tally):
            count = Listing(directory, tally, include_other=self.options.include_other).count()
            for album in self._albums_of(directory.prefix) if count else ():
                yield Album(id=album.id, title=album.title, count=count)

    def _root(self) -> Tree:
        if self._tree is None:
            raise FatalError("the folder source was not opened", advice="open it before listing or fetching")
        return self._tree

    @property
    def _opened_reader(self) -> FolderReader:
        if self._reader is None:
            raise FatalError("the folder source was not opened", advice="open it before listing or fetching")
        return self._reader

    def _albums_of(self, prefix: str) -> tuple[AlbumRef, ...]:
        if not self.options.folders_as_albums or not prefix:
            return ()
        folder = prefix.rstrip("/")
        return (AlbumRef(id_of(folder), name_of(os.path.basename(folder))),)


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Add the source to the registry."""
    registry.add("source", "folder", FolderSource)
