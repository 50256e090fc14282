# ruff: noqa: D102  (a test's name is its sentence)
"""The suite for deduplicators."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import Asset, Deduplicator, Match, MediaItem
from syncengine.testing.contracts.worker_border import crossed
from syncengine.testing.memory import MemoryFingerprints
from syncengine.testing.promises import kept, same

AnyDeduplicator = Deduplicator[Any]

_LONGEST = 64


class DeduplicatorContract(ABC):
    """Every promise of ``Deduplicator``.

    A subclass overrides ``make`` and ``assets``; and ``uncovered`` where there are such files.
    """

    @abstractmethod
    def make(self) -> AnyDeduplicator:
        """Return the deduplicator, with nothing loaded."""

    @abstractmethod
    def assets(self, tmp_path: Path) -> Sequence[Asset]:
        """Return at least two assets that the method covers, no two of which it takes for the same."""

    def uncovered(self, tmp_path: Path) -> Sequence[Asset]:
        """Return assets that the method does not cover."""
        del tmp_path
        return ()

    def _loaded(self, known: dict[bytes, bytes] | None = None) -> AnyDeduplicator:
        made = self.make()
        made.load(MemoryFingerprints(known))
        return made

    def _prints(self, tmp_path: Path) -> list[bytes]:
        prints = [self.make().fingerprint(asset) for asset in self.assets(tmp_path)]
        found = [fingerprint for fingerprint in prints if fingerprint is not None]
        kept("the given assets are covered (assets)", len(found) == len(prints) >= 2)
        return found

    def test_it_says_what_it_is(self) -> None:
        made = self.make()
        kept("method is a text", isinstance(made.method, str) and made.method != "")
        same("method is always the same", self.make().method, made.method)
        kept("stage is fetched or final", made.stage in ("fetched", "final"))
        kept("decodes is a bool", isinstance(made.decodes, bool))

    def test_a_fingerprint_is_short(self, tmp_path: Path) -> None:
        prints = self._prints(tmp_path)
        kept("a fingerprint is bytes", all(isinstance(one, bytes) for one in prints))
        kept("a fingerprint has at most 64 bytes", all(0 < len(one) <= _LONGEST for one in prints))
        same("different contents are told apart (assets)", len(set(prints)), len(prints))

    def test_a_fingerprint_is_of_the_bytes_alone(self, tmp_path: Path) -> None:
        for number, asset in enumerate(self.assets(tmp_path)):
            wanted = self.make().fingerprint(asset)
            copy = tmp_path / f"copy-{number}{asset.path.suffix}"
            shutil.copyfile(asset.path, copy)
            item = MediaItem(id=f"other-{number}", name=asset.name, kind=asset.kind, content_token=f"other-{number}")
            other = msgspec.structs.replace(asset, path=copy, item=item)
            same("a fingerprint is a function of the bytes", self.make().fingerprint(other), wanted)
            same("and of nothing that happened before", self.make().fingerprint(asset), wanted)

    def test_a_fingerprint_leaves_the_file_alone(self, tmp_path: Path) -> None:
        for asset in [*self.assets(tmp_path), *self.uncovered(tmp_path)]:
            before = asset.path.read_bytes(), asset.path.stat().st_mtime_ns
            self.make().fingerprint(asset)
            same("fingerprint leaves the file alone", (asset.path.read_bytes(), asset.path.stat().st_mtime_ns), before)

    def test_what_is_not_covered_has_no_fingerprint(self, tmp_path: Path) -> None:
        for asset in self.uncovered(tmp_path):
            same(f"{asset.name} is not covered", self.make().fingerprint(asset), None)

    def test_it_crosses_to_a_worker_process(self, tmp_path: Path) -> None:
        sent = crossed(self.make())
        for asset in self.assets(tmp_path):
            same("a pickled deduplicator does the same", sent.fingerprint(asset), self.make().fingerprint(asset))

    def test_nothing_matches_at_first(self, tmp_path: Path) -> None:
        made = self._loaded()
        for fingerprint in self._prints(tmp_path):
            same("match returns None when nothing is there", made.match(fingerprint), None)

    def test_what_was_added_matches(self, tmp_path: Path) -> None:
        made = self._loaded()
        prints = self._prints(tmp_path)
        for number, fingerprint in enumerate(prints):
            made.add(fingerprint, _content(number))
        for number, fingerprint in enumerate(prints):
            _is_exact(made.match(fingerprint), number)

    def test_what_the_state_remembers_matches(self, tmp_path: Path) -> None:
        prints = self._prints(tmp_path)
        made = self._loaded({fingerprint: _content(number) for number, fingerprint in enumerate(prints)})
        for number, fingerprint in enumerate(prints):
            _is_exact(made.match(fingerprint), number)

    def test_remembered_and_added_match_together(self, tmp_path: Path) -> None:
        first, second, *_ = self._prints(tmp_path)
        made = self._loaded({first: _content(0)})
        _is_not_exact(made.match(second))
        made.add(second, _content(1))
        _is_exact(made.match(first), 0)
        _is_exact(made.match(second), 1)

    def test_adding_twice_changes_nothing(self, tmp_path: Path) -> None:
        first, second, *_ = self._prints(tmp_path)
        made = self._loaded({first: _content(0)})
        made.add(first, _content(0))
        made.add(second, _content(1))
        made.add(second, _content(1))
        _is_exact(made.match(first), 0)
        _is_exact(made.match(second), 1)

    def test_another_content_is_no_exact_match(self, tmp_path: Path) -> None:
        first, *others = self._prints(tmp_path)
        made = self._loaded({first: _content(0)})
        for fingerprint in others:
            _is_not_exact(made.match(fingerprint))


def _content(number: int) -> bytes:
    return bytes([number + 1]) * 32


def _is_exact(match: Match | None, number: int) -> None:
    kept("match returns a Match", isinstance(match, Match))
    if match is not None:
        same("match returns the content that was there first", match.content, _content(number))
        same("the same has distance 0", match.distance, 0)


def _is_not_exact(match: Match | None) -> None:
    kept("another content is not at distance 0", match is None or match.distance > 0)
