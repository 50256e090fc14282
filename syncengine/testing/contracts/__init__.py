"""One suite for each kind of plugin: each promise in ``syncengine.api`` is a test that can fail.

Subclass a suite in a pytest module, say how to make your plugin, and pytest runs all of its tests::

    from syncengine.testing.contracts import DestinationContract

    class TestMyDestination(DestinationContract):
        def make(self, tmp_path):
            return MyDestination(MyOptions(path=str(tmp_path / "root")))
"""

from syncengine.testing.contracts.deduplicator import DeduplicatorContract
from syncengine.testing.contracts.destination import DestinationContract
from syncengine.testing.contracts.source import SourceContract
from syncengine.testing.contracts.transform import TransformContract

__all__ = ["DeduplicatorContract", "DestinationContract", "SourceContract", "TransformContract"]
