"""Files that only their owner can read, replaced in one step and durable when a call returns."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncengine.errors import FatalError

_FILE_MODE = 0o600
_DIRECTORY_MODE = 0o700
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
#: What a file that is being written is called until it is whole; no entry has such a name.
TEMPORARY = ".writing-"


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what the file system raises inside into a ``FatalError`` about ``what``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FatalError(
            f"{what} cannot be used: {reason}", advice="check the disk and this user's permissions there"
        ) from error


def make_directory(path: Path) -> None:
    """Make a directory for this user alone, or check that it is one.

    Raises:
        FatalError: it cannot be made, or others may look into it.
    """
    with translated(f"the directory {path}"):
        path.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        found = path.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise FatalError(f"{path} is no directory", advice="move it away")
    _check(path, found, _DIRECTORY_MODE)


def read(path: Path, limit: int) -> bytes | None:
    """Return the content of a file that only its owner can read, or ``None`` when there is none.

    Args:
        path: the file.
        limit: bytes; a longer file is not read to its end.

    Raises:
        FatalError: others may read it, or it cannot be read.
    """
    with translated(f"the file {path}"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as stream:
            # asked of the open file: what the name leads to may have changed since
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise FatalError(f"{path} is no regular file", advice="move it away")
            _check(path, found, _FILE_MODE)
            return stream.read(limit)


def replace(path: Path, content: bytes) -> None:
    """Write a file for this user alone, whole or not at all.

    Raises:
        FatalError: it cannot be written; what was there is unchanged.
    """
    with translated(f"the file {path}"):
        written = _write_beside(path, content)
        try:
            written.replace(path)
        except OSError:
            written.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


def create(path: Path, content: bytes) -> bool:
    """Write a file for this user alone, whole or not at all, unless there is one.

    Returns:
        whether it was written; ``False`` when there was a file already, which is unchanged.

    Raises:
        FatalError: it cannot be written.
    """
    with translated(f"the file {path}"):
        written = _write_beside(path, content)
        try:
            os.link(written, path)  # unlike a rename, never takes the place of another file
        except FileExistsError:
            return False
        finally:
            written.unlink(missing_ok=True)
        sync_directory(path.parent)
        return True


def rename(path: Path, target: Path) -> None:
    """Give a file of this module another name in the same directory, durably, in place of what had it."""
    with translated(f"the file {target}"):
        path.replace(target)
        sync_directory(target.parent)


def remove(path: Path) -> bool:
    """Remove a file, durably; return whether there was one."""
    with translated(f"the file {path}"):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        sync_directory(path.parent)
        return True


def remove_unfinished(directory: Path) -> None:
    """Remove what writers left behind that were killed; nobody else may be writing there now."""
    with translated(f"the directory {directory}"):
        for path in directory.glob(f"{TEMPORARY}*"):
            path.unlink(missing_ok=True)


def sync_directory(path: Path) -> None:
    """Return when the names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_beside(path: Path, content: bytes) -> Path:
    written = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            written.unlink()
        raise
    return written


def _check(path: Path, found: os.stat_result, mode: int) -> None:
    if found.st_uid not in (os.geteuid(), 0):
        raise FatalError(
            f"{path} belongs to another user",
            advice=f"move it away, or run as the user who owns it (uid {found.st_uid})",
        )
    if found.st_mode & _FOR_OTHERS:
        raise FatalError(
            f"{path} holds secrets and is open to other users (mode {stat.S_IMODE(found.st_mode):04o})",
            advice=f"run 'chmod {mode:o} {path}'; if others could read it, run 'syncengine auth rekey' after that",
        )
