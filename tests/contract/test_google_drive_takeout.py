from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from syncengine.api import RunContext
from syncengine.testing.contracts import SourceContract
from syncengine.testing.google import BytesContent, GoogleEmulator
from syncengine_plugins.sources.google_drive_takeout import GoogleDriveTakeoutOptions, GoogleDriveTakeoutSource
from tests.contract.photos import jpeg
from tests.contract.test_takeout import export_of_two_parts
from tests.unit.plugins.sources.google_drive_takeout.drives import DriveUser

pytestmark = pytest.mark.slow  # every test talks to an emulator over sockets


class TestGoogleDriveTakeout(SourceContract):
    emulator: GoogleEmulator

    @pytest.fixture(autouse=True)
    def google(self, tmp_path: Path) -> Iterator[None]:
        with GoogleEmulator() as emulator:
            self.emulator = emulator
            self.user = DriveUser(emulator, tmp_path)
            for part in (1, 2):
                name = f"takeout-20260101T000000Z-1-{part:03}.zip"
                path = export_of_two_parts().write_zip(tmp_path / name, part)
                emulator.library.drive.add_file(name, BytesContent(path.read_bytes()))
            yield

    def context(self, tmp_path: Path, name: str = "run") -> RunContext:
        return msgspec.structs.replace(super().context(tmp_path, name), credentials=self.user.store)

    def make(self, tmp_path: Path) -> GoogleDriveTakeoutSource:
        return self.user.made()

    def make_unreachable(self, tmp_path: Path) -> GoogleDriveTakeoutSource:
        made = GoogleDriveTakeoutSource(GoogleDriveTakeoutOptions(endpoint="http://127.0.0.1:9"))
        made.clock = self.user.clock
        return made

    def make_damaged(self, tmp_path: Path) -> GoogleDriveTakeoutSource:
        drive = self.emulator.library.drive
        (file,) = drive.named("takeout-20260101T000000Z-1-001.zip")
        content = bytearray(file.head.content.read(0, file.head.content.size))
        content[content.index(jpeg(4)) + 500] ^= 0xFF
        drive.replace(file.id, BytesContent(bytes(content)))
        return self.make(tmp_path)
