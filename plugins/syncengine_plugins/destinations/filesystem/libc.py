"""The two calls of the C library that Python does not offer."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import NamedTuple

#: A path is relative to the working directory (fcntl.h).
AT_FDCWD = -100


class Libc(NamedTuple):
    """C functions that return 0 or -1 with ``ctypes.get_errno()``; ``None`` where the library has none (musl)."""

    renameat2: Callable[[int, bytes, int, bytes, int], int] | None
    syncfs: Callable[[int], int] | None


def _load() -> Libc:
    library = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(library, "renameat2", None)
    if renameat2 is not None:
        renameat2.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    syncfs = getattr(library, "syncfs", None)
    if syncfs is not None:
        syncfs.argtypes = (ctypes.c_int,)
    return Libc(renameat2, syncfs)


LIBC = _load()
