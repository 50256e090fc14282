"""Google Photos by its Picker: the photos that a person picks on Google's own page, up to 2,000 at a time."""

from __future__ import annotations

from syncengine.api import Registry, hookimpl
from syncengine_plugins.sources.google_picker.source import GooglePickerOptions, GooglePickerSource

__all__ = ["GooglePickerOptions", "GooglePickerSource", "syncengine_register"]


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Make the source known as ``google-picker``."""
    registry.add("source", "google-picker", GooglePickerSource)
