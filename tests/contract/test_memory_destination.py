from __future__ import annotations

from pathlib import Path

import pytest

from syncengine.testing.contracts import DestinationContract
from syncengine.testing.memory import MemoryDestination, MemoryDestinationOptions, MemoryStorage


class _Memory(DestinationContract):
    options = MemoryDestinationOptions()

    @pytest.fixture(autouse=True)
    def _storage(self) -> None:
        self.storage = MemoryStorage()

    def make(self, tmp_path: Path) -> MemoryDestination:
        return MemoryDestination(self.options, self.storage)


class TestMemoryDestination(_Memory):
    pass


class TestMemoryDestinationWithoutLinks(_Memory):
    options = MemoryDestinationOptions(hardlinks=False, symlinks=False)


class TestMemoryDestinationWithoutCase(_Memory):
    options = MemoryDestinationOptions(case_sensitive=False)
