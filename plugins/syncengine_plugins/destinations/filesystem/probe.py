"""What the file system below the destination can do, found out once by trying."""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from syncengine.api import Capabilities
from syncengine_plugins.destinations.filesystem.failures import concerns_whole_root
from syncengine_plugins.destinations.filesystem.renaming import Renamer

_COMPOSED = "Prob\u00e9"  # NFC; NFD would be e + U+0301


class Probed(NamedTuple):
    """What was found.

    Args:
        capabilities: for the engine.
        decomposes: names come back from a listing in another normalisation than they were given.
    """

    capabilities: Capabilities
    decomposes: bool


def probe(directory: str, renamer: Renamer) -> Probed:
    """Try everything in an empty directory, and leave it empty.

    Args:
        directory: absolute path of the run's own directory.
        renamer: learns which way of renaming works here.

    Raises:
        OSError: not even a file can be made and renamed.
    """
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    made: list[str] = []
    try:
        os.close(os.open("first", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=fd))
        made += ["first", "Second"]
        renamer.choose(fd, "first", "Second")
        hardlinks = _can_hardlink(fd, made)
        symlinks = _can_symlink(fd, made)
        case_sensitive = not _exists(fd, "sECOND")
        decomposes = _decomposes(fd, made)
    finally:
        for name in made:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=fd)
        os.close(fd)
    found = Capabilities(hardlinks=hardlinks, symlinks=symlinks, rename=True, case_sensitive=case_sensitive)
    return Probed(found, decomposes)


def _check_disk(error: OSError) -> None:
    """Raise the error of a trial that tells about the disk and not about what the file system can do."""
    if concerns_whole_root(error):
        raise error


def _exists(fd: int, name: str) -> bool:
    try:
        os.lstat(name, dir_fd=fd)
    except FileNotFoundError:
        return False
    return True


def _can_hardlink(fd: int, made: list[str]) -> bool:
    try:
        os.link("Second", "hard", src_dir_fd=fd, dst_dir_fd=fd, follow_symlinks=False)
    except OSError as error:
        _check_disk(error)
        return False
    made.append("hard")
    return os.lstat("hard", dir_fd=fd).st_ino == os.lstat("Second", dir_fd=fd).st_ino


def _can_symlink(fd: int, made: list[str]) -> bool:
    try:
        os.symlink("Second", "soft", dir_fd=fd)
        made.append("soft")
        return os.readlink("soft", dir_fd=fd) == "Second"
    except OSError as error:
        _check_disk(error)
        return False


def _decomposes(fd: int, made: list[str]) -> bool:
    try:
        os.close(os.open(_COMPOSED, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=fd))
    except OSError:
        return False
    made.append(_COMPOSED)
    return _COMPOSED not in os.listdir(fd)
