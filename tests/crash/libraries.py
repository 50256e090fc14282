"""Small libraries that a run is through with in half a second, each with what makes crashes interesting."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from syncengine.testing.sample_library import TakeoutBuilder

_MAY = datetime(2019, 5, 16, 12, 0, tzinfo=UTC)
_DAY = 86_400


class Library(msgspec.Struct, frozen=True):
    """A library and how a profile names it.

    Args:
        source: of the profile, in YAML.
        begin: makes the library of the first run in a directory.
        change: turns it into that of a second run, and the backup of the first run into what somebody left of it;
            ``None`` when the first run is the one that is killed.
        more: lines of the profile.
        arguments: of every ``syncengine run`` but the first.
        read_beside: small as it is, processes read it, as they read a large one.
    """

    source: str
    begin: Callable[[Path], None]
    change: Callable[[Path], None] | None = None
    more: str = ""
    arguments: tuple[str, ...] = ()
    read_beside: bool = False


@lru_cache
def jpeg(number: int) -> bytes:
    """Return a small JPEG; each number has its own."""
    # Imported here: whoever collects these tests needs no image library.
    from PIL import Image

    target = io.BytesIO()
    Image.new("RGB", (24, 16), (number * 7 % 256, number * 31 % 256, 255 - number * 13 % 256)).save(target, "JPEG")
    return target.getvalue()


@lru_cache
def heic(number: int) -> bytes:
    """Return a small HEIC; each number has its own."""
    import pillow_heif
    from PIL import Image

    target = io.BytesIO()
    picture = Image.new("RGB", (64, 64), (number * 40 % 256, 90, 200))
    pillow_heif.from_pillow(picture).save(target, format="HEIF", quality=70)
    return target.getvalue()


def _put(directory: Path, name: str, content: bytes, day: int) -> None:
    path = directory / "photos" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    moment = _MAY.timestamp() + day * _DAY
    os.utime(path, (moment, moment))


def folder(directory: Path) -> None:
    """Two albums, exact copies, one name for three contents, a HEIC and its twin in JPEG's name."""
    for number in range(6):
        _put(directory, f"{'Rome' if number % 2 else 'Sea'}/IMG_{number:04}.jpg", jpeg(number), number)
    _put(directory, "Rome/copy of 2.jpg", jpeg(2), 2)
    _put(directory, "Rome/a.heic", heic(1), 3)
    _put(directory, "Sea/a.jpg", jpeg(10), 3)
    _put(directory, "Sea/A.JPG", jpeg(11), 3)
    _put(directory, "empty.jpg", b"", 4)


def grow(directory: Path) -> None:
    """New, changed, renamed and removed photos at the source; a lost and a foreign file at the destination."""
    photos, backup = directory / "photos", directory / "backup"
    for number in range(20, 24):
        _put(directory, f"Rome/IMG_{number:04}.jpg", jpeg(number), number)
    _put(directory, "Sea/b.heic", heic(2), 5)
    _put(directory, "Rome/IMG_0001.jpg", jpeg(30), 1)
    _put(directory, "Alps/IMG_0003.jpg", jpeg(3), 3)
    (photos / "Sea/IMG_0004.jpg").rename(photos / "Sea/renamed.jpg")
    (photos / "Rome/IMG_0005.jpg").unlink()
    next(backup.glob("photos/**/IMG_0000.jpg")).unlink()
    (backup / "photos/2019/06").mkdir(parents=True, exist_ok=True)
    (backup / "photos/2019/06/IMG_0020.jpg").write_bytes(b"somebody else's")


def shrink(directory: Path) -> None:
    """Some photos have left the source, one of them a copy; one has come."""
    for name in ("Rome/IMG_0005.jpg", "Sea/IMG_0002.jpg", "Rome/a.heic", "empty.jpg"):
        (directory / "photos" / name).unlink()
    _put(directory, "Sea/IMG_0020.jpg", jpeg(20), 20)


def rearrange(directory: Path) -> None:
    """Another layout, and another quality of what is converted."""
    profile = directory / "profile.yaml"
    text = profile.read_text().replace("layout: {", 'layout: {path: "photos/{taken:%Y}/{name}", ')
    profile.write_text(text.replace("keep_original: true", "keep_original: true, quality: 60"))


def takeout(directory: Path) -> None:
    """An export in two parts: albums, an exact copy, a HEIC, what only a sidecar knows."""
    directory /= "photos"
    directory.mkdir()
    made = TakeoutBuilder()
    year = "Photos from 2019"
    for number in range(5):
        made.photo(year, f"IMG_{number:04}.jpg", jpeg(number), taken=_MAY, parts=(1 + number % 2, 1))
    made.photo(year, "IMG_0100.HEIC", heic(1), taken=_MAY, description="A caption", people=("Ada",), favorite=True)
    made.photo(year, "Other name.jpg", jpeg(3), taken=_MAY)
    made.album("Rome 2019", "Rome 2019", description="In May")
    for number in range(3):
        made.photo("Rome 2019", f"IMG_{number:04}.jpg", jpeg(number), taken=_MAY, parts=(2, 2))
    made.photo("Rome 2019", "IMG_0100.HEIC", heic(1), taken=_MAY, parts=(2, 2))
    for part in (1, 2):
        made.write_zip(directory / f"takeout-20260101T000000Z-00{part}.zip", part)


LIBRARIES = {
    "folder": Library("folder: {path: photos, folders_as_albums: true}", folder),
    "folder that grew": Library("folder: {path: photos, folders_as_albums: true}", folder, grow),
    "takeout": Library("takeout: {path: photos}", takeout),
    "mirror": Library(
        "folder: {path: photos, folders_as_albums: true}", folder, shrink, "sync: {mode: mirror, max_delete: 50}\n"
    ),
    "another profile": Library(
        "folder: {path: photos, folders_as_albums: true}", folder, rearrange, "", ("--remake", "--relayout")
    ),
    "folder read beside": Library("folder: {path: photos, folders_as_albums: true}", folder, grow, read_beside=True),
    "takeout read beside": Library("takeout: {path: photos}", takeout, read_beside=True),
}


def copy_tree(source: Path, target: Path) -> None:
    """Copy a directory with its times, and its hard links as hard links."""
    names: dict[tuple[int, int], Path] = {}

    def copy(one: str, other: str) -> str:
        found = os.lstat(one)
        key = (found.st_dev, found.st_ino)
        if key in names and found.st_nlink > 1:
            os.link(names[key], other)
        else:
            shutil.copy2(one, other)
            names[key] = Path(other)
        return other

    shutil.copytree(source, target, symlinks=True, copy_function=copy)
