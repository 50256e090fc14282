"""One environment per directory and process: LMDB forbids to open a file twice."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from syncengine.state.environment import Environment

_open_lock = Lock()
# The process's one list of what it has open: whoever comes second shares what the first one opened.
_opened: dict[tuple[int, int], Environment] = {}


def acquire(directory: Path) -> Environment:
    """Open the store in ``directory``, or share the one that this process opened before; ``release`` it once."""
    with _open_lock:
        key = _identity(directory)
        shared = _opened.get(key) if key else None
        if shared is not None:
            shared.check_process()
            shared.users += 1
            return shared
        opened = Environment(directory)
        _opened[_identity(directory) or (0, 0)] = opened
        return opened


def release(environment: Environment) -> None:
    """Give up one use; the last one closes the store."""
    with _open_lock:
        environment.users -= 1
        if environment.users == 0:
            for key in [key for key, opened in _opened.items() if opened is environment]:
                del _opened[key]
            environment.close()


def _identity(directory: Path) -> tuple[int, int] | None:
    try:
        found = directory.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
