"""One process per profile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock, Timeout

from syncengine.errors import LockedError
from syncengine.state.failures import translated


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
    lock = FileLock(directory / "locks" / _file_name(profile), timeout=0)
    with translated(directory):
        (directory / "locks").mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise LockedError(f"profile {profile}") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def destination_lock(directory: Path, identity: str) -> Iterator[None]:
    """Hold the lock of what profiles with one destination share; waits for another process of this machine.

    Args:
        directory: the state directory.
        identity: the destination's.

    Raises:
        FatalError: the lock file cannot be made.
    """
    lock = FileLock(directory / "locks" / f"destination-{_file_name(identity)}")
    with translated(directory):
        (directory / "locks").mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _file_name(profile: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", profile)[:40]
    return f"{readable}-{blake2b(profile.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}.lock"
