from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from syncengine.api import RunContext
from syncengine.testing.contracts import SourceContract
from syncengine.testing.google import BytesContent, GoogleEmulator, mp4
from syncengine_plugins.sources.google_picker import GooglePickerOptions, GooglePickerSource
from tests.contract.google_account import Hasty, signed_in
from tests.contract.photos import heic, jpeg

pytestmark = pytest.mark.slow  # every test talks to an emulator over sockets


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleEmulator]:
    with GoogleEmulator(check_answers=True) as running:
        photos = running.library.photos
        photos.add("a.jpg", BytesContent(jpeg(1)), created=1562163725)
        photos.add("b.HEIC", BytesContent(heic(2)), mime_type="image/heic", created=1562163726)
        photos.add("c.mp4", mp4("c"), created=1500000000)
        photos.add("d.jpg", BytesContent(jpeg(3)), created=1400000000).app_created = False
        running.picker.pick_at_poll = 1
        running.picker.most_open = 1000
        yield running
    assert running.shape_violations == []


class TestGooglePicker(SourceContract):
    @pytest.fixture(autouse=True)
    def _google(self, google: GoogleEmulator) -> None:
        self.google = google

    def make(self, tmp_path: Path, endpoint: str = "") -> GooglePickerSource:
        source = GooglePickerSource(GooglePickerOptions(endpoint=endpoint or self.google.url))
        source.clock = Hasty()
        return source

    def make_unreachable(self, tmp_path: Path) -> GooglePickerSource:
        return self.make(tmp_path, "http://127.0.0.1:9")

    def context(self, tmp_path: Path, name: str = "run") -> RunContext:
        plain = super().context(tmp_path, name)
        return msgspec.structs.replace(plain, credentials=signed_in(self.google))
