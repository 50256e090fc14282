"""Destination ``filesystem``: a directory on a disk or a mounted NAS share.

``destination`` has the class and its options, ``opening`` what happens before the first file, ``places`` what happens
to one name, ``listings`` to many, ``durability`` what makes them last.
"""

from __future__ import annotations

from syncengine.api import Registry, hookimpl
from syncengine_plugins.destinations.filesystem.destination import FilesystemDestination, FilesystemOptions

__all__ = ["FilesystemDestination", "FilesystemOptions", "syncengine_register"]


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Make ``filesystem`` known."""
    registry.add("destination", "filesystem", FilesystemDestination)
