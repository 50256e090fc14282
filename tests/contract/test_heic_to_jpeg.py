from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from syncengine.api import Asset
from syncengine.testing.assets import make_asset
from syncengine.testing.contracts import TransformContract
from syncengine_plugins.transforms.heic_to_jpeg import HeicToJpeg, HeicToJpegOptions
from tests.contract.photos import heic, jpeg


class TestHeicToJpeg(TransformContract):
    def make(self) -> HeicToJpeg:
        return HeicToJpeg(HeicToJpegOptions())

    def accepted(self, tmp_path: Path) -> Sequence[Asset]:
        return [_asset(tmp_path, "IMG_1.HEIC", heic(1)), _asset(tmp_path, "named.jpg", heic(2))]

    def refused(self, tmp_path: Path) -> Sequence[Asset]:
        return [
            _asset(tmp_path, "IMG_3.jpg", jpeg(3)),
            _asset(tmp_path, "a jpeg named.heic", jpeg(3)),
            _asset(tmp_path, "note.txt", b"text"),
        ]

    def broken(self, tmp_path: Path) -> Sequence[Asset]:
        whole = heic(4)
        return [
            _asset(tmp_path, "empty.heic", b""),
            _asset(tmp_path, "zeros.heic", bytes(4096)),
            _asset(tmp_path, "cut.heic", whole[: len(whole) * 2 // 3]),
        ]


def _asset(tmp_path: Path, name: str, content: bytes) -> Asset:
    path = tmp_path / "files" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return make_asset(path)
