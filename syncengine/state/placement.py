"""Where the state may live: a local directory, for LMDB needs a shared memory map and locks that tell the truth."""

from __future__ import annotations

import os
import re
from pathlib import Path

from syncengine.errors import FatalError
from syncengine.state.failures import translated

VARIABLE = "SYNCENGINE_STATE_DIR"

_MOUNTS = Path("/proc/self/mountinfo")
_REMOTE = re.compile(
    r"9p|afs|beegfs|ceph|cifs|coda|davfs|gfs2|glusterfs|lustre|ncpfs|nfs4?|ocfs2|smb3|smbfs|sshfs"
    r"|fuse\.(ceph|davfs2|gcsfuse|glusterfs|rclone|s3fs|smbnetfs|sshfs)"
)


def default_state_directory() -> Path:
    """Return the state directory of this user, made when it is missing, for this user alone.

    ``SYNCENGINE_STATE_DIR`` names it, else it is where the system keeps a user's state.

    Raises:
        FatalError: it cannot be made, or it is on a network file system.
    """
    directory = _chosen()
    refuse_remote(directory)
    with translated(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def refuse_remote(directory: Path, mounts: Path = _MOUNTS) -> None:
    """Raise ``FatalError`` when a directory, or where it would be made, is on a network file system.

    Args:
        directory: need not be there yet.
        mounts: the system's table of mounts; without one (not Linux) every directory is allowed.
    """
    try:
        table = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    kind = file_system(Path(os.path.realpath(directory)), table)
    if _REMOTE.fullmatch(kind):
        raise FatalError(
            f"the state directory {directory} is on a network file system ({kind}), where it would get damaged",
            advice=f"set {VARIABLE} to a directory on a local disk; the destination may stay where it is",
        )


def file_system(path: Path, table: str) -> str:
    """Return the file system type that holds ``path``.

    Args:
        path: absolute, without links.
        table: text of ``/proc/self/mountinfo``, see proc_pid_mountinfo(5).
    """
    kind, longest = "", -1
    for line in table.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        mount = _unescaped(fields[4])
        # a later line hides an earlier one that is mounted at the same place
        if len(mount) >= longest and path.is_relative_to(mount):
            kind, longest = after.split(" ")[0], len(mount)
    return kind


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _chosen() -> Path:
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser().absolute()
    # start-up: most commands that need no state never need this
    import platformdirs

    return Path(platformdirs.user_state_dir("syncengine", appauthor=False))
