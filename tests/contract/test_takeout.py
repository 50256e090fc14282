from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncengine.testing.contracts import SourceContract
from syncengine.testing.sample_library import TakeoutBuilder
from syncengine_plugins.sources.takeout.source import TakeoutOptions, TakeoutSource
from tests.contract.photos import heic, jpeg

_YEAR, _ALBUM = "Photos from 2019", "Rome 2019"
_TAKEN = datetime(2019, 7, 3, 14, 22, 5, tzinfo=UTC)


def export_of_two_parts() -> TakeoutBuilder:
    """Return what tests of every kind of shelf put there."""
    export = TakeoutBuilder()
    export.album(_ALBUM, "Rome 2019", description="a week")
    photo = export.photo(_YEAR, "IMG_0001.jpg", jpeg(1), taken=_TAKEN, description="at the sea", favorite=True)
    export.photo(_ALBUM, "IMG_0001.jpg", photo, taken=_TAKEN, parts=(2, 2))
    export.photo(_YEAR, "IMG_0002.HEIC", heic(2), taken=_TAKEN, parts=(1, 2), people=("Ada",))
    export.photo(_YEAR, "été à Rome.jpg", jpeg(3), taken=None, archived=True)
    export.media(_YEAR, "no sidecar.jpg", jpeg(4))
    export.sidecar(_YEAR, "no media.jpg", _TAKEN)
    clip = b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(3_000_000)
    export.photo(_YEAR, "clip.mp4", clip, taken=_TAKEN)
    return export


class _Takeout(SourceContract):
    def make(self, tmp_path: Path) -> TakeoutSource:
        root = tmp_path / "takeout"
        if not root.exists():
            root.mkdir()
            self.write(root)
        return TakeoutSource(TakeoutOptions(path=str(root)))

    def write(self, root: Path) -> None:
        raise NotImplementedError

    def make_unreachable(self, tmp_path: Path) -> TakeoutSource:
        return TakeoutSource(TakeoutOptions(path=str(tmp_path / "not mounted")))


class TestZipParts(_Takeout):
    def write(self, root: Path) -> None:
        for part in (1, 2):
            export_of_two_parts().write_zip(root / f"takeout-20260101T000000Z-{part:03}.zip", part)

    def make_damaged(self, tmp_path: Path) -> TakeoutSource:
        made = self.make(tmp_path)
        archive = tmp_path / "takeout" / "takeout-20260101T000000Z-001.zip"
        content = bytearray(archive.read_bytes())
        content[content.index(jpeg(4)) + 500] ^= 0xFF
        archive.write_bytes(content)
        return made


@pytest.mark.slow
class TestTgzParts(_Takeout):
    def write(self, root: Path) -> None:
        with tarfile.open(root / "takeout-20260101T000000Z-001.tgz", "w:gz") as archive:
            for member in export_of_two_parts().members:
                entry = tarfile.TarInfo(member.path)
                entry.size = len(member.content)
                archive.addfile(entry, io.BytesIO(member.content))


@pytest.mark.slow
class TestUnpacked(_Takeout):
    def write(self, root: Path) -> None:
        export_of_two_parts().write_folder(root)
