"""What the store's failures mean to a run, and what a person can do about each."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import lmdb

from syncengine.errors import FatalError

_SUSPECT = "suspect"
_DAMAGE = (
    lmdb.BadDbiError,
    lmdb.BadValsizeError,
    lmdb.CorruptedError,
    lmdb.CursorFullError,
    lmdb.IncompatibleError,
    lmdb.InvalidError,
    lmdb.PageFullError,
    lmdb.PageNotFoundError,
    lmdb.PanicError,
)


class RecordDamagedError(ValueError):
    """A value of the store is not what was written."""


class StateDamagedError(FatalError):
    """The state store cannot be trusted any more; the photos at the destination are not touched by that.

    Args:
        directory: of the store.
        what: what was found.
    """

    def __init__(self, directory: Path, what: str) -> None:
        self.directory = directory
        super().__init__(
            f"the state in {directory} is damaged: {what}",
            advice=(
                "run 'syncengine state rebuild PROFILE', which sets it aside and makes it again from the destination, "
                f"or move {directory} away and run again: the photos are safe, and nothing is stored twice"
            ),
        )

    def __reduce__(self) -> tuple[type[FatalError], tuple[str], dict[str, str]]:
        return FatalError, (self.reason,), {"advice": self.advice}


@contextmanager
def translated(directory: Path) -> Iterator[None]:
    """Turn what LMDB, the codec and the file system raise inside into a ``FatalError`` that says what to do."""
    try:
        yield
    except RecordDamagedError as error:
        _remember(directory)
        raise StateDamagedError(directory, str(error)) from error
    except _DAMAGE as error:  # pylint: disable=catching-non-exception  # lmdb makes its exceptions in C
        raise StateDamagedError(directory, str(error)) from error
    except (lmdb.Error, OSError) as error:
        raise _fatal(directory, error) from error


def is_suspect(store: Path) -> bool:
    """Whether a record of a store was found damaged since the store was last read as a whole."""
    return (store / _SUSPECT).exists()


def clear_suspicion(store: Path) -> None:
    """Say that a store was read as a whole and is sound."""
    with suppress(OSError):
        (store / _SUSPECT).unlink()


def _remember(store: Path) -> None:
    """Leave a mark in a store with a damaged record, so that the next opening reads all of them."""
    with suppress(OSError):
        if (store / "data.mdb").exists():
            (store / _SUSPECT).touch()


def _fatal(directory: Path, error: Exception) -> FatalError:
    if isinstance(error, lmdb.VersionMismatchError):
        return made_by_newer(directory)
    if isinstance(error, lmdb.DiskError):
        return FatalError(
            f"there is no space left for the state in {directory}",
            advice="free some space there and run again; what was recorded so far is kept",
        )
    is_read_only = isinstance(error, OSError) and error.errno == errno.EROFS
    if is_read_only or isinstance(error, (lmdb.ReadonlyError, PermissionError)):
        return FatalError(
            f"the state in {directory} cannot be written: {error}",
            advice="make the directory writable for this user, or set SYNCENGINE_STATE_DIR to one that is",
        )
    return FatalError(
        f"the state in {directory} cannot be used: {error}",
        advice="check the disk and the directory's permissions, or set SYNCENGINE_STATE_DIR to another local directory",
    )


def not_ours(directory: Path) -> FatalError:
    """Return the error for a database that another program has made."""
    return FatalError(
        f"the database in {directory} was not made by syncengine",
        advice="move it away, or set SYNCENGINE_STATE_DIR to another directory",
    )


def made_by_newer(directory: Path) -> FatalError:
    """Return the error for a store whose format this version does not know."""
    return FatalError(
        f"the state in {directory} was made by a newer syncengine",
        advice="update syncengine, or set SYNCENGINE_STATE_DIR to another directory",
    )
