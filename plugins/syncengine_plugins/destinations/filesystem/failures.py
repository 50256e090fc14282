"""What an operating system error at the destination means for the run."""

from __future__ import annotations

import errno
import os

from syncengine.api import FatalError, ItemError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_AWAY = frozenset(
    {
        errno.ESTALE,
        errno.ENOTCONN,
        errno.ENODEV,
        errno.ENXIO,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ETIMEDOUT,
        errno.ESHUTDOWN,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
    }
)
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_BAD_NAME = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL})

#: A directory that was found earlier is not there any more.
VANISHED = frozenset({errno.ENOENT, errno.ESTALE})
#: A link, or something else than a directory, where a directory belongs.
NOT_A_DIRECTORY = frozenset({errno.ENOTDIR, errno.ELOOP})


def went_away(root: str, why: str = "") -> FatalError:
    """Return the error that says that the root is not there any more.

    Args:
        root: the root, for people.
        why: what the system said, if anything.
    """
    return FatalError(
        f"the destination {root} went away{f' ({why})' if why else ''}",
        advice="mount it again, then run again: what was finished is intact and is not done twice",
    )


def concerns_whole_root(error: OSError) -> bool:
    """Return whether an error means that nothing can be written: full, read-only, failing or away."""
    return error.errno in _FULL | _AWAY | _EXHAUSTED | {errno.EROFS, errno.EIO}


def explain(error: OSError, path: str, root: str) -> ItemError | FatalError:
    """Return what ``error`` means: the end of the run, or the failure of one item.

    Args:
        error: what the system said.
        path: what was being worked on, for people.
        root: the root, for people.
    """
    code = error.errno or 0
    said = os.strerror(code)
    if code in _FULL:
        return FatalError(
            f"the destination {root} is full ({said})",
            advice="free some space there, then run again: what was finished is intact and is not done twice",
        )
    if code == errno.EROFS:
        return FatalError(
            f"the destination {root} is read-only",
            advice="mount it writable (a disk with errors is often switched to read-only: check it), then run again",
        )
    if code == errno.EIO:
        return FatalError(
            f"the destination {root} reports a read or write error at {path}",
            advice="check the disk, its cable or the network before the next run",
        )
    if code in _AWAY:
        return went_away(root, said)
    if code in _EXHAUSTED:
        return FatalError(
            f"the system has no more of what {path} needs ({said})",
            advice="raise the limit (ulimit -n), or lower execution.downloads",
        )
    return _explain_item(code, path, said)


def _explain_item(code: int, path: str, said: str) -> ItemError:
    if code in _BAD_NAME:
        return ItemError(
            f"the destination's file system refuses the name {path!r} ({said})",
            advice="a shorter layout.path, or one without unusual characters, helps",
        )
    if code == errno.EFBIG:
        return ItemError(f"{path} is larger than the destination's file system can hold", advice="FAT32 ends at 4 GiB")
    if code in (errno.EACCES, errno.EPERM):
        return ItemError(
            f"no permission for {path} at the destination", advice="check the owner and mode of its folder"
        )
    if code in NOT_A_DIRECTORY:
        return ItemError(
            f"{path} leads through something at the destination that is no directory (a link or a file)",
            advice="nothing is written through links: put a real directory there",
        )
    return ItemError(f"{path} cannot be written or read at the destination ({said})")
