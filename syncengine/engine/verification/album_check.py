"""The albums: each member's name in its album leads to the right file, and ``album.json`` says who is a member."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from syncengine.api import Destination, ItemError
from syncengine.engine.albums import AlbumFile
from syncengine.engine.layout import candidate_paths
from syncengine.engine.parts import AlbumStyle
from syncengine.engine.ports import State
from syncengine.engine.verification.findings import Finding, FindingKind
from syncengine.engine.verification.reading import Reader
from syncengine.records import AlbumRecord, ContentRecord

_DECODER = msgspec.json.Decoder(AlbumFile)


class AlbumCheck:
    """Looks at albums.

    Args:
        destination: open.
        state: bound to the profile and the destination.
        reader: hashes what is no link.
        profile: whose links have to be there.
        style: how the profile shows albums.
    """

    def __init__(
        self, destination: Destination[Any], state: State, reader: Reader, profile: str, style: AlbumStyle
    ) -> None:
        self._destination = destination
        self._state = state
        self._reader = reader
        self._profile = profile
        able = destination.capabilities
        #: Whether members have names of their own.
        self.is_linked = style in ("hardlink", "symlink", "copy") or (
            style == "auto" and (able.hardlinks or able.symlinks)
        )
        self._is_shown = style != "none"
        #: Paths that belong to albums.
        self.known: set[str] = set()

    def check(self) -> list[Finding]:
        """Return what is wrong with the albums. Raises ``FatalError``, ``InterruptedRunError``."""
        albums = sorted(self._state.albums(), key=lambda album: album.directory)
        return [finding for album in albums for finding in self._check_album(album)]

    def check_only(self, ids: set[str]) -> list[Finding]:
        """Return what is wrong with some albums."""
        albums = sorted((album for album in self._state.albums() if album.id in ids), key=lambda album: album.directory)
        return [finding for album in albums for finding in self._check_album(album)]

    def _check_album(self, album: AlbumRecord) -> Iterator[Finding]:
        members = list(self._state.album_members(album.id))
        yield from self._check_paper(album, members)
        there = self._listed(album.directory)
        for member in members:
            path = self._name_of(album, member, there)
            if path:
                self.known.add(path)
            elif self.is_linked and member.profile == self._profile and not self._is_missing(member):
                wanted = f"{album.directory}/{member.path.rpartition('/')[2]}"
                other = "another file is there" if wanted in there else self._instead(wanted)
                self.known.add(wanted)
                reason = f"it is no link to {member.path}: {other}"
                yield Finding(kind=FindingKind.LINK, path=wanted, reason=reason, album=album.id)

    def _listed(self, directory: str) -> set[str]:
        """Return the files of an album; none where its directory cannot be entered, such as behind a link."""
        try:
            return {stat.path for stat in self._destination.list(directory)}
        except ItemError:
            return set()

    def _leads(self, path: str) -> str | None:
        try:
            return self._destination.link_target(path)
        except ItemError:
            return None

    def _is_missing(self, member: ContentRecord) -> bool:
        """Whether the member's own file is not there, which is said of that file already."""
        return bool(self._destination.missing([member.path]))

    def _instead(self, path: str) -> str:
        leads = self._leads(path)
        return "there is no file of that name" if leads is None else "a link to something else is there"

    def _name_of(self, album: AlbumRecord, member: ContentRecord, there: set[str]) -> str:
        """Return the name of a member in its album, or nothing where it has none."""
        name = member.path.rpartition("/")[2]
        for path in candidate_paths(f"{album.directory}/{name}", member.content):
            if path in there:
                if self.is_same(member, path):
                    return path
            elif self._destination.capabilities.symlinks and self._leads(path) == member.path:
                return path
        return ""

    def is_same(self, member: ContentRecord, path: str) -> bool:
        """Whether a file of an album is another name of the member's file, or a copy of what was recorded of it."""
        try:
            with self._destination.read(path) as stream:
                own = _identity(stream)
                if own is not None and own == self._identity_of(member.path):
                    return True
                return self._reader.digest(stream, member.stored_size) == (member.stored_size, member.stored_sha256)
        except (ItemError, OSError):
            return False

    def _identity_of(self, path: str) -> tuple[int, int] | None:
        try:
            with self._destination.read(path) as stream:
                return _identity(stream)
        except (ItemError, OSError):
            return None

    def _check_paper(self, album: AlbumRecord, members: list[ContentRecord]) -> Iterator[Finding]:
        path = f"{album.directory}/album.json"
        self.known.add(path)
        reason = ""
        try:
            with self._destination.read(path) as stream:
                paper = _DECODER.decode(stream.read())
            if {member.path for member in paper.members} != {member.path for member in members}:
                reason = "it does not name the members that are recorded"
        except FileNotFoundError:
            # An album that its last photo left for the trash has no directory any more.
            reason = "there is no file of that name" if self._is_shown and members else ""
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            reason = "it cannot be understood"
        except (ItemError, OSError) as error:
            reason = f"it cannot be read: {error}"
        if reason:
            yield Finding(kind=FindingKind.METADATA, path=path, reason=reason, album=album.id)


def _identity(stream: BinaryIO) -> tuple[int, int] | None:
    """Return what two names of one file share, or ``None`` where the stream is no file of this system."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, AttributeError):
        return None
    # Where file systems make inode numbers up, nothing has two names either.
    return (found.st_dev, found.st_ino) if found.st_nlink > 1 else None
