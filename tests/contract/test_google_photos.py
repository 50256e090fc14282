from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from syncengine.api import RunContext, Selection
from syncengine.testing.contracts import SourceContract
from syncengine.testing.google import BytesContent, GoogleEmulator, mp4
from syncengine_plugins.sources.google_photos import GooglePhotosOptions, GooglePhotosSource
from tests.contract.google_account import Hasty, signed_in
from tests.contract.photos import heic, jpeg

pytestmark = pytest.mark.slow  # every test talks to an emulator over sockets


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleEmulator]:
    with GoogleEmulator(check_answers=True) as running:
        photos = running.library.photos
        rome = photos.add_album("Rome 2019")
        best = photos.add_album("Best")
        photos.add("a.jpg", BytesContent(jpeg(1)), created=1562163725, album=rome).description = "at the sea"
        both = photos.add("b.HEIC", BytesContent(heic(2)), mime_type="image/heic", created=1562163726, album=rome)
        best.items.append(both.id)
        both.favorite = True
        photos.add("c.mp4", mp4("c"), created=1500000000)
        photos.add("d.jpg", BytesContent(jpeg(3)), created=-86400.0).archived = True
        photos.add("no date.jpg", BytesContent(jpeg(4))).created = None
        photos.add("of another app.jpg").app_created = False
        yield running
    assert running.shape_violations == []


class TestGooglePhotos(SourceContract):
    """Listing everything, whatever is selected."""

    list_all = True

    @pytest.fixture(autouse=True)
    def _google(self, google: GoogleEmulator) -> None:
        self.google = google

    def make(self, tmp_path: Path) -> GooglePhotosSource:
        return GooglePhotosSource(GooglePhotosOptions(endpoint=self.google.url, list_all=self.list_all))

    def make_unreachable(self, tmp_path: Path) -> GooglePhotosSource:
        source = GooglePhotosSource(GooglePhotosOptions(endpoint="http://127.0.0.1:9"))
        source.clock = Hasty()
        return source

    def context(self, tmp_path: Path, name: str = "run") -> RunContext:
        plain = super().context(tmp_path, name)
        return msgspec.structs.replace(plain, credentials=signed_in(self.google))


class TestGooglePhotosAsSelected(TestGooglePhotos):
    """Listing what is selected, which is its usual way: Google filters, and the inventory says so."""

    list_all = False

    @pytest.mark.parametrize("select", [Selection(albums=("Rome*",)), Selection(favorites=True)])
    def test_no_selection_hides_an_item(self, source: GooglePhotosSource, select: Selection) -> None:
        everything = list(source.scan(Selection()))
        assert source.inventory().warnings[1:] == ()
        zone = source.context.zone
        if select.favorites:
            wanted = {item.id for item in everything if item.name == "b.HEIC"}
        else:
            wanted = {item.id for item in everything if select.rejects(item, zone, described=True) is None}
        found = list(source.scan(select))
        assert wanted
        assert {item.id for item in found if select.rejects(item, zone, described=True) is None} == wanted
        assert "only the part of the library" in source.inventory().warnings[1]
