"""A source plugin as a third party would write it: lists a Google Drive and fetches from it, sometimes clumsily."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from syncengine.api import Album, Inventory, Kind, MediaItem, Selection, Sink, hookimpl
from syncengine_plugins.google import limits, scopes
from syncengine_plugins.google.call import Call
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.source import GoogleOptions, GoogleSource


class ImpatientClock(Clock):
    """Waits a hundredth of what it should."""

    def wait(self, seconds: float) -> None:
        super().wait(seconds / 100)


class DriveSource(GoogleSource[GoogleOptions]):
    """Every file of a Drive, by its name."""

    Options = GoogleOptions
    clock = ImpatientClock()

    def wanted_scopes(self) -> tuple[str, ...]:
        return (scopes.DRIVE_READ,)

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        call = Call(
            what="the list of files",
            url=f"{self.session.endpoints.drive}/files",
            params=(("fields", "files(id,name,size)"),),
            api=limits.DRIVE,
            units=limits.DRIVE_LIST,
        )
        for file in self.session.json(call, dict[str, Any])["files"]:
            yield MediaItem(id=file["id"], name=file["name"], kind=Kind.PHOTO, content_token=file["size"])

    def inventory(self) -> Inventory:
        return Inventory()

    def fetch(self, item: MediaItem, into: Sink) -> None:
        self._stumble()
        call = Call(
            what=item.name,
            url=f"{self.session.endpoints.drive}/files/{item.id}",
            params=(("alt", "media"),),
            api=limits.DRIVE,
            units=limits.DRIVE_DOWNLOAD,
            tries=1,
        )
        with self.session.stream(call) as download:
            for chunk in download.chunks():
                into.write(chunk)

    def albums(self) -> Iterator[Album]:
        self._stumble()
        return iter(())

    def _stumble(self) -> None:
        if not os.environ.get("CLUMSY"):
            return
        token = self.session.account.token()
        raise RuntimeError(
            f"GET https://x.example/files?access_token={token} with {{'Authorization': 'Bearer {token}'}}"
        )


@hookimpl
def syncengine_register(registry: Any) -> None:
    registry.add("source", "test-drive", DriveSource)


def install(directory: Path) -> Path:
    """Make the plugin known to whoever has the directory on its path."""
    package = directory / "test_drive-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: test-drive\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(f"[syncengine.plugins]\nsource.test-drive = {__name__}\n")
    return directory
