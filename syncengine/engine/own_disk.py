"""What a failing disk under syncengine's own files (state, spool, scratch) means for a run."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncengine.errors import FatalError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def own_file_failed(error: OSError, directory: Path) -> FatalError:
    """Return what the system's word about a file of syncengine's own means for the run.

    Args:
        error: what the system said.
        directory: where the file is, for when the system names none.
    """
    advice = "make room and run again" if error.errno in _FULL else "check the disk that it is on, then run again"
    return FatalError(f"{error.filename or directory}: {error.strerror}", advice=advice)


@contextmanager
def own_disk(directory: Path) -> Iterator[None]:
    """Turn an ``OSError`` into a ``FatalError`` that says what to do; see ``own_file_failed``."""
    try:
        yield
    except BrokenPipeError:  # Whoever reads what is printed went away; that is no file.
        raise
    except OSError as error:
        raise own_file_failed(error, directory) from error
