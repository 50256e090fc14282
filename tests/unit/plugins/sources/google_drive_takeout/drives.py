"""A Google Drive with Takeout archives, and runs of the source over it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from syncengine.api import Inventory, MediaItem, RunContext, Selection
from syncengine.testing.google import BytesContent, GoogleEmulator
from syncengine.testing.sample_library import sidecar
from syncengine_plugins.google import scopes as google_scopes
from syncengine_plugins.google.grant import Grant, save_grant
from syncengine_plugins.sources.google_drive_takeout import GoogleDriveTakeoutOptions, GoogleDriveTakeoutSource
from tests.unit.plugins.google.people import FakeClock, MemoryStore

TAKEN = datetime(2019, 7, 3, 14, 22, 5, tzinfo=UTC)
PHOTOS = "Takeout/Google Photos"
YEAR = f"{PHOTOS}/Photos from 2019"
FIRST, SECOND = "takeout-20250101T000000Z-1-001.zip", "takeout-20250101T000000Z-1-002.zip"
NEWER = "takeout-20260101T000000Z-1-001.zip"
DOWNLOADS, LISTS, GETS = "drive.files.download", "drive.files.list", "drive.files.get"


def zip_of(members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip of any members, in order; JSON is compressed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED if name.endswith(".json") else method
            archive.writestr(entry, content)
    return stream.getvalue()


def photo_bytes(name: str, size: int = 3000) -> bytes:
    """Return bytes that are the name's own."""
    return (f"photo {name} ".encode() * (size // 8 + 1))[:size]


def photo(name: str, size: int = 3000, *, folder: str = YEAR, **facts: object) -> list[tuple[str, bytes]]:
    """Return a photo and its sidecar, as members."""
    said = sidecar(name, TAKEN, **facts)  # type: ignore[arg-type]  # what a test says is what the builder takes
    return [
        (f"{folder}/{name}", photo_bytes(name, size)),
        (f"{folder}/{name}.supplemental-metadata.json", said),
    ]


def photos(*names: str, size: int = 3000) -> list[tuple[str, bytes]]:
    """Return photos with their sidecars, as members."""
    return [member for name in names for member in photo(name, size)]


class DriveUser:
    """Somebody with a Drive, who has signed in; each run is a new source over the same cache."""

    def __init__(self, emulator: GoogleEmulator, directory: Path) -> None:
        self.emulator, self.directory = emulator, directory
        self.drive = emulator.library.drive
        self.clock = FakeClock(emulator.clock)
        self.store = MemoryStore()
        self.sign_in()

    def sign_in(self, scopes: frozenset[str] | None = None) -> None:
        """Keep a fresh grant."""
        answer = self.emulator.authority.mint(scopes)
        config = self.emulator.client_config()["installed"]
        now = self.clock.now()
        grant = Grant(
            client_id=config["client_id"],
            client_secret=config["client_secret"],
            refresh_token=answer["refresh_token"],
            access_token=answer["access_token"],
            renew_at=now + 3000,
            scopes=tuple(answer["scope"].split()) if scopes is None else tuple(scopes) or (google_scopes.OPENID,),
            issued_at=now,
            refreshed_at=now,
        )
        save_grant(self.store, grant)

    def add(self, name: str, members: Iterable[tuple[str, bytes]], parent: str = "") -> str:
        """Put a zip into the Drive and return its id."""
        return self.drive.add_file(name, BytesContent(zip_of(members)), parent).id

    def made(self, folder: str = "") -> GoogleDriveTakeoutSource:
        """Return a source that is not open."""
        source = GoogleDriveTakeoutSource(GoogleDriveTakeoutOptions(endpoint=self.emulator.url, folder=folder))
        source.clock = self.clock
        return source

    def context(self, cache: str = "cache", bandwidth: int | None = None) -> RunContext:
        """Return what the engine lends."""
        scratch = self.directory / "scratch"
        scratch.mkdir(exist_ok=True)
        return RunContext(
            cache=self.directory / cache,
            scratch=scratch,
            profile="mine",
            credentials=self.store,
            bandwidth=bandwidth,
        )

    @contextmanager
    def opened(self, folder: str = "", cache: str = "cache") -> Iterator[GoogleDriveTakeoutSource]:
        """Open a source."""
        with self.made(folder) as source:
            source.open(self.context(cache))
            yield source

    def listed(self, folder: str = "", cache: str = "cache") -> tuple[dict[str, MediaItem], Inventory]:
        """Return what a run lists, by name, and its account."""
        with self.opened(folder, cache) as source:
            items = list(source.scan(Selection()))
            by_name = {item.name: item for item in items}
            assert len(by_name) == len(items), "two items have one name"
            return by_name, source.inventory()

    def backed_up(self, folder: str = "", cache: str = "cache") -> dict[str, bytes]:
        """Return what a run that fetches everything gets."""
        with self.opened(folder, cache) as source:
            return {item.name: fetched(source, item) for item in source.scan(Selection())}

    def asked(self, endpoint: str) -> int:
        """How often an endpoint was asked since the counters were reset."""
        return int(self.emulator.counters.requests[endpoint])

    def ranges(self) -> list[str]:
        """The ranges that were asked for."""
        return [one.range for one in self.emulator.counters.recent if one.endpoint == DOWNLOADS]


def fetched(source: GoogleDriveTakeoutSource, item: MediaItem) -> bytes:
    """Return the bytes of an item."""
    sink = io.BytesIO()
    source.fetch(item, sink)
    return sink.getvalue()
