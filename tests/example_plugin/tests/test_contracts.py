"""The example's plugins keep their contracts: what every author of a plugin can run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from syncengine_example.file_list import FileList, FileListOptions
from syncengine_example.shrink import Shrink, ShrinkOptions

from syncengine.api import Asset, Selection
from syncengine.testing.assets import make_asset
from syncengine.testing.contracts import SourceContract, TransformContract


def picture(path: Path, size: tuple[int, int]) -> Path:
    Image.linear_gradient("L").resize(size).convert("RGB").save(path, "JPEG")
    return path


class TestShrink(TransformContract):
    def make(self) -> Shrink:
        return Shrink(ShrinkOptions(max_edge=100))

    def accepted(self, tmp_path: Path) -> Sequence[Asset]:
        return [make_asset(picture(tmp_path / "large.jpg", (300, 200)))]

    def refused(self, tmp_path: Path) -> Sequence[Asset]:
        (tmp_path / "text.jpg").write_text("no picture")
        (tmp_path / "large.png").write_bytes((picture(tmp_path / "other.jpg", (300, 200))).read_bytes())
        return [
            make_asset(picture(tmp_path / "small.jpg", (100, 50))),
            make_asset(tmp_path / "text.jpg"),
            make_asset(tmp_path / "large.png"),
        ]

    def broken(self, tmp_path: Path) -> Sequence[Asset]:
        whole = picture(tmp_path / "whole.jpg", (300, 200)).read_bytes()
        (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
        return [make_asset(tmp_path / "cut.jpg")]

    def test_it_shrinks(self, tmp_path: Path) -> None:
        (asset,) = self.accepted(tmp_path)
        result = self.make().apply(asset, tmp_path)
        with Image.open(result.path) as image:
            assert image.size == (100, 67)


class TestFileList(SourceContract):
    def make(self, tmp_path: Path) -> FileList:
        for number in (1, 2, 3):
            if not (tmp_path / f"{number}.jpg").exists():
                picture(tmp_path / f"{number}.jpg", (10 * number, 10))
        (tmp_path / "list.txt").write_text("2.jpg\n# the first one comes last\n3.jpg\n1.jpg\n2.jpg\n")
        return FileList(FileListOptions(path=str(tmp_path / "list.txt")))

    def make_unreachable(self, tmp_path: Path) -> FileList:
        return FileList(FileListOptions(path=str(tmp_path / "no such list.txt")))

    def test_the_list_gives_the_order(self, tmp_path: Path) -> None:
        with self.make(tmp_path) as source:
            source.open(self.context(tmp_path))
            assert [item.name for item in source.scan(Selection())] == ["2.jpg", "3.jpg", "1.jpg"]

    def test_what_is_not_there_makes_the_inventory_incomplete(self, tmp_path: Path) -> None:
        with self.make(tmp_path) as source:
            source.open(self.context(tmp_path))
            (tmp_path / "3.jpg").unlink()
            assert len(list(source.scan(Selection()))) == 2
            assert not source.inventory().complete
            assert source.inventory().missing == ("3.jpg: No such file or directory",)
