"""Google Takeout: archives and unpacked exports of Google Photos, read where they lie, as one library."""

from __future__ import annotations

from syncengine.api import Registry, hookimpl
from syncengine_plugins.sources.takeout.source import TakeoutOptions, TakeoutSource

__all__ = ["TakeoutOptions", "TakeoutSource", "syncengine_register"]


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Make the source known as ``takeout``."""
    registry.add("source", "takeout", TakeoutSource)
