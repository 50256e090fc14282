"""Makes an ``Asset`` of a file, as the engine would after fetching it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from syncengine.model import Asset, Kind, MediaItem

_VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".3gp", ".avi", ".mkv", ".mpg", ".mts", ".webm"})
_PHOTOS = frozenset({".jpg", ".jpeg", ".png", ".heic", ".heif", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".dng"})


def kind_of(name: str) -> Kind:
    """Return the kind that a name's extension stands for."""
    suffix = Path(name).suffix.lower()
    if suffix in _VIDEOS:
        return Kind.VIDEO
    return Kind.PHOTO if suffix in _PHOTOS else Kind.OTHER


def make_asset(path: Path, *, name: str = "", item: MediaItem | None = None) -> Asset:
    """Return the file at ``path`` as an asset with size and SHA-256.

    Args:
        path: a file.
        name: original name; the file's own when empty.
        item: what it is the bytes of; made up when ``None``.
    """
    content = path.read_bytes()
    digest = hashlib.sha256(content)
    name = name or path.name
    item = item or MediaItem(id=name, name=name, kind=kind_of(name), content_token=digest.hexdigest())
    return Asset(path=path, name=name, kind=item.kind, item=item, size=len(content), sha256=digest.digest())
