from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.testing.google import BytesContent, Clock, GoogleEmulator, Library
from syncengine_plugins.sources.google_picker import GooglePickerOptions, GooglePickerSource
from tests.contract.google_account import signed_in
from tests.contract.photos import jpeg
from tests.unit.plugins.google.people import FakeClock
from tests.unit.plugins.sources.google_visits import HEIC, JULY, MOVIE, START, Visitor


@pytest.fixture
def google() -> Iterator[GoogleEmulator]:
    """Three photos and a video, all of which the user picks when asked for the second time."""
    with GoogleEmulator(Library(Clock(START)), check_answers=True) as running:
        photos = running.library.photos
        photos.add("sea.jpg", BytesContent(jpeg(1)), created=JULY).camera = {"cameraMake": "Google"}
        photos.add("tower.heic", BytesContent(HEIC), mime_type="image/heic", created=JULY + 60)
        photos.add("clip.mp4", BytesContent(MOVIE), created=JULY - 86400 * 400)
        photos.add("old.jpg", BytesContent(jpeg(3)), created=JULY - 86400 * 4000).app_created = False
        running.picker.pick_at_poll = 2
        yield running
        assert running.shape_violations == []


@pytest.fixture
def visitor(google: GoogleEmulator, tmp_path: Path) -> Visitor:
    def make(**options: Any) -> GooglePickerSource:
        return GooglePickerSource(GooglePickerOptions(endpoint=google.url, **options))

    return Visitor(google, signed_in(google), tmp_path, make, FakeClock(google.clock))
