"""``heic-to-jpeg``: turns HEIC photos into JPEG and keeps what describes them.

Nothing heavier than the standard library is imported at the top: the coordinator loads this module at start-up to ask
``accepts``; Pillow and pillow-heif come in with the first ``apply``, in a worker process.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from syncengine.api import (
    AppliedTransform,
    Asset,
    ItemError,
    Kind,
    Meta,
    PluginOptions,
    Registry,
    Transform,
    hookimpl,
)
from syncengine_plugins.media.sniff import KIND_BY_EXTENSION, extension
from syncengine_plugins.transforms.heic_to_jpeg.jpeg import write_jpeg
from syncengine_plugins.transforms.heic_to_jpeg.metadata import metadata_for_jpeg
from syncengine_plugins.transforms.heif import contents_of, damaged, is_heif, read_container, read_photo

NAME = "heic-to-jpeg"
_LARGEST_FILE = 1 << 30


class HeicToJpegOptions(PluginOptions, frozen=True):
    """Turns HEIC photos (by content, whatever their name) into JPEG.

    EXIF, XMP and the colour profile are kept, the pixels are upright. What JPEG cannot carry is named in the notes.
    """

    quality: Annotated[int, Meta(ge=1, le=100, description="JPEG quality.")] = 95
    subsampling: Annotated[
        Literal["4:4:4", "4:2:0"],
        Meta(
            description=(
                "How finely colour is stored. 4:2:0 is what phones have in their HEIC, so more only takes space;"
                " 4:4:4 is for sources that have more (the HIF files of some cameras)."
            )
        ),
    ] = "4:2:0"
    keep_original: Annotated[
        bool | Literal["when-lossy"],
        Meta(
            description=(
                "Whether the HEIC is stored beside the JPEG: always, never, or when it has what the JPEG cannot carry:"
                " depth and gain maps, other images, motion video, more than 8 bits, transparency, oversized metadata."
            )
        ),
    ] = False


class HeicToJpeg(Transform[HeicToJpegOptions]):
    """See ``HeicToJpegOptions``."""

    Options = HeicToJpegOptions

    def accepts(self, asset: Asset) -> bool:
        """Return whether the file is HEIC by its first bytes, whatever its name.

        A JPEG named ``.heic`` is left alone, bit for bit. Bytes of no known format under a HEIC name (an empty file,
        zeros) are accepted, so that ``apply`` reports them.
        """
        return is_heif(asset.path, asset.name)

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        """Return the asset as a JPEG in ``workdir``.

        Raises:
            ItemError: the file is damaged, cut off, or coded in a way that cannot be read.
            FatalError: ``workdir`` cannot be written to (no space).
        """
        file = _read(asset.path)
        container = read_container(file)
        photo = read_photo(file, container)
        contents = contents_of(file, container)
        metadata = metadata_for_jpeg(photo, is_still=bool(contents.movie))
        path = _new_path(asset, workdir)
        write_jpeg(photo.image, metadata, path, quality=self.options.quality, subsampling=self.options.subsampling)
        losses = [*photo.losses, *metadata.losses, *contents.extras]
        notes = [*(f"not in the JPEG: {loss}" for loss in losses), *photo.remarks, *metadata.remarks]
        keep = bool(losses) if self.options.keep_original == "when-lossy" else bool(self.options.keep_original)
        applied = AppliedTransform(name=NAME, options=msgspec.to_builtins(self.options), notes=tuple(notes))
        return msgspec.structs.replace(
            asset,
            path=path,
            name=_jpeg_name(asset.name),
            kind=Kind.PHOTO,
            size=0,
            sha256=b"",
            applied=(*asset.applied, applied),
            keep_original=asset.keep_original or keep,
        )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ItemError(f"a HEIC file of more than {_LARGEST_FILE} bytes", advice="keep it as it is")
        file = path.read_bytes()
    except OSError as error:
        raise ItemError(f"cannot be read: {error.strerror or error}") from error
    if file[4:8] != b"ftyp":
        raise damaged("it does not begin like one" if file else "it is empty")
    return file


def _new_path(asset: Asset, workdir: Path) -> Path:
    names = (f"{asset.path.name}.{number}.jpg" for number in count(1))
    return next(path for path in map(workdir.joinpath, names) if not path.exists())


def _jpeg_name(name: str) -> str:
    """Return the name with the extension ``.jpg``; HEIC data under a JPEG's name keep it."""
    ending = extension(name)
    if ending in ("jpg", "jpeg", "jpe", "jfif"):
        return name
    stem = name.rpartition(".")[0]
    return f"{stem if stem and ending in KIND_BY_EXTENSION else name}.jpg"


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Register the transform."""
    registry.add("transform", NAME, HeicToJpeg)
