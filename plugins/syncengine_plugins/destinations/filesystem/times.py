"""Capture times as modification times, as far as the file system can hold them."""

from __future__ import annotations

import errno
import math
import os

_TIME_REFUSED = frozenset({errno.EINVAL, errno.EOVERFLOW, errno.ERANGE, errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP})
#: The last second that every file system can hold: signed 32 bits.
_LATEST = (1 << 31) - 1


def set_mtime(file: int | str, seconds: float) -> None:
    """Set a file's mtime as well as its file system can hold it.

    A time before 1970 or far in the future that is refused is brought to the nearest end of 1970 to 2038; a file
    system that refuses that as well keeps its own time. No item fails because of it.

    Args:
        file: descriptor or path.
        seconds: since the epoch; microseconds are kept.

    Raises:
        OSError: the file cannot be reached at all.
    """
    if math.isnan(seconds):
        return
    for wanted in (seconds, min(max(seconds, 0), _LATEST)):
        try:
            # Through microseconds: a float has no more digits, and the nanoseconds would be noise.
            moment = round(wanted * 1_000_000) * 1000
            os.utime(file, ns=(moment, moment))
        except OverflowError:
            continue
        except OSError as error:
            if error.errno not in _TIME_REFUSED:
                raise
        else:
            return
