"""Files in Google Drive as the API describes them, and the parts of exports among them.

Fields: https://developers.google.com/workspace/drive/api/reference/rest/v3/files (sizes are strings there, names are
not unique, ``headRevisionId`` changes with the content).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import msgspec

from syncengine_plugins.sources.takeout.members import printable
from syncengine_plugins.sources.takeout.parts import (
    FoundParts,
    PartFile,
    PartNumbers,
    archive_kind,
    part_order,
    stamp_in,
)

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
FIELDS = "id,name,mimeType,size,md5Checksum,headRevisionId,createdTime,modifiedTime,trashed"
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_MD5 = re.compile(r"[0-9a-f]{32}")


class DriveFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file in Drive, as its owner's listing has it; texts that are missing are empty."""

    id: str
    name: str = ""
    mime_type: str = ""
    size: str = ""
    md5_checksum: str = ""
    head_revision_id: str = ""
    created_time: str = ""
    modified_time: str = ""
    trashed: bool = False

    @property
    def length(self) -> int:
        """Bytes; 0 for what has none, such as a folder."""
        return int(self.size[:18]) if self.size.isascii() and self.size.isdigit() else 0

    @property
    def md5(self) -> str:
        """MD5 of its bytes in hexadecimal; empty when Drive does not say."""
        return self.md5_checksum.lower() if _MD5.fullmatch(self.md5_checksum.lower()) else ""

    @property
    def fingerprint(self) -> str:
        """What tells one state of its bytes from the next."""
        return f"{self.id}:{self.head_revision_id or self.md5 or self.modified_time}:{self.length}"

    @property
    def key(self) -> str:
        """The fingerprint as a file name."""
        return hashlib.blake2b(self.fingerprint.encode(), digest_size=12).hexdigest()

    @property
    def is_archive(self) -> bool:
        """Whether its name is that of a zip or tgz, and it has bytes of its own."""
        return archive_kind(self.name) is not None and self.mime_type not in {FOLDER, SHORTCUT} and self.size != ""

    @property
    def is_safe(self) -> bool:
        """Whether its id is made of what ids are made of, so that it can be part of an address."""
        return _ID.fullmatch(self.id) is not None


class DriveFileList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One page of a listing."""

    files: tuple[DriveFile, ...] = ()
    next_page_token: str = ""
    incomplete_search: bool = False


def parts_of(files: Iterable[DriveFile]) -> FoundParts:
    """Return the parts of exports among files, and what is missing between them.

    Two files of one name are two parts: the older keeps the name, the other has its id added.
    """
    parts, missing, warnings = [], [], []
    numbers = PartNumbers()
    taken: set[str] = set()
    for file in sorted(set(files), key=lambda one: (one.created_time, one.id)):
        name = printable(file.name).replace("/", "_")
        if file.mime_type == SHORTCUT:
            warnings.append(f"{name}: it is a shortcut to another file, which is not followed")
        elif file.is_archive and not file.is_safe:
            missing.append(f"{name}: Drive gives it an id that cannot be used")
        elif file.is_archive:
            parts.append(_part(file, f"{name} [{file.id}]" if name in taken else name))
            taken.add(name)
            numbers.add(name)
    return FoundParts(tuple(sorted(parts, key=part_order)), (*sorted(missing), *numbers.gaps()), tuple(warnings))


def _part(file: DriveFile, name: str) -> PartFile:
    stamp = stamp_in(file.name)
    return PartFile(
        name=name,
        path=file.id,
        kind=archive_kind(file.name) or "zip",
        fingerprint=file.fingerprint,
        export=stamp or "archives in Drive",
        stamp=stamp,
    )
