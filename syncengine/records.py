"""What the state remembers. Every record is an array that only ever grows at its end."""

from __future__ import annotations

import msgspec

from syncengine.model import AlbumRef


class ItemRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the state remembers of one item of one profile. Fields are only ever added at the end.

    Args:
        content_token: as the source gave it when the item was recorded.
        metadata_token: likewise.
        content: key of the ContentRecord that holds its bytes.
        outcome: ``stored`` or ``duplicate``.
        path: where those bytes are at the destination (kept here so that a check needs one look-up).
        method: the deduplicator that recognised a duplicate.
        original_path: where the untouched original is kept as well, or empty.
        id: the item's id, set by the store where its key cannot hold it.
    """

    content_token: str
    metadata_token: str
    content: bytes
    outcome: str = "stored"
    path: str = ""
    method: str = ""
    original_path: str = ""
    id: str = ""


class ContentRecord(msgspec.Struct, frozen=True, array_like=True):
    """What the state remembers of one content at one destination. Fields are only ever added at the end.

    Args:
        content: 32 bytes: SHA-256 of the source bytes (mixed with the item's id where a profile does not deduplicate).
        path: relative to the destination's root, ``photos/...``.
        source_sha256: 32 bytes.
        stored_sha256: 32 bytes, over the file at ``path``.
        source_size: bytes.
        stored_size: bytes.
        mtime: seconds since the epoch, the capture time, or ``None`` when nobody knows it.
        item: id of the item that it was stored for.
        name: that item's original name.
        profile: the profile that stored it.
        albums: every album it is in, by any of its origins.
        origins: every place in a source that holds these bytes.
        original_path: path of the untouched original where a transform's result and the original are both kept.
        recipe: names and options of the transforms, to see that a profile changed.
        failure: a transform's failure; the untouched original is at ``path`` and is tried again next time.
        copies: other items recognised as copies: (profile, item id, name, method, distance).
        near: contents stored although they look alike: (content, method, distance).
        sidecar_path: of the XMP sidecar beside the file, when the profile wants one.
        sidecar_sha256: 32 bytes, over that sidecar.
        restored: when a person brought it back from the trash, ISO 8601, or empty; it stays then, whoever holds it.
        stored_name: name that it is stored under before a layout makes a path of it; empty when it is ``name``.
        kind: photo, video, other; empty when this and what follows was not recorded.
        camera: make and model.
        taken: capture time as in ``CaptureTime``: (origin, instant, wall, offset), or ``None``.
        guessed: it was made again without the catalog, so that other profiles may hold it of which nothing tells; a
            mirror leaves it alone.
    """

    content: bytes
    path: str
    source_sha256: bytes
    stored_sha256: bytes
    source_size: int
    stored_size: int
    mtime: float | None
    item: str
    name: str
    profile: str
    albums: tuple[AlbumRef, ...] = ()
    origins: tuple[str, ...] = ()
    original_path: str = ""
    recipe: str = ""
    failure: str = ""
    copies: tuple[tuple[str, str, str, str, int], ...] = ()
    near: tuple[tuple[bytes, str, int], ...] = ()
    sidecar_path: str = ""
    sidecar_sha256: bytes = b""
    restored: str = ""
    stored_name: str = ""
    kind: str = ""
    camera: str = ""
    taken: tuple[str, int | None, str | None, int | None] | None = None
    guessed: bool = False


class AlbumRecord(msgspec.Struct, frozen=True, array_like=True):
    """What the state remembers of one album at one destination. Fields are only ever added at the end.

    Args:
        id: as in ``AlbumRef``.
        title: as the user wrote it.
        directory: its directory at the destination, ``albums/Rome 2019``; chosen once, then kept.
        description: the album's text.
        raw: the source's own JSON as text, or empty.
    """

    id: str
    title: str
    directory: str
    description: str = ""
    raw: str = ""


class StateBatch(msgspec.Struct, kw_only=True):
    """What one batch adds to the state, in one durable transaction; may be applied twice with the same result.

    Args:
        items: (item id, record) of the profile.
        contents: records of the destination, replacing those of the same key.
        fingerprints: (method, fingerprint, content) of the destination.
        albums: albums of the destination, replacing those of the same id.
        gone_items: ids of items that the profile no longer has; after ``items``.
        gone_contents: contents that are no longer at the destination, with their paths, memberships and fingerprints;
            after ``contents``.
    """

    items: list[tuple[str, ItemRecord]] = []
    contents: list[ContentRecord] = []
    fingerprints: list[tuple[str, bytes, bytes]] = []
    albums: list[AlbumRecord] = []
    gone_items: list[str] = []
    gone_contents: list[bytes] = []
