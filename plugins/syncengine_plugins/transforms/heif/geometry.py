"""The size and the position in which a HEIF photo is shown, by its container's own word.

The rule, and where it comes from:

- ``irot`` and ``imir`` are the container's orientation (ISO/IEC 23008-12, 6.5.10 and 6.5.12). libheif applies them, in
  the order of the item's properties, while it decodes. EXIF orientation beside them describes the same turn and is
  informative only; applying it as well turns the photo twice. This holds for an ``irot`` of 0 too: it says "upright".
- A container with neither leaves only EXIF. By the letter it is to be ignored, but some cameras (Samsung's among them)
  write such files and mean it; macOS (where the brand ``miaf`` is absent) and sharp follow it too. So it is applied
  then, and the result says so. pillow-heif resets EXIF orientation always, and such photos come out sideways.
- Orientation in XMP never turns a photo: no reader of HEIF looks at it.
"""

from __future__ import annotations

from fractions import Fraction

from syncengine_plugins.transforms.heif.boxes import Cursor, damaged
from syncengine_plugins.transforms.heif.container import Container

Size = tuple[Fraction, Fraction]


def is_turned_by_container(container: Container) -> bool:
    """Return whether the container says how its photo stands, so that EXIF does not count."""
    return any(kind in (b"irot", b"imir") for kind, _ in container.properties.get(container.primary, ()))


def coded_size(container: Container) -> tuple[int, int]:
    """Return width and height of the photo before it is cropped and turned (``ispe``).

    Raises:
        ItemError: the container does not say, or says 0.
    """
    extents = container.property_of(container.primary, b"ispe")
    if extents is None:
        raise damaged("it does not say how large the photo is")
    cursor = Cursor(extents, 4, len(extents))
    width, height = cursor.uint(4), cursor.uint(4)
    if not width or not height:
        raise damaged(f"the photo is said to be {width}x{height} pixels")
    return width, height


def shown_size(container: Container) -> Size:
    """Return the size after ``clap`` and ``irot``, which may be a fraction of a pixel where ``clap`` says so."""
    width, height = coded_size(container)
    size = Fraction(width), Fraction(height)
    for kind, payload in container.properties.get(container.primary, ()):
        if kind == b"clap":
            size = _cropped(payload)
        elif kind == b"irot" and payload[:1] and payload[0] & 1:
            size = size[1], size[0]
    return size


def fits(size: tuple[int, int], shown: Size) -> bool:
    """Return whether decoded pixels have the size that the container speaks of."""
    return abs(size[0] - shown[0]) < 1 and abs(size[1] - shown[1]) < 1


def _cropped(payload: bytes) -> Size:
    """ISO/IEC 14496-12, 12.1.4: numerator and denominator of the width, then of the height."""
    cursor = Cursor(payload, 0, len(payload))
    width, width_by, height, height_by = (cursor.uint(4) for _ in range(4))
    if not width_by or not height_by:
        raise damaged("its crop divides by zero")
    return Fraction(width, width_by), Fraction(height, height_by)
