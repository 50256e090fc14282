"""A source, a destination and a fingerprint index that live in memory and keep their contracts.

They are real: what is not durable is lost at ``MemoryStorage.power_cut``, a destination may be full, and links are
links. An instance made from options alone has a storage or a library of its own; to share one between runs, give it
to the constructor or put it into a subclass::

    class Backup(MemoryDestination):
        shared = MemoryStorage()
"""

from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from syncengine.testing.memory.fingerprints import MemoryFingerprints
from syncengine.testing.memory.source import MemoryLibrary, MemorySource, MemorySourceOptions
from syncengine.testing.memory.storage import MemoryStorage

__all__ = [
    "MemoryDestination",
    "MemoryDestinationOptions",
    "MemoryFingerprints",
    "MemoryLibrary",
    "MemorySource",
    "MemorySourceOptions",
    "MemoryStorage",
]
