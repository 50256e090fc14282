"""All that a media file says about itself, with one open of the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec

from syncengine.api import CaptureTime, Kind, Location
from syncengine_plugins.media import moments
from syncengine_plugins.media.canon import read_cr3
from syncengine_plugins.media.embedded import Embedded, in_fuji_raw, in_jpeg, in_png, in_webp
from syncengine_plugins.media.exif import ExifFacts, read_exif, read_exif_at
from syncengine_plugins.media.heif import in_heif
from syncengine_plugins.media.quicktime import read_movie
from syncengine_plugins.media.sniff import SNIFF_SIZE, kind_of, sniff
from syncengine_plugins.media.window import ReadAt, Window, reason
from syncengine_plugins.media.xmp import XmpFacts, read_xmp

_EMBEDDED: dict[str, Callable[[ReadAt], Embedded]] = {
    "image/jpeg": in_jpeg,
    "image/png": in_png,
    "image/webp": in_webp,
    "image/heic": in_heif,
    "image/heif": in_heif,
    "image/avif": in_heif,
    "image/x-fuji-raf": in_fuji_raw,
}
_MOVIES = frozenset({"video/mp4", "video/quicktime", "video/3gpp", "video/x-m4v"})
_TIFF_MAGIC = frozenset({b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR", b"IIU\0"})
# Sidecars and headers keep whole seconds where EXIF has fractions.
_SAME = 1_000


class MediaFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a media file says about itself.

    Args:
        taken: capture time by EXIF, else by the movie header, else by embedded XMP.
        exif_location: the place by the file's own metadata.
        camera: make and model, ``Apple iPhone 13 Pro``.
        orientation: EXIF orientation 1 to 8, or ``None``.
        media_type: by the first bytes; ``""`` when they are not those of a known format.
        kind: by the media type, else by the name's extension.
        description: caption by embedded metadata.
        notes: what could not be read, and a name that does not fit the bytes.
    """

    taken: CaptureTime | None = None
    exif_location: Location | None = None
    camera: str = ""
    orientation: int | None = None
    media_type: str = ""
    kind: Kind = Kind.OTHER
    description: str = ""
    notes: tuple[str, ...] = ()


def read_media(path: Path, name: str) -> MediaFacts:
    """Read what a media file says about itself; never raises for the sake of the file.

    Args:
        path: where the bytes are; a link is not followed.
        name: the file's name, for what the bytes do not tell.

    Returns:
        Less for a file that cannot be understood or opened, with a note.
    """
    try:
        with open(path, "rb", buffering=0, opener=_open) as stream:
            return read_window(Window(stream), name)
    except (OSError, ValueError) as error:
        return MediaFacts(kind=kind_of(name), notes=(f"metadata cannot be read: {reason(error)}",))


def _open(path: str, flags: int) -> int:
    # A pipe that took the file's place must not block, and a link is none of the files that were listed or fetched.
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def read_window(window: Window, name: str) -> MediaFacts:
    """Read what the media file behind ``window`` says about itself; as ``read_media``."""
    media_type = sniff(window.head[:SNIFF_SIZE], name)
    facts = MediaFacts(media_type=media_type, kind=kind_of(name, media_type), notes=_misnamed(name, media_type))
    if media_type in _MOVIES:
        facts = _with_movie(facts, window)
    elif media_type in _EMBEDDED:
        embedded = _EMBEDDED[media_type](window.at)
        facts = _with_image(facts, read_exif(embedded.exif) if embedded.exif else ExifFacts(), embedded.xmp)
    elif media_type == "image/x-canon-cr3":
        facts = _with_image(facts, read_cr3(window.at), b"")
    elif window.head[:4] in _TIFF_MAGIC:
        exif = read_exif_at(window.at)
        facts = _with_image(facts, exif, exif.xmp)
    if window.error:
        facts = msgspec.structs.replace(facts, notes=(*facts.notes, f"metadata cannot be read: {window.error}"))
    return facts


def merge_instant(instant_ms: int, facts_taken: CaptureTime | None) -> CaptureTime:
    """Join the source's instant with the wall clock of the file, which together tell the zone.

    Args:
        instant_ms: when it was taken by the source's word, milliseconds since the epoch.
        facts_taken: capture time by the file, or ``None``.

    Returns:
        The source's instant with origin ``source``. It gains the file's wall clock and an offset where their
        difference is a zone (a multiple of 15 minutes within 14 hours). Where the file names another zone than that,
        somebody corrected the time: the instant keeps the named zone and the wall clock follows it.
    """
    wall_ms = moments.wall_milliseconds(facts_taken) if facts_taken is not None else None
    zone = moments.zone_between(wall_ms, instant_ms, _SAME) if wall_ms is not None else None
    if facts_taken is None or zone is None:
        return CaptureTime(origin="source", instant=instant_ms)
    if facts_taken.offset is None or facts_taken.offset == zone:
        return CaptureTime(origin="source", instant=instant_ms, wall=facts_taken.wall, offset=zone)
    return _at_zone(instant_ms, facts_taken.offset)


def _at_zone(instant_ms: int, offset: int) -> CaptureTime:
    """Return the source's instant with the wall clock of a zone."""
    try:
        wall = moments.EPOCH + timedelta(milliseconds=instant_ms, minutes=offset)
    except OverflowError:  # the last day of the year 9999
        return CaptureTime(origin="source", instant=instant_ms)
    return CaptureTime(origin="source", instant=instant_ms, wall=moments.iso(wall.replace(tzinfo=None)), offset=offset)


def _with_image(facts: MediaFacts, exif: ExifFacts, packet: bytes) -> MediaFacts:
    """Add what EXIF says, and from XMP what EXIF leaves open."""
    needed = packet and (exif.taken is None or exif.location is None or b"description" in packet)
    xmp = read_xmp(packet) if needed else XmpFacts()
    return msgspec.structs.replace(
        facts,
        taken=exif.taken or xmp.taken,
        exif_location=exif.location or xmp.location,
        camera=exif.camera or xmp.camera,
        orientation=exif.orientation or xmp.orientation,
        description=xmp.description,
        notes=(*facts.notes, *exif.notes, *xmp.notes),
    )


def _with_movie(facts: MediaFacts, window: Window) -> MediaFacts:
    movie = read_movie(window.at)
    return msgspec.structs.replace(
        facts,
        taken=movie.taken,
        exif_location=movie.location,
        camera=movie.camera,
        description=movie.description,
        notes=(*facts.notes, *movie.notes),
    )


def _misnamed(name: str, media_type: str) -> tuple[str, ...]:
    """Remark on a name that promises another kind or another image format than the bytes keep."""
    promised = _PROMISES.get(name.rpartition(".")[2].lower())
    if promised is None or not media_type or media_type in promised:
        return ()
    return (f"the name says {promised[0]}, the content is {media_type}",)


_HEIF = ("image/heic", "image/heif", "image/avif")
_PROMISES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("jpg", "jpeg", "jpe"), ("image/jpeg",)),
    **dict.fromkeys(("heic", "heif", "hif"), _HEIF),
    "png": ("image/png",),
    "webp": ("image/webp",),
    "gif": ("image/gif",),
    **dict.fromkeys(("mp4", "mov", "m4v"), ("video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp")),
}
