"""``.syncengine/format.json``: the version of what is kept here, and the identity of this destination."""

from __future__ import annotations

import contextlib
import json
import os
import uuid

import msgspec

from syncengine.api import FatalError
from syncengine_plugins.destinations.filesystem.renaming import Renamer

NAME = "format.json"
_NEWEST = 1


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content; unknown fields are kept by never writing it again.

    Args:
        format: version of the layout of ``.syncengine``.
        id: the destination's identity.
        made_by: who wrote the file.
    """

    format: int
    id: str
    made_by: str = ""


def read_format(private: str) -> Format | None:
    """Return what the file says, or ``None`` when there is none.

    Args:
        private: the destination's ``.syncengine`` directory, absolute.

    Raises:
        FatalError: it is damaged or of a newer version.
        OSError: it cannot be read.
    """
    path = os.path.join(private, NAME)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(fd, "rb") as stream:
        content = stream.read(1 << 16)
    try:
        found = msgspec.json.decode(content, type=Format)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if found.format > _NEWEST:
        raise FatalError(
            f"{path} is of format {found.format}, and this syncengine knows up to {_NEWEST}",
            advice="use the syncengine that wrote it, or a newer one",
        )
    if found.format < 1 or not found.id:
        raise _damaged(path, "no id or no format")
    return found


def _damaged(path: str, why: str) -> FatalError:
    return FatalError(
        f"{path} is damaged ({why})",
        advice="restore it from a copy; without one, remove it: the destination then counts as a new one",
    )


def ensure_format(private: str, scratch: str, renamer: Renamer) -> Format:
    """Return what the file says, and write it first when there is none; two who do so at once agree.

    Args:
        private: the destination's ``.syncengine`` directory, absolute.
        scratch: this run's own directory on the same file system.
        renamer: gives the file its name.

    Raises:
        FatalError: it is damaged or of a newer version.
        OSError: it cannot be written.
    """
    found = read_format(private)
    if found is not None:
        return found
    text = json.dumps({"format": _NEWEST, "id": str(uuid.uuid4()), "made_by": "syncengine destination.filesystem"})
    staged = os.path.join(scratch, NAME)
    with open(staged, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    directory = os.open(private, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with contextlib.suppress(FileExistsError):
            renamer.rename(staged, None, NAME, directory)
        os.fsync(directory)
    finally:
        os.close(directory)
    written = read_format(private)
    if written is None:
        raise _damaged(os.path.join(private, NAME), "it vanished as soon as it was written")
    return written
