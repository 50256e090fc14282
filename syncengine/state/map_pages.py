"""Giving mapped pages of a file back to the system while something long goes through all of them.

The system counts the pages of a memory map that were touched as the process's memory, though it may take them away at
any time. A copy of a store touches all of them, and LMDB cannot map the store anew while it does that.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

_MAPS = Path("/proc/self/maps")  # proc_pid_maps(5)
_DONT_NEED = 4  # madvise(2): of a shared map of a file, the pages are read from the file again when they are needed
_SECONDS = 0.03


@contextmanager
def pages_given_back(file: Path, mapped: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """Keep the pages of a mapped file from adding up in this process's memory; does nothing where that is not Linux.

    Args:
        file: the file.
        mapped: held while the map must not move: what is at its address must be the map until the call is over.
    """
    done = threading.Event()

    def keep_giving() -> None:
        while not done.wait(_SECONDS):
            with mapped():
                give_back(file)

    giving = threading.Thread(target=keep_giving, name="map-pages", daemon=True)
    giving.start()
    try:
        yield
    finally:
        done.set()
        giving.join()


def give_back(file: Path) -> int:
    """Give the pages of a mapped file back once; return how many maps of it there are. The maps must not move."""
    if not sys.platform.startswith("linux"):
        return 0
    count = 0
    for begin, end in _maps_of(file):
        _libc().madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _DONT_NEED)
        count += 1
    return count


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _maps_of(file: Path) -> Iterator[tuple[int, int]]:
    """Yield the addresses of the shared maps of a file: only of these do the pages come back as they were."""
    try:
        found = file.stat()
        lines = _MAPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split(maxsplit=5)
        if (
            len(fields) > 5
            and fields[4] == str(found.st_ino)
            and fields[5] == str(file.resolve())
            and fields[1][3] == "s"
        ):
            begin, _, end = fields[0].partition("-")
            yield int(begin, 16), int(end, 16)
