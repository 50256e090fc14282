from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.testing.google import BytesContent, Clock, GoogleEmulator, Library
from syncengine_plugins.sources.google_photos import GooglePhotosOptions, GooglePhotosSource
from tests.contract.google_account import signed_in
from tests.contract.photos import jpeg
from tests.unit.plugins.google.people import FakeClock
from tests.unit.plugins.sources.google_visits import HEIC, JULY, MOVIE, START, Visitor


@pytest.fixture
def google() -> Iterator[GoogleEmulator]:
    """Three photos, one of them in two albums, and a video; something else is another app's."""
    with GoogleEmulator(Library(Clock(START)), check_answers=True) as running:
        photos = running.library.photos
        rome, best = photos.add_album("Rome 2019"), photos.add_album("Best of")
        sea = photos.add("sea.jpg", BytesContent(jpeg(1)), created=JULY, album=rome)
        sea.description = "at the sea"
        sea.camera = {"cameraMake": "Google", "cameraModel": "Pixel 3"}
        best.items.append(sea.id)
        photos.add("tower.heic", BytesContent(HEIC), mime_type="image/heic", created=JULY + 60, album=rome)
        photos.add("clip.mp4", BytesContent(MOVIE), created=JULY - 86400 * 400)
        photos.add("old.jpg", BytesContent(jpeg(3)), created=JULY - 86400 * 4000).favorite = True
        photos.add("foreign.jpg").app_created = False
        yield running


@pytest.fixture
def visitor(google: GoogleEmulator, tmp_path: Path) -> Visitor:
    def make(**options: Any) -> GooglePhotosSource:
        return GooglePhotosSource(GooglePhotosOptions(endpoint=google.url, **options))

    return Visitor(google, signed_in(google), tmp_path, make, FakeClock(google.clock))
