"""A server that forgot a file (``ESTALE``) is asked again, and is never taken for one that has no such file."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from syncengine.api import FatalError
from syncengine_plugins.destinations.filesystem import FilesystemDestination

Use = Callable[[FilesystemDestination], Any]


def read(destination: FilesystemDestination) -> bytes:
    with destination.read("photos/a.jpg") as stream:
        return stream.read()


_USES: dict[str, Use] = {
    "open": read,
    "lstat": lambda destination: destination.stat("photos/a.jpg"),
}


def forgetful(monkeypatch: pytest.MonkeyPatch, call: str, times: int) -> None:
    """Let the server forget ``a.jpg`` so many times."""
    real, left = getattr(os, call), [times]

    def asked(path: Any, *arguments: Any, **more: Any) -> Any:
        if path == "a.jpg" and left[0]:
            left[0] -= 1
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), path)
        return real(path, *arguments, **more)

    monkeypatch.setattr(os, call, asked)


@pytest.mark.parametrize("call", _USES)
def test_what_is_forgotten_once_is_found(destination, store, monkeypatch, call):
    store("photos/a.jpg")
    forgetful(monkeypatch, call, 1)
    assert _USES[call](destination)


@pytest.mark.parametrize("call", _USES)
def test_what_stays_forgotten_is_not_missing(destination, store, monkeypatch, call):
    store("photos/a.jpg")
    forgetful(monkeypatch, call, 2)
    with pytest.raises(FatalError, match="went away"):
        _USES[call](destination)
