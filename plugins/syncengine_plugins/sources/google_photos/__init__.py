"""Google Photos by its Library API: since 2025-03-31, the albums and items that the same OAuth client uploaded."""

from __future__ import annotations

from syncengine.api import Registry, hookimpl
from syncengine_plugins.sources.google_photos.source import GooglePhotosOptions, GooglePhotosSource

__all__ = ["GooglePhotosOptions", "GooglePhotosSource", "syncengine_register"]


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Make the source known as ``google-photos``."""
    registry.add("source", "google-photos", GooglePhotosSource)
