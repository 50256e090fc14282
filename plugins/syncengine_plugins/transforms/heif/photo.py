"""The photo of a HEIF file as upright 8-bit pixels, with what describes it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec

from syncengine.api import ItemError
from syncengine_plugins.transforms.heif import exif as raw_exif
from syncengine_plugins.transforms.heif.boxes import damaged
from syncengine_plugins.transforms.heif.container import Container
from syncengine_plugins.transforms.heif.geometry import coded_size, fits, is_turned_by_container, shown_size
from syncengine_plugins.transforms.heif.soundness import check_whole

if TYPE_CHECKING:
    from PIL.Image import Image

#: The largest photo that is decoded. Phones reach 200 megapixels (12240x16320).
MAX_PIXELS = 300_000_000

#: What pillow-heif, libheif and Pillow raise for files that they cannot read.
DECODER_ERRORS = (
    OSError,
    EOFError,
    ValueError,
    SyntaxError,
    RuntimeError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
)

# A tile that libheif left out is all zero in YCbCr, which is a dark green in RGB: (0, 136, 0) by BT.601, (0, 84, 0) by
# BT.709, (0, 94, 0) by BT.2020.
_MISSING_GREEN = range(70, 150)
_STEP = 16


class Photo(msgspec.Struct):
    """A decoded photo.

    Args:
        image: upright; mode ``L`` or ``RGB``.
        exif: its TIFF structure as it is in the file, or ``None``.
        xmp: as it is in the file, or empty.
        icc: colour profile, or empty.
        losses: what the step to 8 bits without transparency took away.
        remarks: decisions that a person may want to know.
    """

    image: Image
    exif: bytes | None = None
    xmp: bytes = b""
    icc: bytes = b""
    losses: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_photo(file: bytes, container: Container) -> Photo:
    """Decode the primary image of a HEIF file.

    Args:
        file: all bytes of the file.
        container: its structure.

    Returns:
        The photo; its pixels stand as the photographer held the camera.

    Raises:
        ItemError: the file is damaged, cut off, larger than ``MAX_PIXELS``, or coded in a way the library lacks.
    """
    width, height = coded_size(container)
    if width * height > MAX_PIXELS:
        raise ItemError(
            f"the photo is {width}x{height} pixels, more than {MAX_PIXELS} in all", advice="keep it as it is"
        )
    check_whole(file, container)
    try:
        return _decode(file, container)
    except DECODER_ERRORS as error:
        raise damaged(" ".join(str(error).split())[:200] or type(error).__name__) from error


def _decode(file: bytes, container: Container) -> Photo:
    library = heif_library()
    heif = library.open_heif(file, convert_hdr_to_8bit=True, remove_stride=False)
    primary = heif[heif.primary_index]
    # to_pillow() of the photo would reset orientation in its metadata; the pixels alone are wanted here.
    image = _pixels(primary)
    if not fits(image.size, shown_size(container)):
        expected = "x".join(str(float(side)).removesuffix(".0") for side in shown_size(container))
        raise damaged(f"its pixels are {image.width}x{image.height} where it speaks of {expected}")
    _check_tiles(image)
    info = primary.info
    tiff = raw_exif.tiff_of(info.get("exif") or b"")
    remarks = []
    if not is_turned_by_container(container) and tiff is not None and raw_exif.orientation(tiff) != 1:
        turn = raw_exif.orientation(tiff)
        image = turned(image, turn)
        remarks.append(f"turned by its EXIF orientation ({turn}), since its container names none")
    losses = _pixel_losses(info, primary.mode)
    if info.get("exif") and tiff is None:
        losses.append("EXIF that cannot be read")
    return Photo(
        image=flat(image),
        exif=tiff,
        xmp=info.get("xmp") or b"",
        icc=info.get("icc_profile") or b"",
        losses=tuple(losses),
        remarks=tuple(remarks),
    )


def heif_library() -> Any:
    """Return pillow-heif, or pi-heif (the same without an encoder), set to decode in the calling thread alone.

    Every core has a worker process of its own; threads below them would only stand in each other's way.
    """
    # Imported here: the coordinator loads this module at start-up and never decodes.
    library: Any
    try:
        library = import_module("pillow_heif")
    except ImportError:
        library = import_module("pi_heif")
    library.options.DECODE_THREADS = 1
    return library


def turned(image: Image, orientation: int) -> Image:
    """Return the image upright, given the EXIF orientation (2 to 8) of its pixels (Exif 2.32, 4.6.4 A)."""
    from PIL.Image import Transpose  # here: start-up

    return image.transpose(
        {
            2: Transpose.FLIP_LEFT_RIGHT,
            3: Transpose.ROTATE_180,
            4: Transpose.FLIP_TOP_BOTTOM,
            5: Transpose.TRANSPOSE,
            6: Transpose.ROTATE_270,
            7: Transpose.TRANSVERSE,
            8: Transpose.ROTATE_90,
        }[orientation]
    )


def flat(image: Image) -> Image:
    """Return the image in mode ``L`` or ``RGB``: on white where it is transparent, 16 bits brought to 8."""
    from PIL.Image import frombytes, new  # here: start-up

    if image.mode in ("L", "RGB"):
        return image
    if image.mode.startswith("I;16"):
        # 16-bit values come in the whole range whatever the file's depth, so the upper byte is the 8-bit value.
        return frombytes("L", image.size, image.tobytes()[1::2])
    straight = {"RGBa": "RGBA", "La": "LA"}.get(image.mode)
    if straight:
        image = image.convert(straight)
    below = new("RGB" if image.mode == "RGBA" else "L", image.size, "white")
    below.paste(image.convert(below.mode), mask=image.getchannel("A"))
    return below


def _pixels(primary: Any) -> Image:
    from PIL.Image import frombytes  # here: start-up

    pixels = primary.data  # decodes; size, mode and stride are final only after it
    return frombytes(primary.mode, primary.size, pixels, "raw", primary.mode, primary.stride)


def _pixel_losses(info: dict[str, Any], mode: str) -> list[str]:
    losses = []
    depth = info.get("bit_depth") or 8
    if depth > 8:
        losses.append(f"{depth}-bit colour")
    if mode[-1] in "Aa":
        losses.append("transparency (what shows through is white)")
    colours = info.get("nclx_profile") or {}
    if colours.get("transfer_characteristics") in (16, 18):  # PQ and HLG (H.273, table 3)
        losses.append("high dynamic range")
    elif colours.get("color_primaries") in (9, 11, 12):  # BT.2020, DCI-P3, Display P3 (H.273, table 2)
        losses.append("wide colours without an ICC profile")
    return losses


def _check_tiles(image: Image) -> None:
    """Raise when a square of the photo is the one colour that libheif leaves where it could not decode a tile.

    Every 16th pixel is looked at; only where nine neighbours of them are suspect, all pixels between are.
    """
    if image.mode != "RGB":
        return
    from PIL import ImageChops, ImageFilter  # here: start-up
    from PIL.Image import Resampling

    columns, rows = max(image.width // _STEP, 1), max(image.height // _STEP, 1)
    red, green, blue = image.resize((columns, rows), Resampling.NEAREST).split()
    is_zero = [255] + [0] * 255
    suspect = ImageChops.darker(
        ImageChops.darker(red.point(is_zero), blue.point(is_zero)),
        green.point([255 * (value in _MISSING_GREEN) for value in range(256)]),
    )
    middles = suspect.filter(ImageFilter.MinFilter(3)).tobytes()
    at = middles.find(255)
    while at >= 0:
        x, y = (at % columns + 0.5) * image.width / columns, (at // columns + 0.5) * image.height / rows
        around = image.crop((int(x - _STEP), int(y - _STEP), int(x + _STEP), int(y + _STEP)))
        if all(low == high for low, high in (band.getextrema() for band in around.split())):
            raise damaged(f"a part of the photo around {int(x)},{int(y)} could not be decoded")
        at = middles.find(255, at + 1)
