"""Writing the JPEG."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from syncengine.api import FatalError, ItemError
from syncengine_plugins.transforms.heic_to_jpeg.metadata import Metadata

if TYPE_CHECKING:
    from PIL.Image import Image

_LONGEST_SIDE = 65500  # libjpeg's JPEG_MAX_DIMENSION


def write_jpeg(
    image: Image, metadata: Metadata, path: Path, *, quality: int, subsampling: Literal["4:4:4", "4:2:0"]
) -> None:
    """Write a photo as a new JPEG file; what was begun is removed when it fails.

    Pillow encodes straight into a real file and lets other threads run meanwhile; into memory it would not. Neither
    optimised nor progressive: both save some percent of space for half as much time again.

    Args:
        image: in mode ``L`` or ``RGB``.
        metadata: fits into JPEG's segments.
        path: does not exist yet.
        quality: 1 to 100.
        subsampling: of colour.

    Raises:
        ItemError: the photo cannot be a JPEG.
        FatalError: the file cannot be written.
    """
    if max(image.size) > _LONGEST_SIDE:
        raise ItemError(f"{image.width}x{image.height} pixels are more than a JPEG can have", advice="keep it as it is")
    try:
        with path.open("xb") as stream:
            image.save(
                stream,
                "JPEG",
                quality=quality,
                subsampling=subsampling,
                exif=metadata.exif,
                extra=metadata.xmp,
                icc_profile=metadata.icc,
            )
    except (OSError, ValueError, MemoryError) as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise FatalError(f"cannot write to {path.parent}: {os.strerror(error.errno)}") from error
        raise ItemError(f"the JPEG cannot be written: {error}") from error
