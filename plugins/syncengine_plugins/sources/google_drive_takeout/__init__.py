"""Google Takeout archives in Google Drive, read where they lie: only new photos cross the network."""

from __future__ import annotations

from syncengine.api import Registry, hookimpl
from syncengine_plugins.sources.google_drive_takeout.source import (
    GoogleDriveTakeoutOptions,
    GoogleDriveTakeoutSource,
)

__all__ = ["GoogleDriveTakeoutOptions", "GoogleDriveTakeoutSource", "syncengine_register"]


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Make the source known as ``google-drive-takeout``."""
    registry.add("source", "google-drive-takeout", GoogleDriveTakeoutSource)
