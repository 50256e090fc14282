"""Made-up photos, a transform and a destination with obstacles, and what many tests look at after a run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import (
    AlbumRef,
    AppliedTransform,
    Asset,
    CaptureTime,
    Destination,
    ItemError,
    Kind,
    MediaItem,
    PluginOptions,
    Transform,
)
from syncengine.testing.faults import Faults, FaultyDestination

MAY = CaptureTime(origin="source", instant=1_558_000_000_000)
ROME = AlbumRef("r", "Rome")


def photo(id_: str, **facts: Any) -> MediaItem:
    """Return a photo of May 2019, named after its id unless ``facts`` say otherwise."""
    return MediaItem(**{"id": id_, "name": id_, "kind": Kind.PHOTO, "taken": MAY, "content_token": "1", **facts})


class Stamp(Transform[PluginOptions]):
    """Puts a stamp before the bytes; may change the extension, ask for the original, or be out of order."""

    def __init__(
        self, *, extension: str = "", keep: bool = False, broken: bool = False, ink: bytes = b"stamped"
    ) -> None:
        super().__init__(PluginOptions())
        self.extension = extension
        self.keep = keep
        self.broken = broken
        self.ink = ink

    def accepts(self, asset: Asset) -> bool:
        return True

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        if self.broken:
            raise ItemError("the stamp is broken")
        made = workdir / f"{asset.path.name}-stamped"
        made.write_bytes(self.ink + b" " + asset.path.read_bytes())
        name = asset.name.rpartition(".")[0] + self.extension if self.extension else asset.name
        return msgspec.structs.replace(
            asset, path=made, name=name, applied=(AppliedTransform(name="stamp"),), keep_original=self.keep
        )


class Obstructed(FaultyDestination):
    """Takes no file at some place, for as long as ``error`` is set.

    Args:
        inner: does the work.
        prefix: what the refused paths begin with.
        error: what is raised.
    """

    def __init__(self, inner: Destination[Any], prefix: str, error: Exception | None = None) -> None:
        super().__init__(inner, Faults(()))
        self.prefix = prefix
        self.error = error or ItemError("no permission")

    def place(self, staged: Path, path: str, *, mtime: float | None = None, replace: bool = False) -> None:
        if path.startswith(self.prefix):
            raise self.error
        super().place(staged, path, mtime=mtime, replace=replace)


def put(destination: Destination[Any], path: str, content: bytes) -> None:
    """Put a file at a destination, as somebody else would."""
    upload = destination.begin(path)
    upload.write(content)
    upload.commit(replace=True)


def checksums(backup: Any) -> dict[str, str]:
    """Return path and checksum of every line of ``checksums.sha256``."""
    lines = backup.read("metadata/checksums.sha256").decode().splitlines()
    return {path: digest for digest, _, path in (line.partition("  ") for line in lines)}


def assert_checksums_hold(backup: Any) -> None:
    """Fail unless every file of ``checksums.sha256`` is there with the bytes that it says, and none is left out."""
    found = {path: hashlib.sha256(content).hexdigest() for path, content in backup.files().items()}
    assert found == checksums(backup)
