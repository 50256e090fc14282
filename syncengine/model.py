"""The nouns: what a source lists, what a stage hands on, what a run says at its end.

Everything here is an immutable value. Nothing here reads or writes a file, and nothing here knows a plugin.

What there is one of for each listed item has ``gc=False``: it is made of plain values and never of what refers back to
it, so the garbage collector need not walk through a hundred thousand of them again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import msgspec


class Kind(StrEnum):
    """What a file is to a photo library."""

    PHOTO = "photo"
    VIDEO = "video"
    OTHER = "other"


class ItemState(StrEnum):
    """Where in the source's library an item lives, when that is not the plain library."""

    ARCHIVED = "archived"
    TRASHED = "trashed"
    LOCKED = "locked"
    PARTNER_SHARED = "partner-shared"


TimeOrigin = Literal["source", "exif", "quicktime", "xmp", "sidecar", "name", "mtime"]


class CaptureTime(msgspec.Struct, frozen=True, kw_only=True):
    """When a photo was taken, with what is really known: an instant, a wall clock, a zone.

    At least one of ``instant`` and ``wall`` is set. A Takeout sidecar knows the instant and no zone; EXIF mostly
    knows the wall clock and no zone; a modern phone's EXIF knows both.

    Args:
        origin: who said so.
        instant: milliseconds since 1970-01-01T00:00:00Z; may be negative.
        wall: the clock on the wall, ISO 8601 without a zone, such as ``2019-07-03T14:22:05``.
        offset: minutes east of UTC at that place and time.
    """

    origin: TimeOrigin
    instant: int | None = None
    wall: str | None = None
    offset: int | None = None

    def at(self, zone: tzinfo) -> datetime:
        """Return the capture time as an aware datetime.

        Args:
            zone: used where this time knows no zone of its own.

        Returns:
            The time in its own offset when known, else in ``zone``. Instants outside the years 1 to 9999 are
            brought to the nearest end of that range.
        """
        own = timezone(timedelta(minutes=self.offset)) if self.offset is not None else zone
        if self.wall is not None and (self.offset is not None or self.instant is None):
            return datetime.fromisoformat(self.wall).replace(tzinfo=own)
        assert self.instant is not None  # nosec B101: the class's own promise
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        try:
            return (epoch + timedelta(milliseconds=self.instant)).astimezone(own)
        except OverflowError:
            edge = datetime.max if self.instant > 0 else datetime.min
            return edge.replace(tzinfo=UTC)

    def timestamp(self, zone: tzinfo) -> float:
        """Return seconds since the epoch; ``zone`` is used where the time knows none."""
        if self.instant is not None:
            return self.instant / 1000
        return (self.at(zone) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


class Location(msgspec.Struct, frozen=True):
    """A place on earth: degrees north, degrees east, metres above sea level when known."""

    latitude: float
    longitude: float
    altitude: float | None = None


class AlbumRef(msgspec.Struct, frozen=True, array_like=True, order=True):
    """An album as an item refers to it.

    Args:
        id: stable within the source.
        title: as the user wrote it; may be empty.
    """

    id: str
    title: str


class Album(msgspec.Struct, frozen=True, kw_only=True):
    """An album as the source lists it.

    Args:
        id: stable within the source; equal to ``AlbumRef.id``.
        title: as the user wrote it; may be empty.
        description: the album's text.
        count: how many items of the source are in it.
        raw: the source's own untouched JSON, when it has one.
    """

    id: str
    title: str
    description: str = ""
    count: int = 0
    raw: Any = None


class MediaItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One photo or video of the source: one asset, however many copies of it the source holds.

    ``scan`` fills what it knows cheaply; ``describe`` completes it from the bytes.

    Args:
        id: stable identity within the source, the same in every run; any length, any characters.
        name: original file name, without folders, as the source knows it; never trusted as a path.
        kind: by the source's word or the name's extension.
        content_token: changes when the bytes change, as cheaply as the source can tell (CRC-32 and size, size and
            mtime, an ETag).
        metadata_token: changes when anything else the source knows changes; empty when only the bytes carry it.
        size: bytes, when known before fetching.
        taken: capture time, when known before fetching.
        description: the user's caption.
        location: the place by the source's word (user-set or inferred).
        exif_location: the place by the file's own metadata.
        people: names, in the source's order.
        favorite: marked by the user.
        states: archived, trashed, locked, partner-shared.
        albums: the albums that it is in.
        camera: make and model, ``Apple iPhone 13 Pro``.
        origins: where the source holds its copies, for people (``part-001.zip!Takeout/.../IMG_1.jpg``).
        paired_with: id of the other half of a Live Photo or motion photo.
        notes: remarks for the report (``approximate sidecar match``, ``no sidecar``).
        raw: the source's own untouched JSON about the item, when it has one.
        locator: private to the source: how to fetch it. Never recorded, never compared.
    """

    id: str
    name: str
    kind: Kind
    content_token: str
    metadata_token: str = ""
    size: int | None = None
    taken: CaptureTime | None = None
    description: str = ""
    location: Location | None = None
    exif_location: Location | None = None
    people: tuple[str, ...] = ()
    favorite: bool = False
    states: tuple[ItemState, ...] = ()
    albums: tuple[AlbumRef, ...] = ()
    camera: str = ""
    origins: tuple[str, ...] = ()
    paired_with: str = ""
    notes: tuple[str, ...] = ()
    raw: Any = None
    locator: Any = None


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What the source says it holds, known once a scan has been read to its end.

    Args:
        complete: the source could list everything that it should hold.
        missing: the parts that could not be listed, by name with the reason; empty when complete.
        counts: totals of the source's own kinds of member, such as ``media``, ``sidecars``, ``albums``, ``other``.
            ``items`` is how many items there are; a run checks that so many were listed.
        sums: names of totals, each with the names of those that add up to it, counted another way; a run checks them.
        warnings: what a person should know (unmatched sidecars, a folder that could not be read).
        partial: only a part of the library was asked for, so what was not listed may be there all the same.
    """

    complete: bool = True
    missing: tuple[str, ...] = ()
    counts: Mapping[str, int] = {}
    sums: Mapping[str, tuple[str, ...]] = {}
    warnings: tuple[str, ...] = ()
    partial: bool = False


class AppliedTransform(msgspec.Struct, frozen=True, kw_only=True):
    """A transform as it was applied to one asset: its name, its options, and what it has to say about the result."""

    name: str
    options: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A file in staging: the bytes of an item, as fetched or after some transforms.

    Args:
        path: where the bytes are now (a local file that the engine owns).
        name: file name to store it under; a transform that changes the format changes the extension.
        kind: photo, video, other.
        item: what it is the bytes of.
        size: bytes.
        sha256: 32 bytes, over the file at ``path``; empty after a transform until the engine has hashed it.
        applied: the transforms so far, in order.
        keep_original: a transform asks for the fetched bytes to be stored as well.
    """

    path: Path
    name: str
    kind: Kind
    item: MediaItem
    size: int = 0
    sha256: bytes = b""
    applied: tuple[AppliedTransform, ...] = ()
    keep_original: bool = False


class Outcome(StrEnum):
    """The six classes of the account; every listed item is in exactly one."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    UPDATED = "updated"
    FILTERED = "filtered"
    FAILED = "failed"


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One line of ``logs/ledger_<run>.jsonl``: what became of one listed item.

    Args:
        outcome: its class.
        id: the item's id in the source.
        name: its original name.
        path: where its bytes are at the destination, when they are there.
        reason: why (the rule that filtered it, what failed, what changed).
        of: for a duplicate, the path of the file that it is a copy of.
        method: for a duplicate, the deduplicator that recognised it.
        bytes: bytes written to the destination for it.
        origins: where the source holds its copies.
        notes: remarks that came with it.
    """

    outcome: Outcome
    id: str
    name: str
    path: str = ""
    reason: str = ""
    of: str = ""
    method: str = ""
    bytes: int = 0
    origins: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a run: ``logs/backup_report_<run>.json``, schema in ``schemas/report.schema.json``.

    Args:
        version: of this format.
        run: id of the run, sortable by time.
        profile: the profile's name.
        source: the source plugin's name.
        destination: the destination plugin's name and where it is.
        started: ISO 8601 with offset.
        finished: likewise.
        ended: ``completed``, ``stopped`` (a reason is given) or ``interrupted``.
        reason: why it stopped, and what to do.
        dry_run: nothing was written.
        listed: items that the source listed.
        outcomes: how many items are in each class; the values add up to ``listed``.
        complete: the inventory is complete, everything listed is accounted for, and the run read it to its end.
        missing: the parts of the source that could not be listed.
        partial: only a part of the library was asked for; ``complete`` is about that part.
        inventory: the source's own totals.
        sums: which of those totals are the sum of which others.
        reconciled: everything adds up: the classes to ``listed``, ``listed`` to what the source counts, and its totals
            among each other; ``None`` when that was not checked: not read to its end, or the source counts nothing.
        disagreements: the numbers that do not agree, a sentence each.
        bytes_read: bytes fetched from the source.
        bytes_written: bytes of photos and videos written.
        duplicates: duplicates by method.
        near_duplicates: items stored although a perceptual match was found.
        filtered: filtered items by rule.
        failures: the first hundred failures: id, name and reason.
        warnings: what a person should know.
        seconds: how long it took.
        plan: the saved plan that it carried out: its file and its digest; or empty.
        maintained: stored files that were moved, described anew, or made again without their source, since the profile
            is another one; beside the classes.
        albums: albums that were written, since they or their members changed.
        removed: files that left the source and were moved to the trash; a dry run: that would be.
        removals: the first hundred of them: id, name, path and reason; also of those that were refused.
        removal_refused: why a mirror run removed nothing, and what to do; or empty.
        trash_emptied: files that the trash had kept for long enough, and that are gone for good.
    """

    run: str
    profile: str
    source: str
    destination: str
    started: str
    finished: str
    version: int = 1
    ended: Literal["completed", "stopped", "interrupted"] = "completed"
    reason: str = ""
    dry_run: bool = False
    listed: int = 0
    outcomes: Mapping[str, int] = {}
    complete: bool = False
    missing: tuple[str, ...] = ()
    partial: bool = False
    inventory: Mapping[str, int] = {}
    sums: Mapping[str, tuple[str, ...]] = {}
    reconciled: bool | None = None
    disagreements: tuple[str, ...] = ()
    bytes_read: int = 0
    bytes_written: int = 0
    duplicates: Mapping[str, int] = {}
    near_duplicates: int = 0
    filtered: Mapping[str, int] = {}
    failures: tuple[Mapping[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    plan: str = ""
    maintained: int = 0
    albums: int = 0
    removed: int = 0
    removals: tuple[Mapping[str, str], ...] = ()
    removal_refused: str = ""
    trash_emptied: int = 0
