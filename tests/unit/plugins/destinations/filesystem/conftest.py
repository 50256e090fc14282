from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions

Store = Callable[..., None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def destination(root: Path) -> Iterator[FilesystemDestination]:
    made = FilesystemDestination(FilesystemOptions(path=str(root)))
    made.open()
    yield made
    made.close()


@pytest.fixture
def store(destination: FilesystemDestination) -> Store:
    def write(path: str, content: bytes = b"content", *, replace: bool = False) -> None:
        upload = destination.begin(path)
        upload.write(content)
        upload.commit(mtime=1e9, replace=replace)

    return write
