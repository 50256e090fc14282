"""Transform ``shrink``: makes large JPEGs smaller and keeps their EXIF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from syncengine.api import AppliedTransform, Asset, ItemError, Meta, PluginOptions, Registry, Transform, hookimpl


class ShrinkOptions(PluginOptions, frozen=True):
    """Makes large JPEGs smaller."""

    max_edge: Annotated[int, Meta(ge=16, le=20_000, description="Longest edge in pixels.")] = 2048
    quality: Annotated[int, Meta(ge=1, le=100, description="JPEG quality.")] = 90


class Shrink(Transform[ShrinkOptions]):
    """Scales a JPEG down when its longest edge is over ``max_edge``; smaller ones stay as they are."""

    Options = ShrinkOptions

    def accepts(self, asset: Asset) -> bool:
        """Return whether the file is a JPEG that is too large; only its header is read."""
        # Image libraries are loaded where they are used, so that `syncengine --help` stays quick.
        from PIL import Image

        if not asset.name.lower().endswith((".jpg", ".jpeg")):
            return False
        try:
            with Image.open(asset.path) as image:
                return image.format == "JPEG" and max(image.size) > self.options.max_edge
        except (OSError, SyntaxError, ValueError):
            return False

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        """Return the smaller photo, in a new file."""
        from PIL import Image

        target = workdir / "shrunk.jpg"  # never the photo's own name: it comes from outside
        try:
            with Image.open(asset.path) as image:
                kept = {key: image.info[key] for key in ("exif", "icc_profile") if key in image.info}
                image.thumbnail((self.options.max_edge, self.options.max_edge))
                image.save(target, "JPEG", quality=self.options.quality, **kept)
        except (OSError, SyntaxError, ValueError) as error:
            raise ItemError(f"cannot be shrunk: {error}", advice="the original is stored untouched") from error
        note = AppliedTransform(name="shrink", options=msgspec.structs.asdict(self.options))
        return msgspec.structs.replace(asset, path=target, applied=(*asset.applied, note))


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Make ``shrink`` known."""
    registry.add("transform", "shrink", Shrink)
