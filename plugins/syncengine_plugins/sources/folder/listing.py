"""Turns the files of one directory into items, with as little work for each as can be."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from syncengine.api import AlbumRef, Kind, MediaItem
from syncengine_plugins.media.sniff import KIND_BY_EXTENSION, SNIFF_SIZE, extension, kind_of, sniff
from syncengine_plugins.sources.folder import sidecars as sidecar_files
from syncengine_plugins.sources.folder.names import id_of, is_text, name_of
from syncengine_plugins.sources.folder.pairs import live_pairs, may_pair
from syncengine_plugins.sources.folder.tally import Tally
from syncengine_plugins.sources.folder.tree import Directory, Tree
from syncengine_plugins.sources.opening import read_start


class Listing:
    """The files of one directory, seen as items, sidecars and the rest.

    Args:
        directory: must stay open while items are taken.
        tally: counts what is listed.
        include_other: files that are neither photo nor video are items as well.
    """

    def __init__(self, directory: Directory, tally: Tally, *, include_other: bool) -> None:
        self._directory = directory
        self._tally = tally
        self._include_other = include_other
        names = directory.files
        self._suffixes = [name.rpartition(".")[2].lower() for name in names]
        extensions = set(self._suffixes)
        self._sidecars: dict[str, tuple[str, ...]] = {}
        if not sidecar_files.EXTENSIONS.isdisjoint(extensions):
            self._sidecars = sidecar_files.match_sidecars(
                names, [name for name in names if extension(name) in KIND_BY_EXTENSION]
            )
        self._are_sidecars = {name for found in self._sidecars.values() for name in found}
        tally.sidecars += len(self._are_sidecars)
        self._pairs = live_pairs(names) if may_pair(extensions) else {}

    def count(self) -> int:
        """Return how many items the directory holds."""
        return sum(1 for _ in self._files())

    def items(self, tree: Tree, albums: tuple[AlbumRef, ...]) -> Iterator[MediaItem]:
        """Yield the items, sorted by name.

        Args:
            tree: told of files that cannot be looked at.
            albums: the albums that every item of this directory is in.
        """
        prefix, handle = self._directory.prefix, self._directory.handle
        plain = is_text(prefix)
        accompanied = self._sidecars.keys() | self._pairs.keys()
        stat, tally, other = os.stat, self._tally, Kind.OTHER
        for name, kind in self._files():
            try:
                found = stat(name, dir_fd=handle, follow_symlinks=False)
            except FileNotFoundError:
                tally.vanished += 1
                continue  # removed since the directory was listed: no longer part of the source
            except OSError as error:
                tally.unreadable += 1
                tree.miss(prefix + name, error, tally)
                continue
            if kind is other:
                tally.count_other(extension(name))
            else:
                tally.media += 1
            tally.items += 1
            text = plain and (name.isascii() or is_text(name))
            item_id = prefix + name if text else id_of(prefix + name)
            size = found.st_size
            item = MediaItem(
                id=item_id,
                name=name if text else name_of(name),
                kind=kind,
                content_token=f"{size}:{found.st_mtime_ns}",
                size=size,
                albums=albums,
                origins=(item_id,),
            )
            if name in accompanied or not text:
                item = self._with_companions(item, name)
            yield item

    def _files(self) -> Iterator[tuple[str, Kind]]:
        """Yield name and kind of every file that is an item, and count those that are none."""
        known, others = KIND_BY_EXTENSION, self._include_other
        for name, suffix in zip(self._directory.files, self._suffixes, strict=True):
            kind = known.get(suffix)
            if kind is None or "." not in name:
                if name in self._are_sidecars:
                    continue
                kind = self._unusual(name)
                if kind is Kind.OTHER and not others:
                    self._tally.count_other(extension(name))
                    continue
            yield name, kind

    def _unusual(self, name: str) -> Kind:
        """Return the kind of a file whose extension tells nothing; one without any is looked into.

        Pixel phones write the movie of ``MVIMG_1.jpg`` as ``MVIMG_1``, and recovered files have no extension either.
        """
        if "." in name:
            return kind_of(name)
        try:
            return kind_of(name, sniff(read_start(name, SNIFF_SIZE, directory=self._directory.handle)))
        except OSError:
            return Kind.OTHER

    def _with_companions(self, item: MediaItem, name: str) -> MediaItem:
        """Add the sidecars, the other half of a pair, and a remark on a name that is no text."""
        beside = self._sidecars.get(name, ())
        other = self._pairs.get(name)
        return msgspec.structs.replace(
            item,
            metadata_token="|".join(self._sidecar_token(sidecar) for sidecar in beside),
            paired_with=id_of(self._directory.prefix + other) if other is not None else "",
            notes=() if is_text(name) else ("the file's name is no UTF-8",),
            locator=beside or None,
        )

    def _sidecar_token(self, name: str) -> str:
        try:
            found = os.stat(name, dir_fd=self._directory.handle, follow_symlinks=False)
        except OSError:
            return f"{name_of(name)}:gone"
        return f"{name_of(name)}:{found.st_size}:{found.st_mtime_ns}"
