"""Size and capture time of a photo on disk, as far as Pillow can tell them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_EXIF_BLOCK, _TAKEN = 0x8769, 0x9003  # EXIF 2.32: ExifIFDPointer, DateTimeOriginal


@dataclass(frozen=True)
class Description:
    """What a file says about itself.

    Args:
        width: pixels.
        height: pixels.
        taken: EXIF's capture time, taken as UTC, in seconds since 1970; ``None`` when it has none.
    """

    width: int
    height: int
    taken: float | None


def describe(path: Path) -> Description | None:
    """Read a photo's header.

    Args:
        path: any file.

    Returns:
        Its description; ``None`` for what Pillow does not open.
    """
    from PIL import Image, UnidentifiedImageError  # only here: the rest needs the standard library alone

    try:
        with Image.open(path) as picture:
            taken = picture.getexif().get_ifd(_EXIF_BLOCK).get(_TAKEN)
            return Description(*picture.size, _seconds(str(taken or "")))
    except (UnidentifiedImageError, OSError, ValueError):
        return None


def _seconds(text: str) -> float | None:
    """EXIF's ``YYYY:MM:DD HH:MM:SS``; ``None`` for anything else."""
    try:
        return datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
