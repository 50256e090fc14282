"""Sorts the members of a part into classes and writes them into the index.

Every member of every part ends in exactly one class: ``media``, ``sidecars``, ``album files``, ``other``, ``refused``,
``directories``.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from syncengine.api import Kind
from syncengine_plugins.sources.takeout.damage import MemberDamagedError
from syncengine_plugins.sources.takeout.folders import logical_path
from syncengine_plugins.sources.takeout.index import Index, SidecarRow, pack_json
from syncengine_plugins.sources.takeout.members import LARGEST_JSON, Directory, Listed, Member, Refused, shown
from syncengine_plugins.sources.takeout.names import kind_of, nfc
from syncengine_plugins.sources.takeout.parts import PartFile, is_strange
from syncengine_plugins.sources.takeout.sidecars import AlbumJson, AssetSidecar, parse_json

if TYPE_CHECKING:
    from syncengine_plugins.sources.takeout.early_listing import EarlyListing

MEDIA, SIDECARS, ALBUM_FILES, OTHER, REFUSED, DIRECTORIES = CLASSES = (
    "media",
    "sidecars",
    "album files",
    "other",
    "refused",
    "directories",
)
_BATCH = 5000
_NAMED = 100
_LONGEST_TITLE = 1000
_NO_MEDIA = re.compile(
    r".*\.(?:html?|txt|csv|pdf|xml|xmp|aae|zip|tgz|gz|7z|rar|db|ini|lnk|url|vcf|ics|mbox|json|log|tmp|exe|js|css)", re.I
)
_JUNK = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".nomedia", ".picasa.ini"})
_UNREMARKABLE = frozenset({"print order", "neither photo nor album", "not a JSON object"})


class PartIntake:
    """Sorts the members of one part into classes and writes them into the index.

    Args:
        index: with a transaction open.
        part: what is being read.
        part_id: its id in the index.
        early: is told of everything, and knows what it makes certain.
    """

    def __init__(self, index: Index, part: PartFile, part_id: int, early: EarlyListing) -> None:
        self._index = index
        self.early = early
        self._part, self._part_id = part, part_id
        #: Returns the bytes of a (small) member, or raises ``MemberDamagedError``; set by who reads the part.
        self.read: Callable[[Member], bytes] = lambda member: b""
        self._folders: dict[str, int] = {}
        self._media: list[tuple[int, str, Member, str | None]] = []
        self._sidecars: list[SidecarRow] = []
        self.tally: Counter[str] = Counter()
        self.remarks: list[tuple[str, bool]] = []
        self.stamp = ""
        self._again = False

    def take(self, listed: Listed, apple: str | None = None) -> None:
        """Put one member where it belongs.

        Args:
            listed: as the part lists it.
            apple: a content identifier that was read on the way.
        """
        if isinstance(listed, Directory):
            self.tally[DIRECTORIES] += 1
        elif isinstance(listed, Refused):
            self.refuse(listed)
        elif place := photos_place(listed.path):
            self._take_photos_member(listed, nfc(place[0]), place[1], apple)
        else:
            self.tally[OTHER] += 1
        if len(self._media) + len(self._sidecars) >= _BATCH:
            self.flush()

    def refuse(self, refused: Refused) -> None:
        """Count a member that is not read, and name it."""
        self.tally[REFUSED] += 1
        self._remark(f"{refused.path}: refused, {refused.reason}", lost=refused.lost)

    def flush(self) -> None:
        """Write what was collected."""
        self._index.add_media(self._part_id, self._media)
        self._index.add_sidecars(self._part_id, self._sidecars)
        self._media, self._sidecars = [], []

    def close(self, problem: str = "", *, again: bool = False) -> None:
        """Write the part's totals.

        Args:
            problem: why it could not be read to its end.
            again: that may pass, so the part is to be read again in the next run.
        """
        self.flush()
        hidden = len(self.remarks) - _NAMED
        if hidden > 0:
            lost = any(lost for _, lost in self.remarks[_NAMED:])
            self.remarks[_NAMED:] = [(f"{self._part.name}: {hidden} more remarks of this kind", lost)]
        stamp = self._part.stamp or self.stamp
        self._index.close_part(
            self._part_id, dict(self.tally), self.remarks, stamp=stamp, problem=problem, again=again or self._again
        )

    def _take_photos_member(self, member: Member, folder: str, name: str, apple: str | None) -> None:
        self.stamp = max(self.stamp, member.stamp)
        if name.lower().endswith(".json"):
            self._take_json(member, folder, name)
        elif is_media(folder, name):
            self.tally[MEDIA] += 1
            self._media.append((self._folder(folder), nfc(name), member, apple))
            self.early.take_media(self._folder(folder), folder, nfc(name), member)
        else:
            self.tally[OTHER] += 1

    def _take_json(self, member: Member, folder: str, name: str) -> None:
        if member.size > LARGEST_JSON:
            self.refuse(Refused(shown(member.path), f"{member.size} bytes are too many for a JSON file"))
            return
        try:
            text = self.read(member)
        except MemberDamagedError as error:
            self.refuse(Refused(shown(member.path), str(error)))
            return
        except PermissionError as error:
            self.refuse(Refused(shown(member.path), f"it cannot be read ({error.strerror})"))
            self._again = True
            return
        content = parse_json(text)
        if isinstance(content, AssetSidecar):
            self.tally[SIDECARS] += 1
            row = _sidecar_row(self._folder(folder), name, content)
            self._sidecars.append(row)
            self.early.take_sidecar(folder, row)
        elif isinstance(content, AlbumJson) and folder:
            self.tally[ALBUM_FILES] += 1
            packed = pack_json(msgspec.json.encode(content.raw))
            self._index.add_album_file(self._part_id, self._folder(folder), name, packed)
        else:
            self.tally[OTHER] += 1
            if not isinstance(content, AlbumJson) and content.reason not in _UNREMARKABLE:
                self._remark(f"{shown(member.path)}: {content.reason}", lost=False)

    def _folder(self, path: str) -> int:
        if path not in self._folders:
            self._folders[path] = self._index.folder(self._part.export, path)
        return self._folders[path]

    def _remark(self, text: str, *, lost: bool) -> None:
        self.remarks.append((f"{self._part.name}: {text}", lost))


def photos_place(path: str) -> tuple[str, str] | None:
    """Return folder and file name of a member of Google Photos, and ``None`` for what is another product's or none's.

    Archives that were packed again on a Mac have a double of each file, ``__MACOSX/.../._IMG_1.jpg``.
    """
    place = logical_path(path)
    if place is None or place[1].startswith("._") or any(is_strange(folder) for folder in path.split("/")[:-1]):
        return None
    return place


def is_media(folder: str, name: str) -> bool:
    """Return whether a file is backed up as a photo or video.

    Whatever lies in an album or a year and is not known to be something else may be a photo in a format that nobody
    thought of; it is better to store it than to lose it.
    """
    if kind_of(name) is not Kind.OTHER:
        return True
    return bool(folder) and name.casefold() not in _JUNK and not _NO_MEDIA.fullmatch(name)


def _sidecar_row(folder: int, name: str, sidecar: AssetSidecar) -> SidecarRow:
    text = msgspec.json.encode(sidecar.raw)
    digest = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)
    title = nfc(sidecar.title) if len(sidecar.title) <= _LONGEST_TITLE else ""
    return SidecarRow(folder, nfc(name), title, sidecar.instant, sidecar.url, digest, pack_json(text))
