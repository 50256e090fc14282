"""A directory of temporary files for one run, known to be alive by a lock that dies with its process.

``.syncengine/tmp/<run>/`` belongs to the process that holds ``flock`` on ``.syncengine/tmp/<run>.lock``. The lock is
taken before the directory is made, so a directory without a held lock belongs to nobody any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import time
import uuid
from pathlib import Path

_SUFFIX = ".lock"
#: Locks of another machine may not be visible here; what it left is taken for dead after this many seconds.
_OTHER_MACHINE = 86_400.0
#: A run that was killed before it wrote its lock and made its directory has left an empty file, which goes after this.
_NEVER_BEGUN = 60.0
_TOUCH_AFTER = 600.0


def machine() -> dict[str, str]:
    """Return what tells this running system from others: its boot and its name."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return {"boot": boot, "host": socket.gethostname()}


class RunDirectory:
    """This run's own directory.

    Args:
        temporary: ``.syncengine/tmp`` of the destination, absolute.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, temporary: str) -> None:
        self._lock_path, self._lock = _take_lock(temporary)
        self.path = self._lock_path.removesuffix(_SUFFIX)
        self._touched = time.monotonic()
        try:
            os.mkdir(self.path, 0o700)
        except OSError:
            self.close()
            raise

    def stay_alive(self) -> None:
        """Show other machines from time to time that this run goes on."""
        if time.monotonic() - self._touched > _TOUCH_AFTER:
            self._touched = time.monotonic()
            with contextlib.suppress(OSError):
                os.utime(self._lock)

    def close(self) -> None:
        """Remove everything and let go; may be called twice."""
        if self._lock < 0:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.unlink(self._lock_path)
        os.close(self._lock)
        self._lock = -1


def _take_lock(temporary: str) -> tuple[str, int]:
    while True:
        path = os.path.join(temporary, f"{os.getpid()}-{uuid.uuid4().hex[:12]}{_SUFFIX}")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if _lock(fd) and os.fstat(fd).st_nlink > 0:
                os.write(fd, json.dumps(machine()).encode())
                return path, fd
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(path)
            os.close(fd)
            raise
        # Somebody who cleans up was quicker and took the new lock for a dead one.
        os.close(fd)


def _lock(fd: int) -> bool:
    """Try to lock; a file system without locks counts as locked, its runs are told apart by age."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def clean(temporary: str) -> list[str]:
    """Remove what dead runs left in ``temporary``, and return the names of those runs.

    What cannot be removed (another user's) stays. A run that is alive is never touched.

    Raises:
        OSError: ``temporary`` cannot be listed.
    """
    removed = []
    with os.scandir(temporary) as entries:
        names = {entry.name for entry in entries}
    for run in sorted({name.removesuffix(_SUFFIX) for name in names}):
        lock = os.path.join(temporary, run + _SUFFIX)
        if _is_dead(lock):
            shutil.rmtree(os.path.join(temporary, run), ignore_errors=True)
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(temporary, run))
            with contextlib.suppress(OSError):
                os.unlink(lock)
            removed.append(run)
    return removed


def _is_dead(lock: str) -> bool:
    try:
        fd = os.open(lock, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _is_of_this_machine(fd) or _is_old(fd) or _never_began(fd, lock)
    except BlockingIOError:
        return False
    except OSError:
        # The file system knows no locks.
        return _is_old(fd)
    finally:
        os.close(fd)


def _is_old(fd: int, age: float = _OTHER_MACHINE) -> bool:
    return time.time() - os.fstat(fd).st_mtime > age


def _never_began(fd: int, lock: str) -> bool:
    """Return whether a lock is empty, of no directory, and not being written just now."""
    return _is_old(fd, _NEVER_BEGUN) and not os.fstat(fd).st_size and not os.path.lexists(lock.removesuffix(_SUFFIX))


def _is_of_this_machine(fd: int) -> bool:
    try:
        owner = json.loads(os.pread(fd, 4096, 0))
    except ValueError:
        return False
    here = machine()
    return isinstance(owner, dict) and (owner.get("boot") == here["boot"] or owner.get("host") == here["host"])
