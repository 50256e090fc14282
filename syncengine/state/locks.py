"""One process per profile, and one at a time where profiles share a destination."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from syncengine.errors import LockedError
from syncengine.state.failures import translated

_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def profile_lock(directory: Path, profile: str) -> Iterator[None]:
    """Hold the lock of a profile; the system frees it when the process ends, however it ends.

    Args:
        directory: the state directory.
        profile: the profile's name, any text.

    Raises:
        LockedError: the profile is running already, in this process or another.
        FatalError: the lock file cannot be made.
    """
    with _opened(directory, _file_name(profile)) as lock:
        with translated(directory):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockedError(f"profile {profile}") from None
        yield


@contextmanager
def destination_lock(directory: Path, identity: str) -> Iterator[None]:
    """Hold the lock of what profiles with one destination share; waits for another process of this machine.

    Args:
        directory: the state directory.
        identity: the destination's.

    Raises:
        FatalError: the lock file cannot be made.
    """
    with _opened(directory, f"destination-{_file_name(identity)}") as lock:
        with translated(directory):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(directory: Path, name: str) -> Iterator[int]:
    # flock itself and not the library filelock, which imports asyncio: 20 ms of every command.
    with translated(directory):
        (directory / "locks").mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "locks" / name, _OPEN, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


def _file_name(profile: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", profile)[:40]
    return f"{readable}-{blake2b(profile.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}.lock"
