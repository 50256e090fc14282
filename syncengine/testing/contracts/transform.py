# ruff: noqa: D102  (a test's name is its sentence)
"""The suite for transforms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from syncengine.api import Asset, ItemError, Transform
from syncengine.testing.contracts.worker_border import crossed
from syncengine.testing.promises import kept, raises, same

AnyTransform = Transform[Any]


class TransformContract(ABC):
    """Every promise of ``Transform``.

    A subclass overrides ``make`` and ``accepted``; and ``refused`` and ``broken`` where there are such files.
    ``syncengine.testing.assets.make_asset`` makes an asset of a file.
    """

    @abstractmethod
    def make(self) -> AnyTransform:
        """Return the transform."""

    @abstractmethod
    def accepted(self, tmp_path: Path) -> Sequence[Asset]:
        """Return at least one asset that the transform accepts and can read; its file below ``tmp_path``."""

    def refused(self, tmp_path: Path) -> Sequence[Asset]:
        """Return assets that the transform does not accept."""
        del tmp_path
        return ()

    def broken(self, tmp_path: Path) -> Sequence[Asset]:
        """Return assets that the transform accepts and cannot read."""
        del tmp_path
        return ()

    def test_accepts_says_yes_and_no(self, tmp_path: Path) -> None:
        transform = self.make()
        assets = self.accepted(tmp_path)
        kept("there is something to accept", len(assets) > 0)
        for asset in assets:
            before = _seen(asset.path)
            same(f"accepts takes {asset.name}", transform.accepts(asset), True)
            same("accepts leaves the file alone", _seen(asset.path), before)
        for asset in self.refused(tmp_path):
            same(f"accepts refuses {asset.name}", transform.accepts(asset), False)

    def test_the_result_is_a_new_whole_file(self, tmp_path: Path) -> None:
        for number, asset in enumerate(self.accepted(tmp_path)):
            workdir = _workdir(tmp_path, f"work-{number}")
            result = self.make().apply(asset, workdir)
            kept("the result is in workdir", workdir in result.path.parents)
            kept("the result is a file", result.path.is_file() and not result.path.is_symlink())
            kept("the result is not empty", result.path.stat().st_size > 0)
            kept("the result has a name without folders", result.name != "" and "/" not in result.name)
            same("the result is of the same item", result.item, asset.item)
            same("the result says what was applied before", result.applied[: len(asset.applied)], asset.applied)
            same("the result says what was applied", len(result.applied), len(asset.applied) + 1)
            same("only the result is left in workdir", sorted(workdir.iterdir()), [result.path])

    def test_the_input_is_untouched(self, tmp_path: Path) -> None:
        for number, asset in enumerate(self.accepted(tmp_path)):
            before, beside = _seen(asset.path), sorted(asset.path.parent.iterdir())
            workdir = _workdir(tmp_path / "works", f"work-{number}")
            self.make().apply(asset, workdir)
            same("the asset's own file is untouched", _seen(asset.path), before)
            left = [path for path in sorted(asset.path.parent.iterdir()) if path != workdir.parent]
            same("nothing is written beside it", left, [path for path in beside if path != workdir.parent])

    def test_the_same_input_gives_the_same_bytes(self, tmp_path: Path) -> None:
        for number, asset in enumerate(self.accepted(tmp_path)):
            first = self.make().apply(asset, _workdir(tmp_path, f"first-{number}"))
            second = self.make().apply(asset, _workdir(tmp_path, f"second-{number}"))
            kept("the same input and options give the same bytes", _bytes(first) == _bytes(second))
            same("and the same name", second.name, first.name)
            same("and the same account", second.applied, first.applied)

    def test_it_can_be_used_twice(self, tmp_path: Path) -> None:
        transform = self.make()
        for number, asset in enumerate(self.accepted(tmp_path)):
            first = transform.apply(asset, _workdir(tmp_path, f"first-{number}"))
            second = transform.apply(asset, _workdir(tmp_path, f"second-{number}"))
            kept("one instance gives the same bytes twice", _bytes(first) == _bytes(second))

    def test_it_crosses_to_a_worker_process(self, tmp_path: Path) -> None:
        sent = crossed(self.make())
        for number, asset in enumerate(self.accepted(tmp_path)):
            there = crossed(asset)
            first = self.make().apply(asset, _workdir(tmp_path, f"here-{number}"))
            second = sent.apply(there, _workdir(tmp_path, f"there-{number}"))
            kept("a pickled transform does the same", _bytes(first) == _bytes(second))
            same("the result can be pickled", crossed(second), second)

    def test_an_unreadable_file_is_an_item_error(self, tmp_path: Path) -> None:
        transform = self.make()
        for number, asset in enumerate(self.broken(tmp_path)):
            before = _seen(asset.path)
            with raises(f"apply raises ItemError when {asset.name} cannot be read", ItemError):
                transform.apply(asset, _workdir(tmp_path, f"broken-{number}"))
            same("the unreadable file is untouched", _seen(asset.path), before)


def _workdir(tmp_path: Path, name: str) -> Path:
    workdir = tmp_path / name
    workdir.mkdir(parents=True)
    return workdir


def _bytes(asset: Asset) -> bytes:
    return asset.path.read_bytes()


def _seen(path: Path) -> tuple[bytes, int, int]:
    found = path.stat()
    return path.read_bytes(), found.st_mtime_ns, found.st_ino
