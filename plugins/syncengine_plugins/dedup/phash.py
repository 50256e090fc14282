"""The perceptual hash of a photo: imagehash's 64-bit pHash of its upright luma.

A hash is a contract: two are only comparable when they were made along the same path. ``METHOD`` names the path, and
changes whenever anything here changes what comes out:

1. The first image of the file, as 8-bit luma (ITU-R BT.601, Pillow's mode ``L``), transparency ignored.
2. Made smaller by the largest of 8, 4, 2 that leaves its shorter side at least 256 pixels, by averages of blocks. For
   JPEG the decoder does it (a block of 8 is its DC coefficient), which is four times as fast as decoding all pixels and
   moves the hash by no more than a change of quality does (0 to 2 bits on photos).
3. Turned upright by its EXIF orientation (HEIF by its own rule).
4. ``imagehash.phash`` with ``hash_size`` 8: 32x32 pixels by Lanczos, DCT, the lowest 8x8 frequencies against their
   median.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from syncengine.api import ItemError
from syncengine_plugins.transforms.heif import (
    DECODER_ERRORS,
    MAX_PIXELS,
    is_heif,
    orientation,
    read_container,
    read_photo,
    tiff_of,
    turned,
)

if TYPE_CHECKING:
    from PIL.Image import Image

METHOD = "phash64-1"

# TIFF is not among them: most RAW files are TIFF, Pillow shows their thumbnail, and a RAW file must never count as a
# copy of the JPEG that the camera made beside it. Nor is GIF, of which only a first frame would be compared.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "AVIF")
_SHORTER_SIDE = 256

# Of an evenly dark or bright picture, of fog, a wall or a starry sky nothing is left at 32x32 pixels but rounding and a
# smooth gradient. Their 64 bits are chance or, worse, the same for different photos. So half of the frequencies must
# differ from the median by this much (in units of an unscaled 2-D DCT-II): photos have 600 to 7000, noise and gradients
# 0 to 80, and 200 is what a pattern of a fifth of a grey level makes.
_LEAST_DETAIL = 200.0


def phash_of(path: Path) -> bytes | None:
    """Return the hash of a photo.

    Args:
        path: an image file of any kind.

    Returns:
        8 bytes, the first bit first, or ``None`` when the file is no image of a known format, cannot be decoded, has
        more than ``MAX_PIXELS``, or shows too little for its hash to mean something.
    """
    # Imported here, in a worker process; the coordinator loads this module and never decodes. imagehash draws in scipy.
    import imagehash
    import numpy as np

    try:
        thumbnail = _luma(path)
    except (*DECODER_ERRORS, ItemError):
        return None
    if thumbnail is None or _detail(thumbnail) < _LEAST_DETAIL:
        return None
    bits = imagehash.phash(thumbnail, hash_size=8).hash
    return np.packbits(bits.flatten()).tobytes()


def _luma(path: Path) -> Image | None:
    """Return the photo as 32x32 luma, or ``None`` when it is too large."""
    from PIL.Image import Resampling  # here: start-up

    image = _upright_heif(path) if is_heif(path) else _upright(path)
    return None if image is None else image.resize((32, 32), Resampling.LANCZOS)


def _upright_heif(path: Path) -> Image:
    file = path.read_bytes()
    return _smaller(read_photo(file, read_container(file)).image)


def _upright(path: Path) -> Image | None:
    with _any_size(), warnings.catch_warnings(), path.open("rb") as stream:
        warnings.simplefilter("ignore")  # remarks on odd metadata, which are of no interest here
        from PIL.Image import open as open_image  # here: start-up

        with open_image(stream, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            tiff = tiff_of(image.info.get("exif") or b"")
            factor = _factor(image.size)
            if image.format in ("JPEG", "MPO"):
                image.draft("L", (image.width // factor, image.height // factor))
                small = image.convert("L")
            else:
                small = _smaller(image)
    turn = orientation(tiff) if tiff is not None else 1
    return small if turn == 1 else turned(small, turn)


@contextmanager
def _any_size() -> Iterator[None]:
    """Lift Pillow's own limit of 178 megapixels, which photos of 200 exceed; ``MAX_PIXELS`` stands in its place.

    The limit is Pillow's global; ``fingerprint`` runs in a worker process, one item at a time.
    """
    from PIL import Image as pillow  # noqa: N813  the module, beside the class of that name

    before = pillow.MAX_IMAGE_PIXELS
    pillow.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        pillow.MAX_IMAGE_PIXELS = before


def _factor(size: tuple[int, int]) -> int:
    return next((factor for factor in (8, 4, 2) if min(size) // factor >= _SHORTER_SIDE), 1)


def _smaller(image: Image) -> Image:
    factor = _factor(image.size)
    luma = image.convert("L")
    return luma.reduce(factor) if factor > 1 else luma


def _detail(thumbnail: Image) -> float:
    """Return the median distance of the 64 lowest frequencies from their median."""
    import numpy as np  # here: start-up

    cosines = 2 * np.cos(np.pi * np.arange(8)[:, None] * (2 * np.arange(32)[None, :] + 1) / 64)
    frequencies = cosines @ np.asarray(thumbnail, dtype=np.float64) @ cosines.T
    return float(np.median(np.abs(frequencies - np.median(frequencies))))
