"""One member of an archive or of an unpacked tree, and the rules by which it is refused.

Whatever an archive says about itself is untrusted: names that leave their folder, links and devices, sizes that cannot
be true. A refused member is named and counted, never read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from syncengine_plugins.sources.takeout.zip_directory import DEFLATED, STORED, ZipEntry

LARGEST_JSON = 16 << 20
_DEFLATE_BEST = 1032  # zlib's documentation: no better than 1032 to 1
_HEADER = 30
_ROOM_RATIO, _ROOM_FLOOR = 100, 16 << 30
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHOWN = 200
_YEAR_3000 = 32503680000


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A regular file that can be read.

    Args:
        path: ``/``-separated, without surrogates.
        raw: the path as the file system has it, where ``path`` is not exactly that (trees only).
        ordinal: its place in the archive, 0 first.
        size: bytes, as declared.
        crc: CRC-32 of the bytes; ``None`` where nobody computed it yet (trees).
        offset: zip: of the local header; tgz: of the bytes in the unpacked stream.
        packed: bytes in the archive.
        method: zip's compression method.
        mtime_ns: of the file in a tree, 0 elsewhere.
        stamp: when the archive says that it was written, as in ``ZipEntry``.
    """

    path: str
    raw: bytes | None = None
    ordinal: int = 0
    size: int = 0
    crc: int | None = None
    offset: int = 0
    packed: int = 0
    method: int = STORED
    mtime_ns: int = 0
    stamp: str = ""


class Refused(msgspec.Struct, frozen=True):
    """A member that is not read.

    Args:
        path: as far as it can be shown.
        reason: why.
        lost: it may have been a photo: the inventory is not complete without it.
    """

    path: str
    reason: str
    lost: bool = False


class Directory(msgspec.Struct, frozen=True):
    """An entry that is a directory and nothing else."""

    path: str


Listed = Member | Refused | Directory


def printable(text: str) -> str:
    """Return ``text`` as one line without control characters and surrogates."""
    return _CONTROL.sub("�", text).encode("utf-8", "replace").decode("utf-8")


def shown(text: str) -> str:
    """Return ``text`` for a message: printable, and not longer than a message bears."""
    safe = printable(text)
    return safe if len(safe) <= _SHOWN else safe[: _SHOWN - 1] + "…"


def decode_name(name: bytes) -> str:
    """Decode a member's name: UTF-8 where it is valid, else code page 437 (APPNOTE.TXT appendix D); no surrogates."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def unsafe_path(path: str) -> str | None:
    """Return why ``path`` must not be followed, or ``None``."""
    reasons = {
        "it has no name": not path,
        "its name holds a NUL character": "\0" in path,
        "its name holds a backslash": "\\" in path,
        "its path is absolute": path.startswith("/"),
        "its path names a drive": _DRIVE.match(path) is not None,
        "its path leaves the archive": ".." in path and ".." in path.split("/"),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def tidy_path(path: str) -> str:
    """Return a safe path without empty and ``.`` components."""
    if "//" not in path and "./" not in path:
        return path
    return "/".join(part for part in path.split("/") if part not in {"", "."})


def stamp_of(mtime: float) -> str:
    """Return a modification time (seconds since the epoch) as ``20250101T000000Z``, and nothing for an absurd one."""
    return f"{datetime.fromtimestamp(mtime, UTC):%Y%m%dT%H%M%SZ}" if 0 < mtime < _YEAR_3000 else ""


class ZipRules:
    """Turns entries of one zip's directory into members, or refuses them.

    Args:
        length: bytes of the archive.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._room = max(_ROOM_FLOOR, _ROOM_RATIO * length)

    def judge(self, entry: ZipEntry, ordinal: int) -> Listed:
        """Return what the entry is."""
        path = decode_name(entry.name)
        if reason := unsafe_path(path):
            return Refused(shown(path), reason)
        if entry.is_special:
            return Refused(shown(path), "it is a link or a device, not a file")
        if entry.is_directory:
            return Directory(path)
        if reason := self._unreadable(entry):
            return Refused(shown(path), reason, lost=True)
        self._room -= entry.size
        return Member(
            path=tidy_path(path),
            ordinal=ordinal,
            size=entry.size,
            crc=entry.crc,
            offset=entry.offset,
            packed=entry.packed,
            method=entry.method,
            stamp=entry.stamp,
        )

    def _unreadable(self, entry: ZipEntry) -> str | None:
        reasons = {
            "it is encrypted": entry.encrypted,
            f"compression method {entry.method} is not supported": entry.method not in {STORED, DEFLATED},
            "it lies beyond the end of the archive": member_end(entry.offset, entry.packed) > self._length,
            "its two sizes contradict each other": entry.method == STORED and entry.size != entry.packed,
            "it declares more bytes than it can hold": entry.size > (entry.packed + 1) * _DEFLATE_BEST,
            "the archive would unpack to more than 100 times its size": entry.size > self._room,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)


def member_end(entry_offset: int, packed: int) -> int:
    """Return the first byte after a zip member that may belong to another (names and extra fields not counted)."""
    return entry_offset + _HEADER + packed
