from __future__ import annotations

from pathlib import Path

from syncengine.testing.contracts import DestinationContract
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions


class TestFilesystem(DestinationContract):
    def make(self, tmp_path: Path) -> FilesystemDestination:
        return FilesystemDestination(FilesystemOptions(path=str(tmp_path / "backup")))
