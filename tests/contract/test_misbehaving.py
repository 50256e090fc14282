from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from syncengine.api import Asset
from syncengine.testing.assets import make_asset
from syncengine.testing.contracts import TransformContract
from syncengine.testing.transforms import Misbehaving, MisbehavingOptions


class TestMisbehavingBehaves(TransformContract):
    def make(self) -> Misbehaving:
        return Misbehaving(MisbehavingOptions(mode="item-error", names="broken*"))

    def accepted(self, tmp_path: Path) -> Sequence[Asset]:
        return [_asset(tmp_path, "one.jpg"), _asset(tmp_path, "two.heic")]

    def broken(self, tmp_path: Path) -> Sequence[Asset]:
        return [_asset(tmp_path, "broken.jpg")]


def _asset(tmp_path: Path, name: str) -> Asset:
    path = tmp_path / "files" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(name.encode() * 10)
    return make_asset(path)
