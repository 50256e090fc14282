"""Small photos that do not look alike."""

from __future__ import annotations

import io
import random

import pillow_heif
from PIL import Image


def _picture(seed: int) -> Image.Image:
    cells = random.Random(seed).randbytes(8 * 8 * 3)
    return Image.frombytes("RGB", (8, 8), cells).resize((192, 128), Image.Resampling.BICUBIC)


def jpeg(seed: int, *, quality: int = 90, size: tuple[int, int] = (192, 128)) -> bytes:
    """Return a JPEG; another seed looks different, another quality or size does not."""
    buffer = io.BytesIO()
    _picture(seed).resize(size).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def heic(seed: int) -> bytes:
    """Return a HEIC."""
    buffer = io.BytesIO()
    pillow_heif.from_pillow(_picture(seed)).save(buffer, quality=80)
    return buffer.getvalue()
