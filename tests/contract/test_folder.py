from __future__ import annotations

import json
import os
from pathlib import Path

from syncengine.testing.contracts import SourceContract
from syncengine_plugins.sources.folder import FolderOptions, FolderSource
from tests.contract.photos import heic, jpeg

_SIDECAR = {"title": "c.jpg", "description": "at the sea", "photoTakenTime": {"timestamp": "1562163725"}}
_FILES = {
    "DCIM/100/IMG_0001.jpg": jpeg(1),
    "DCIM/100/IMG_0002.HEIC": heic(2),
    "DCIM/100/clip.mp4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
    "Rome 2019/c.jpg": jpeg(3),
    "Rome 2019/c.jpg.json": json.dumps(_SIDECAR).encode(),
    "Rome 2019/empty.jpg": b"",
    "été/Ångström.jpg": jpeg(4),
    "twice.jpg": jpeg(1),
    "note.txt": b"no photo",
}


class TestFolder(SourceContract):
    everything = False

    def make(self, tmp_path: Path) -> FolderSource:
        root = tmp_path / "library"
        if not root.exists():
            for name, content in _FILES.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                os.utime(path, (1.5e9, 1.5e9))
        wanted = self.everything
        return FolderSource(
            FolderOptions(path=str(root), folders_as_albums=wanted, include_other=wanted, include_hidden=wanted)
        )

    def make_unreachable(self, tmp_path: Path) -> FolderSource:
        return FolderSource(FolderOptions(path=str(tmp_path / "not mounted")))


class TestFolderWithEverything(TestFolder):
    everything = True
