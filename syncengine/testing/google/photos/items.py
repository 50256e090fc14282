"""The user's photo library: items and albums."""

from __future__ import annotations

import hashlib
import mimetypes
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from syncengine.testing.google.content.bytes import Content, FileContent
from syncengine.testing.google.content.samples import jpeg
from syncengine.testing.google.control.clock import Clock
from syncengine.testing.google.photos.describing import describe
from syncengine.testing.google.wire.problems import not_found

_MEDIA_TYPES = {".heic": "image/heic", ".heif": "image/heif", ".avif": "image/avif", ".webp": "image/webp"}
_MEDIA_TYPES |= {".dng": "image/x-adobe-dng", ".mts": "video/mp2t", ".mkv": "video/x-matroska"}


@dataclass
class PhotoItem:
    """A photo or a video.

    Args:
        id: the same in every list and session.
        filename: as Photos shows it; not unique.
        content: what ``=d`` delivers of a photo: Google takes the place out of its EXIF, so give it none.
        mime_type: such as ``image/jpeg``; what begins with ``video/`` is a video.
        created: when it was taken, seconds since 1970; ``None`` for items without a date.
        width: pixels.
        height: pixels.
        description: the user's caption.
        transcoded: what ``=dv`` delivers of a video, or of a motion photo; ``None`` means ``content`` for videos.
        status: whether a video can be had.
        app_created: the Library API shows it; the Picker shows all.
        favorite: marked by the user.
        archived: out of the main view; searches leave it out unless asked.
        camera: further fields of the photo's or video's metadata, such as ``cameraMake``.
    """

    id: str
    filename: str
    content: Content
    mime_type: str
    created: float | None
    width: int = 4032
    height: int = 3024
    description: str = ""
    transcoded: Content | None = None
    status: Literal["UNSPECIFIED", "PROCESSING", "READY", "FAILED"] = "READY"
    app_created: bool = True
    favorite: bool = False
    archived: bool = False
    camera: dict[str, str | float | int] = field(default_factory=dict)

    @property
    def is_video(self) -> bool:
        """Whether it is a video."""
        return self.mime_type.startswith("video/")


@dataclass
class PhotoAlbum:
    """An album.

    Args:
        id: Google's id.
        title: may be empty, and not unique.
        items: ids, in the album's order.
        app_created: the Library API shows it.
        cover: id of the cover photo; empty means the first one.
    """

    id: str
    title: str
    items: list[str] = field(default_factory=list)
    app_created: bool = True
    cover: str = ""


class Photos:
    """Items and albums of one user.

    Args:
        clock: dates what is added.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        self._made = 0
        self.items: dict[str, PhotoItem] = {}
        self.albums: dict[str, PhotoAlbum] = {}

    def add(
        self,
        filename: str,
        content: Content | None = None,
        *,
        mime_type: str = "",
        created: float | None = None,
        album: PhotoAlbum | None = None,
        item_id: str = "",
    ) -> PhotoItem:
        """Add a photo or video.

        Args:
            filename: its name.
            content: its bytes; ``None`` makes a small JPEG of its own.
            mime_type: empty guesses by the name.
            created: when it was taken, seconds since 1970; ``None`` means now (set the item's field for no date).
            album: an album to put it into.
            item_id: empty makes one.
        """
        guessed = mime_type or media_type(filename) or "image/jpeg"
        new_id = item_id or self._new_id("item")
        at = self.clock.now() if created is None else created
        item = PhotoItem(new_id, filename, content or jpeg(f"{filename} {new_id}"), guessed, at)
        self.items[item.id] = item
        if album is not None:
            album.items.append(item.id)
        return item

    def add_album(self, title: str, album_id: str = "") -> PhotoAlbum:
        """Add an album."""
        album = PhotoAlbum(album_id or self._new_id("album"), title)
        self.albums[album.id] = album
        return album

    def remove(self, item_id: str) -> None:
        """Take an item away, out of its albums too."""
        with self._lock:
            del self.items[item_id]
            for album in self.albums.values():
                album.items = [one for one in album.items if one != item_id]

    def own_item(self, item_id: str) -> PhotoItem:
        """An item that the app created.

        Raises:
            ApiError: 404, there is none.
        """
        item = self.items.get(item_id)
        if item is None or not item.app_created:
            raise not_found("Requested entity was not found.")
        return item

    def own_album(self, album_id: str) -> PhotoAlbum:
        """An album that the app created; raises as ``own_item`` does."""
        album = self.albums.get(album_id)
        if album is None or not album.app_created:
            raise not_found("Requested entity was not found.")
        return album

    def listed(self, *, app_created: bool = True) -> list[PhotoItem]:
        """Items, newest first.

        Args:
            app_created: only those that the Library API shows.
        """
        found = [item for item in list(self.items.values()) if item.app_created or not app_created]
        return sorted(found, key=lambda item: item.created or 0.0, reverse=True)

    def add_directory(self, directory: Path) -> None:
        """Add the photos and videos below a directory; folders become albums. Ids come of the paths, so they stay.

        Args:
            directory: files at its top are in no album.
        """
        for path in sorted(directory.rglob("*")):
            kind = media_type(path.name)
            if kind is None or not path.is_file():
                continue
            relative = path.relative_to(directory)
            item_id = _id_of("item", str(relative))
            if item_id in self.items:
                continue
            item = self._add_from_disk(path, kind, item_id)
            if len(relative.parts) > 1:
                self._album_of(str(relative.parent)).items.append(item.id)

    def _add_from_disk(self, path: Path, kind: str, item_id: str) -> PhotoItem:
        """Add a file with what it says about itself; without a capture time its file time counts."""
        said = None if kind.startswith("video/") else describe(path)
        taken = said.taken if said else None
        created = path.stat().st_mtime if taken is None else taken
        item = self.add(path.name, FileContent(path), mime_type=kind, created=created, item_id=item_id)
        if said is not None:
            item.width, item.height = said.width, said.height
        return item

    def _album_of(self, title: str) -> PhotoAlbum:
        """The album of a folder."""
        album_id = _id_of("album", title)
        return self.albums.get(album_id) or self.add_album(title, album_id)

    def _new_id(self, kind: str) -> str:
        """The next id; the same in every run."""
        with self._lock:
            self._made += 1
            return _id_of(kind, str(self._made))


def media_type(filename: str) -> str | None:
    """The type of a photo or video by its name; ``None`` for anything else."""
    suffix = Path(filename).suffix.lower()
    guessed = _MEDIA_TYPES.get(suffix) or mimetypes.guess_type(filename)[0] or ""
    return guessed if guessed.startswith(("image/", "video/")) else None


def _id_of(kind: str, text: str) -> str:
    """An id that looks like one of Google's."""
    return "AF" + hashlib.sha256(f"{kind}:{text}".encode()).hexdigest()
