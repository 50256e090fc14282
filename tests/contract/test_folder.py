from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec

from syncengine.api import MediaItem, Sink
from syncengine.testing.contracts import SourceContract
from syncengine_plugins.sources.folder import FolderOptions, FolderSource
from tests.unit.plugins.media.builders import exif_block, image, movie

EXIF = exif_block({271: "Maker"}, {36867: "2019:07:03 12:00:00"})


def _tree(root: Path) -> Path:
    files = {
        "top.JPG": image("JPEG", exif=EXIF),
        "Rome/IMG_1.HEIC": image("JPEG", exif=EXIF),
        "Rome/IMG_1.MOV": movie(),
        "Rome/a.jpg": image("JPEG"),
        "Rome/a.jpg.json": json.dumps({"photoTakenTime": {"timestamp": "1562155200"}, "favorited": True}).encode(),
        "Rome/deep/er/big.mp4": movie(frames=3_000_000),
        "Rome/notes.txt": b"text",
        "empty.png": b"",
        ".hidden.jpg": b"x",
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_500_000_000, 1_500_000_000))
    no_text = os.fsencode(root) + b"/caf\xe9.jpg"
    with open(no_text, "wb") as stream:
        stream.write(image("JPEG"))
    os.utime(no_text, (1_500_000_000, 1_500_000_000))
    return root


class Stale(FolderSource):
    """Lists one file as it was before it changed."""

    def fetch(self, item: MediaItem, into: Sink) -> None:
        if item.name == "a.jpg":
            item = msgspec.structs.replace(item, content_token="1:1")
        super().fetch(item, into)


class TestFolder(SourceContract):
    def make(self, tmp_path: Path) -> FolderSource:
        return FolderSource(FolderOptions(path=str(_tree(tmp_path / "tree"))))

    def make_unreachable(self, tmp_path: Path) -> FolderSource:
        return FolderSource(FolderOptions(path=str(tmp_path / "nowhere")))

    def make_damaged(self, tmp_path: Path) -> FolderSource:
        return Stale(FolderOptions(path=str(_tree(tmp_path / "tree"))))


class TestFoldersAsAlbums(SourceContract):
    def make(self, tmp_path: Path) -> FolderSource:
        options = FolderOptions(path=str(_tree(tmp_path / "tree")), folders_as_albums=True, include_other=True)
        return FolderSource(options)
