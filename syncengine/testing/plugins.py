"""A pluggy plugin that registers the fakes of this package.

Nothing registers them by default. A test does it with ``manager.register(syncengine.testing.plugins)`` (the manager
is pluggy's, with the project name ``syncengine``), or for a whole process by an entry point::

    [project.entry-points."syncengine.plugins"]
    "source.memory" = "syncengine.testing.plugins"
"""

from __future__ import annotations

from syncengine.api import Registry, hookimpl
from syncengine.testing.memory import MemoryDestination, MemorySource
from syncengine.testing.transforms import Misbehaving


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Make ``source.memory``, ``destination.memory`` and ``transform.misbehaving`` known."""
    registry.add("source", "memory", MemorySource)
    registry.add("destination", "memory", MemoryDestination)
    registry.add("transform", "misbehaving", Misbehaving)
