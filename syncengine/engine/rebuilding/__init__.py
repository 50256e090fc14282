"""Making the state again from what is at the destination: catalog, else metadata files, else the files themselves.

``rebuild`` tells the story, ``task`` has what it works on, ``catalogs`` reads the journal of all runs, ``comparing``
holds the records against the files, ``papers`` asks the metadata files, ``refreshing`` asks them where a line is
damaged, ``displaced`` finds files that are elsewhere than their records say, ``undoing`` what killed runs have left in
the trash, ``groups`` asks the listing of copies, ``finds`` hashes what nothing tells about, ``attributing`` marks what
nobody can be certain of.
"""

from syncengine.engine.rebuilding.rebuild import needs_rebuilding, rebuild
from syncengine.engine.rebuilding.task import RebuildTask, Rebuilt, StatePart

__all__ = ["RebuildTask", "Rebuilt", "StatePart", "needs_rebuilding", "rebuild"]
