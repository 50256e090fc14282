"""An emulated Google with a signed-in user."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.testing.google import GoogleEmulator
from tests.unit.plugins.sources.google_drive_takeout.drives import DriveUser


@pytest.fixture
def emulator() -> Iterator[GoogleEmulator]:
    with GoogleEmulator(check_answers=True) as running:
        yield running
        assert running.shape_violations == []


@pytest.fixture
def user(emulator: GoogleEmulator, tmp_path: Path) -> DriveUser:
    return DriveUser(emulator, tmp_path)
