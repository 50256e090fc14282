"""Loaded by the Python of a run that is to be killed; does nothing unless the environment asks for it.

``CRASH_BATCH_ITEMS`` makes batches small. ``CRASH_READ_BESIDE`` has processes read the library, however small it is,
from the first batch on. ``CRASH_AT`` kills the process with SIGKILL before its n-th call of a
function that changes something on a disk, counted over all its threads, where there is no strace to do that;
``CRASH_COUNT`` names a file that tells at the end how many such calls there were. Processes that it starts are left
alone.
"""

from __future__ import annotations

import atexit
import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

#: Functions written in C, by the name of their type or module and their own.
_CHANGES = {
    *("posix.rename", "posix.replace", "posix.link", "posix.symlink", "posix.unlink", "posix.remove", "posix.mkdir"),
    *("posix.rmdir", "posix.open", "posix.write", "posix.fsync", "posix.utime", "posix.truncate", "posix.close"),
    *("_io.open", "BufferedWriter.write", "BufferedWriter.flush", "FileIO.write", "BufferedWriter.close"),
    *("Environment.begin", "Transaction.put", "Transaction.delete", "Transaction.__exit__", "Transaction.commit"),
    *("Environment.open_db", "Environment.close", "fcntl.flock"),
}
#: Functions written in Python, behind which there is a call of the C library that Python does not offer.
_BEHIND = {"rename_no_replace", "_sync_all"}


def _make_batches_small(items: int) -> None:
    from syncengine.engine import planning

    planning.BATCH_ITEMS = items


def _read_beside() -> None:
    from syncengine.engine import reading

    class Patient(reading.ReadingProcesses):
        def are_ready_for(self, count: int) -> bool:
            while not super().are_ready_for(1000):
                if self._is_given_up:  # what they need to start has failed
                    return False
                time.sleep(0.01)
            return count > 0

    reading.ReadingProcesses = Patient  # type: ignore[misc]


def _name(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    place = owner.__name__ if isinstance(owner, type(sys)) else type(owner).__name__
    return f"{place}.{function.__name__}" if owner is not None else f"{function.__module__}.{function.__name__}"


def _kill_at(wanted: int, count_to: str) -> None:
    numbers = itertools.count(1)

    def count(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            changes = _name(function) in _CHANGES
        else:
            changes = event == "call" and frame.f_code.co_name in _BEHIND
        if changes and next(numbers) == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    if count_to:
        atexit.register(lambda: Path(count_to).write_text(str(next(numbers) - 1), encoding="ascii"))
    threading.setprofile(count)
    sys.setprofile(count)


def _begin() -> None:
    batch, at, count_to = (os.environ.pop(name, "") for name in ("CRASH_BATCH_ITEMS", "CRASH_AT", "CRASH_COUNT"))
    if batch:
        _make_batches_small(int(batch))
    if os.environ.pop("CRASH_READ_BESIDE", ""):
        _read_beside()
    if at or count_to:
        _kill_at(int(at or 0), count_to)


_begin()
