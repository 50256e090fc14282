"""A file's other names in its albums: hard links, symbolic links or copies, as the profile wants and there are."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol

from syncengine.api import Destination, ItemError, TargetExistsError
from syncengine.engine.hashing import holds
from syncengine.engine.layout import candidate_paths, with_suffix
from syncengine.engine.ports import State
from syncengine.records import ContentRecord

LinkStyle = Literal["hardlink", "symlink", "copy"]


class AlbumParts(Protocol):
    """What albums are written with: a whole run, or less than that."""

    @property
    def destination(self) -> Destination[Any]:
        """Open."""
        ...

    @property
    def state(self) -> State:
        """Of the destination."""
        ...

    @property
    def staging(self) -> Path:
        """For files on their way."""
        ...

    @property
    def albums(self) -> Literal["auto", "hardlink", "symlink", "copy", "manifest", "none"]:
        """How the profile shows albums."""
        ...


class AlbumLinks:
    """Gives files their names in albums.

    Args:
        parts: the destination, and how albums are shown there.
    """

    def __init__(self, parts: AlbumParts) -> None:
        self._parts = parts
        self._numbers = itertools.count()
        self._style = _style_of(parts)
        self.warnings: list[str] = []

    def show(self, directory: str, members: list[ContentRecord]) -> None:
        """Give each member its name in an album; names that are there stay.

        Args:
            directory: the album's.
            members: all of its members.
        """
        style = self._style
        if style is None:
            return
        suffixed = {member.content: with_suffix(_wanted(directory, member), member.content) for member in members}
        missing = self._parts.destination.missing([*suffixed.values(), *(member.path for member in members)])
        for member in sorted(members, key=lambda member: member.content):
            if member.path in missing:
                continue  # The run has put back what the source has: this one is for a verification to tell of.
            # One that had to take a suffix keeps it, also when the plain name is free again.
            kept = suffixed[member.content] not in missing and self._is_shown(member, suffixed[member.content], style)
            if not kept:
                self._show(directory, member, style)

    def _is_shown(self, member: ContentRecord, path: str, style: LinkStyle) -> bool:
        """Whether the file that stands at ``path`` is the member's name there; a hard link is known without reading."""
        if style == "hardlink":
            with suppress(TargetExistsError, ItemError, FileNotFoundError):
                self._parts.destination.link(member.path, path, kind=style)
                return True
        return self._is_same(member, path)

    def _show(self, directory: str, member: ContentRecord, style: LinkStyle) -> None:
        """Give a member the file's own name in the album, or one with a suffix where two would be alike."""
        wanted = _wanted(directory, member)
        for path in candidate_paths(wanted, member.content):
            try:
                if style == "copy":
                    self._copy(member, path)
                else:
                    self._parts.destination.link(member.path, path, kind=style)
            except TargetExistsError:
                if not self._is_same(member, path):
                    continue
            except (ItemError, FileNotFoundError) as error:
                self.warnings.append(f"{path} could not be linked: {error}")
            return
        self.warnings.append(f"{wanted}: every name that it could take is taken by another file")

    def _is_same(self, member: ContentRecord, path: str) -> bool:
        """Whether a file of the member's own bytes stands there: a link, a copy, or a link whose file was restored."""
        if self._parts.destination.link_target(path) == member.path:
            return True  # As another profile or an older one shows albums.
        return holds(self._parts.destination, path, member.stored_sha256, member.stored_size)

    def _copy(self, member: ContentRecord, path: str) -> None:
        if self._parts.destination.stat(path) is not None:
            raise TargetExistsError(path)
        staged: Path = self._parts.staging / f"a{next(self._numbers)}"
        with self._parts.destination.read(member.path) as stream, staged.open("xb") as target:
            while chunk := stream.read(1 << 20):
                target.write(chunk)
        self._parts.destination.place(staged, path, mtime=member.mtime)


def _wanted(directory: str, member: ContentRecord) -> str:
    return f"{directory}/{member.path.rpartition('/')[2]}"


def _style_of(parts: AlbumParts) -> LinkStyle | None:
    able = parts.destination.capabilities
    match parts.albums:
        case "auto" if able.hardlinks:
            return "hardlink"
        case "auto" if able.symlinks:
            return "symlink"
        case "hardlink" | "symlink" | "copy" as style:
            return style
    return None
