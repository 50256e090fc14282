"""Builds Takeout archives the way Google writes them: folders, media names, sidecars, parts."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypedDict, Unpack

import msgspec

SidecarStyle = Literal["supplemental", "old", "uncut"]
_EXPORTED = (2026, 1, 1, 0, 0, 0)
_HIGH_SURROGATES = tuple(bytes([first]) for first in range(0xD8, 0xDC))
_STEM_UNITS, _SIDECAR_UNITS = 47, 46


class SidecarFacts(TypedDict, total=False):
    """What a sidecar can say about an item, beside its title and its capture time."""

    description: str
    place: tuple[float, float]
    people: tuple[str, ...]
    favorite: bool
    archived: bool
    trashed: bool
    partner: bool
    url: str


class Member(msgspec.Struct, frozen=True):
    """A file of the export: its path in the archive, its bytes, and the number of the part it lies in."""

    path: str
    content: bytes
    part: int = 1


def media_name(title: str, counter: int = 0) -> str:
    """Return the name under which an export stores an item.

    Characters that Windows refuses become ``_``, the stem is cut to 47 UTF-16 units, and a second file of the same
    name in one folder gets ``(1)`` before its extension.
    """
    safe = re.sub(r'[&?/\\:*"<>|%\x00-\x1f]', "_", title)
    stem, dot, extension = safe.rpartition(".")
    if not dot:
        stem, extension = safe, ""
    return _cut(stem, _STEM_UNITS) + (f"({counter})" if counter else "") + dot + extension


def sidecar_name(title: str, counter: int = 0, style: SidecarStyle = "supplemental") -> str:
    """Return the name of an item's sidecar.

    Args:
        title: the item's title.
        counter: the same as the media file's; it is not counted when the name is cut.
        style: ``old`` (before 2025), ``supplemental`` (since), ``uncut`` (some exports of 2026).
    """
    stem = media_name(title) + ("" if style == "old" else ".supplemental-metadata")
    if style != "uncut":
        stem = _cut(stem, _SIDECAR_UNITS)
    return stem + (f"({counter})" if counter else "") + ".json"


def _cut(text: str, units: int) -> str:
    """Return the first ``units`` UTF-16 units of ``text``, one more where that would halve a surrogate pair."""
    raw = text.encode("utf-16-be")
    if raw[2 * units - 2 : 2 * units - 1] in _HIGH_SURROGATES:
        units += 1
    return raw[: 2 * units].decode("utf-16-be")


def sidecar(title: str, taken: datetime | None, **facts: Unpack[SidecarFacts]) -> bytes:
    """Return a sidecar's JSON; ``taken`` with a zone, or ``None`` for a sidecar that knows no time."""
    north, east = facts.get("place", (0.0, 0.0))
    geo = {"latitude": north, "longitude": east, "altitude": 0.0, "latitudeSpan": 0.0, "longitudeSpan": 0.0}
    said: dict[str, Any] = {"title": title, "description": facts.get("description", ""), "imageViews": "3"}
    if taken is not None:
        said["creationTime"] = said["photoTakenTime"] = _moment(taken)
    said |= {"geoData": geo, "geoDataExif": geo}
    if people := facts.get("people"):
        said["people"] = [{"name": name} for name in people]
    flags = {"favorited": "favorite", "archived": "archived", "trashed": "trashed"}
    said |= {key: True for key, fact in flags.items() if facts.get(fact)}
    said["url"] = facts.get("url", "https://photos.google.com/photo/" + re.sub(r"\W", "", title))
    said["googlePhotosOrigin"] = (
        {"fromPartnerSharing": {}} if facts.get("partner") else {"mobileUpload": {"deviceType": "IOS_PHONE"}}
    )
    return _as_json(said)


def _moment(taken: datetime) -> dict[str, str]:
    return {"timestamp": str(int(taken.timestamp())), "formatted": f"{taken:%d %b %Y, %H:%M:%S} UTC"}


def _as_json(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


class TakeoutBuilder:
    """Collects the files of one export and writes them as zip parts or as an unpacked folder.

    Folders are named as below ``Google Photos/``, such as ``Photos from 2019``.

    Args:
        root: the export's own folder, localised in some languages.
    """

    def __init__(self, root: str = "Takeout/Google Photos") -> None:
        self.root = PurePosixPath(root)
        self.members: list[Member] = []

    def file(self, path: str, content: bytes, *, part: int = 1) -> Member:
        """Add any file; ``path`` is below the export's root."""
        member = Member(str(self.root / path), content, part)
        self.members.append(member)
        return member

    def photo(
        self,
        folder: str,
        title: str,
        content: bytes | None = None,
        *,
        taken: datetime | None = None,
        counter: int = 0,
        parts: tuple[int, int] = (1, 1),
        **facts: Unpack[SidecarFacts],
    ) -> bytes:
        """Add a media file (of any kind) with its sidecar.

        Args:
            folder: below the export's root.
            title: as the user knows the item; the file's name follows from it.
            content: the bytes; ``None`` draws a small JPEG that is the title's own.
            taken: capture time, with a zone; ``None`` for a sidecar without one.
            counter: 1 for the second file of that name in the folder, and so on.
            parts: the number of the part that holds the media file, and of that which holds the sidecar.
            **facts: what else the sidecar says.

        Returns:
            The bytes of the media file.
        """
        content = small_jpeg(title) if content is None else content
        self.media(folder, title, content, counter=counter, part=parts[0])
        self.sidecar(folder, title, taken, counter=counter, part=parts[1], **facts)
        return content

    def media(self, folder: str, title: str, content: bytes, *, counter: int = 0, part: int = 1) -> Member:
        """Add a media file without a sidecar."""
        return self.file(f"{folder}/{media_name(title, counter)}", content, part=part)

    def sidecar(
        self,
        folder: str,
        title: str,
        taken: datetime | None,
        *,
        counter: int = 0,
        part: int = 1,
        style: SidecarStyle = "supplemental",
        **facts: Unpack[SidecarFacts],
    ) -> Member:
        """Add a sidecar alone, as for a member of an album whose file is in another folder."""
        name = sidecar_name(title, counter, style)
        return self.file(f"{folder}/{name}", sidecar(title, taken, **facts), part=part)

    def album(self, folder: str, title: str, *, description: str = "", part: int = 1) -> Member:
        """Make ``folder`` an album by giving it its ``metadata.json``."""
        said = {"title": title, "description": description, "access": "protected"}
        return self.file(f"{folder}/metadata.json", _as_json(said), part=part)

    def write_zip(self, path: Path, part: int | None = None) -> Path:
        """Write one part (``None``: everything) as a zip archive; the same members give the same bytes."""
        with zipfile.ZipFile(path, "w") as archive:
            for member in self._of(part):
                entry = zipfile.ZipInfo(member.path, _EXPORTED)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED if member.path.endswith(".json") else zipfile.ZIP_STORED
                archive.writestr(entry, member.content)
        return path

    def write_folder(self, directory: Path) -> Path:
        """Write everything as an unpacked export below ``directory``."""
        for member in self._of(None):
            path = directory / member.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(member.content)
        return directory

    def _of(self, part: int | None) -> Iterator[Member]:
        return (member for member in self.members if part is None or member.part == part)


def small_jpeg(title: str) -> bytes:
    """Return a small JPEG without EXIF that looks different for each title."""
    # Imported here so that archives of given bytes need no image library.
    import zlib

    from syncengine.testing.sample_library import pictures

    return pictures.jpeg(pictures.draw(zlib.crc32(title.encode()), (96, 72)))
