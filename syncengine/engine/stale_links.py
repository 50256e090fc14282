"""Taking away the names that stored files have in the albums' directories, and nothing else that is there."""

from __future__ import annotations

from syncengine.api import ItemError, TargetExistsError
from syncengine.engine.hashing import holds
from syncengine.engine.layout import candidate_paths
from syncengine.engine.parts import RunParts
from syncengine.records import ContentRecord

_STYLES_WITHOUT_SYMLINKS = frozenset({"hardlink", "copy", "manifest", "none"})


class StaleLinks:
    """Takes links and copies out of albums.

    A hard link is known by asking for the very same one: a destination does nothing when it is there, and refuses when
    something else is. A symbolic link says where it leads.

    Args:
        parts: the run.
        style: how albums were shown when the links were made, where that is known.
    """

    def __init__(self, parts: RunParts, style: str | None) -> None:
        self._parts = parts
        able = parts.destination.capabilities
        hard = style == "auto" and able.hardlinks
        self._symlinks = able.symlinks and not hard and style not in _STYLES_WITHOUT_SYMLINKS
        self._directories = {album.id: album.directory for album in parts.state.albums()}

    @property
    def follow_names(self) -> bool:
        """Whether a link holds the name of its file, so that it leads nowhere once the file has another."""
        return self._symlinks

    def take_down(self, record: ContentRecord, existing: str, only: str = "") -> set[str]:
        """Take the names away that a content's file has in its albums.

        Args:
            record: by which the names were given.
            existing: where the file is now.
            only: id of the one album to take them down in, or empty for all.

        Returns:
            The ids of the albums.

        Raises:
            FatalError: the destination is gone.
        """
        name = record.path.rpartition("/")[2]
        albums = {album.id for album in record.albums if album.id in self._directories and only in ("", album.id)}
        for album in albums:
            for path in candidate_paths(f"{self._directories[album]}/{name}", record.content):
                try:
                    self._take(record, existing, path)
                except (ItemError, FileNotFoundError):
                    continue  # Not ours, or not to be had: it stays, and the album is written beside it.
        return albums

    def _take(self, record: ContentRecord, existing: str, path: str) -> None:
        destination = self._parts.destination
        if destination.stat(path) is not None:
            digest, size = record.stored_sha256, record.stored_size
            if self._is_hardlink(existing, path) or holds(destination, path, digest, size):
                destination.remove(path)
        elif self._symlinks and destination.link_target(path) == existing:
            destination.remove(path)

    def _is_hardlink(self, existing: str, path: str) -> bool:
        if not self._parts.destination.capabilities.hardlinks:
            return False
        try:
            self._parts.destination.link(existing, path, kind="hardlink")
        except (TargetExistsError, ItemError):
            return False
        return True
