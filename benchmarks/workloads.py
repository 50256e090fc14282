"""The files that benchmarks work on: made once where they are dear, the same each time."""

from __future__ import annotations

import io
import os
import random
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import BENCH
from syncengine.testing.sample_library import TakeoutBuilder, pictures

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from PIL.Image import Image

_CACHE = BENCH / "cache"
_DAY = datetime(2019, 7, 3, 14, 22, 5, tzinfo=UTC)
_FILES_PER_FOLDER = 1000
_PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
_IPHONE_SIZE, _IPHONE_TILE = (4032, 3024), 512


def jpeg_tree(directory: Path, count: int, size: int) -> None:
    """Write ``count`` JPEGs of exactly ``size`` bytes, all different, a thousand in a folder.

    Each is one small picture with EXIF, followed by bytes of its own: readers see a JPEG, hashes see another file.
    """
    picture = pictures.jpeg(pictures.draw(1, (96, 72)), pictures.phone_exif(_DAY))
    assert len(picture) + 8 < size, f"a JPEG of {size} bytes is too small"
    chance = random.Random(1)
    for number in range(count):
        folder = directory / f"{number // _FILES_PER_FOLDER:04d}"
        if number % _FILES_PER_FOLDER == 0:
            folder.mkdir(parents=True)
        filler = number.to_bytes(8, "big") + chance.randbytes(size - len(picture) - 8)
        (folder / f"IMG_{number:07d}.jpg").write_bytes(picture + filler)


def empty_tree(directory: Path, count: int) -> None:
    """Write ``count`` empty files with a photo's name, a thousand in a folder."""
    for number in range(count):
        folder = directory / f"{number // _FILES_PER_FOLDER:04d}"
        if number % _FILES_PER_FOLDER == 0:
            folder.mkdir(parents=True)
        os.close(os.open(folder / f"IMG_{number:07d}.jpg", os.O_CREAT | os.O_WRONLY))


def takeout_parts(directory: Path, count: int, *, per_part: int = 10_000) -> None:
    """Write a Takeout export of ``count`` tiny items with their sidecars, in as many parts as it takes.

    They are of a hundred years, so the folder of each year is spread over all parts.
    """
    directory.mkdir(parents=True)
    for part, first in enumerate(range(0, count, per_part), 1):
        builder = TakeoutBuilder()
        for number in range(first, min(first + per_part, count)):
            taken = _DAY.replace(year=1926 + number % 100) + timedelta(minutes=number // 100)
            title = f"IMG_{number:07d}.jpg"
            builder.photo(f"Photos from {taken:%Y}", title, b"\xff\xd8%07d\xff\xd9" % number, taken=taken)
        builder.write_zip(directory / f"takeout-20260101T000000Z-{part:03d}.zip")


def takeout_with_large_video(directory: Path, size: int) -> None:
    """Write a Takeout part with one video of ``size`` bytes, stored; its zeros take no room on the disk."""
    directory.mkdir(parents=True)
    sidecar = TakeoutBuilder().sidecar("Photos from 2019", "VID_0001.mp4", _DAY)
    path = directory / "takeout-20260101T000000Z-001.zip"
    with _SparseFile(path, "w") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(sidecar.path, sidecar.content)
        entry = zipfile.ZipInfo("Takeout/Google Photos/Photos from 2019/VID_0001.mp4", (2026, 1, 1, 0, 0, 0))
        with archive.open(entry, "w", force_zip64=True) as member:
            member.write(b"\0\0\0\x14ftypisom\0\0\2\0isom")
            zeros = bytes(1 << 20)
            for _ in range(size >> 20):
                member.write(zeros)


class _SparseFile(io.FileIO):
    """A file in which whole chunks of zeros become holes."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write ``data``, or step over as many bytes when they are many zeros."""
        content = bytes(data)
        if len(content) >= 1 << 16 and content.count(0) == len(content):
            self.seek(len(content), os.SEEK_CUR)
            return len(content)
        return super().write(content)


def iphone_heics(count: int, *, different: int = 10) -> list[Path]:
    """Return ``count`` 12-megapixel HEIC grids as an iPhone writes them, made once and kept in the cache.

    Encoding is slow, so there are ``different`` pictures; each file has an identifier of its own in its maker note,
    so no two files are the same.
    """
    directory = _CACHE / f"heic-{different}"
    directory.mkdir(parents=True, exist_ok=True)
    missing = [number for number in range(different) if not _master(directory, number).exists()]
    if missing:
        print(f"  making {len(missing)} HEIC grids of 12 megapixels (once) ...")
        with ProcessPoolExecutor() as pool:
            list(pool.map(_make_master, [directory] * len(missing), missing))
    return list(_copies(directory, count, different))


def _master(directory: Path, number: int) -> Path:
    return directory / f"master-{number:02d}.heic"


def _make_master(directory: Path, number: int) -> None:
    exif = pictures.phone_exif(_DAY, place=(41.890210, 12.492231), live_photo=_PLACEHOLDER)
    content = pictures.heic(_textured(number), exif, quality=55, tile=_IPHONE_TILE)
    unfinished = directory / f"{number}.new"
    unfinished.write_bytes(content)
    unfinished.rename(_master(directory, number))


def _textured(number: int) -> Image:
    """Return a 12-megapixel picture with the grain of a photo, so that it takes a photo's room and time."""
    from PIL import Image, ImageChops

    image = pictures.draw(number, _IPHONE_SIZE)
    width, height = _IPHONE_SIZE
    fine = Image.frombytes("L", _IPHONE_SIZE, random.Random(number).randbytes(width * height))
    coarse = Image.frombytes("L", (width // 4, height // 4), random.Random(-number).randbytes(width * height // 16))
    grain = Image.blend(fine, coarse.resize(_IPHONE_SIZE, Image.Resampling.BICUBIC), 0.6).point(lambda v: v // 18)
    return ImageChops.add(image, Image.merge("RGB", [grain] * 3), offset=-7)


def _copies(directory: Path, count: int, different: int) -> Iterator[Path]:
    masters = [_master(directory, number).read_bytes() for number in range(different)]
    files = directory / "files"
    files.mkdir(exist_ok=True)
    for number in range(count):
        path = files / f"IMG_{number:05d}.HEIC"
        if not path.exists():
            own = str(uuid.UUID(int=number + 1)).encode()
            path.write_bytes(masters[number % different].replace(_PLACEHOLDER.encode(), own))
        yield path
