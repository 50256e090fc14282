from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from syncengine.api import Asset
from syncengine.testing.assets import make_asset
from syncengine.testing.contracts import DeduplicatorContract
from syncengine_plugins.dedup.perceptual import Perceptual, PerceptualOptions
from syncengine_plugins.dedup.sha256 import Sha256, Sha256Options
from tests.contract.photos import heic, jpeg


class TestSha256(DeduplicatorContract):
    def make(self) -> Sha256:
        return Sha256(Sha256Options())

    def assets(self, tmp_path: Path) -> Sequence[Asset]:
        contents = [b"one", b"two", b"", jpeg(1), jpeg(1, quality=80)]
        return [_asset(tmp_path, f"{number}.jpg", content) for number, content in enumerate(contents)]

    def uncovered(self, tmp_path: Path) -> Sequence[Asset]:
        return [msgspec.structs.replace(_asset(tmp_path, "not hashed.jpg", b"x"), sha256=b"")]


class TestPerceptual(DeduplicatorContract):
    def make(self) -> Perceptual:
        return Perceptual(PerceptualOptions(max_distance=4))

    def assets(self, tmp_path: Path) -> Sequence[Asset]:
        photos = [_asset(tmp_path, f"{seed}.jpg", jpeg(seed)) for seed in range(6)]
        return [*photos, _asset(tmp_path, "7.heic", heic(7))]

    def uncovered(self, tmp_path: Path) -> Sequence[Asset]:
        return [
            _asset(tmp_path, "movie.mp4", jpeg(1)),
            _asset(tmp_path, "note.txt", jpeg(1)),
            _asset(tmp_path, "empty.jpg", b""),
            _asset(tmp_path, "cut.jpg", jpeg(1)[:40]),
            _asset(tmp_path, "zeros.heic", bytes(4096)),
        ]


def _asset(tmp_path: Path, name: str, content: bytes) -> Asset:
    path = tmp_path / name
    path.write_bytes(content)
    return make_asset(path)
