"""A backup whose state is lost and made again."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from syncengine.engine import runner
from syncengine.engine.amendments import Amendments
from syncengine.engine.layout import recipe_of
from syncengine.engine.rebuilding import RebuildTask, Rebuilt, rebuild
from syncengine.engine.rebuilding.finds import FoundFiles
from syncengine.engine.recipe import Upkeep
from syncengine.engine.silence import Silent
from syncengine.model import RunReport
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord
from syncengine.state.store import StateStore
from tests.unit.engine.conftest import ROME, Backup


class Rebuilding:
    """Makes the state of a backup again, and runs as the application does afterwards.

    Args:
        backup: the backup.
    """

    def __init__(self, backup: Backup) -> None:
        self.backup = backup
        self.stop = threading.Event()
        self.spools: tuple[tuple[str, Path], ...] = ()
        self.facts: dict[str, Any] = {}

    def lose(self, *below: str) -> None:
        """Lose the state, and everything below some directories of the destination."""
        (self.backup.directory / "state").rename(self.backup.directory / f"lost-{len(list(self.lost()))}")
        for prefix in below:
            for stat in list(self.backup.destination.list(prefix)):
                self.backup.destination.remove(stat.path)

    def lost(self) -> list[Path]:
        """Return the states that were lost."""
        return list(self.backup.directory.glob("lost-*"))

    def task(self, store: StateStore) -> RebuildTask:
        """Return what there is to rebuild."""
        identity = self.backup.destination.identity
        facts: dict[str, Any] = {
            "profile": self.backup.profile,
            "plugin": "memory",
            "profiles": (),
            "once": bool(self.backup.dedups()),
            "stages": tuple((type(one).__name__, {}) for one in self.backup.transforms),
            "recipe": recipe_of([(type(one).__name__, {}) for one in self.backup.transforms]),
            "root": "photos",
            "zone": ROME,
            "destination": self.backup.destination,
            "part": store.part(identity),
            "state": lambda profile: store.bind(profile, identity),
            "scratch": self.backup.directory,
            "spools": self.spools,
            "recovering": False,
            "rehash": False,
            "progress": Silent(),
            "stop": self.stop,
            "amendments": Amendments(Upkeep(directory=self.backup.directory).amendments_file(identity)),
        }
        return RebuildTask(**{**facts, **self.facts})

    def rebuild(self, **facts: Any) -> Rebuilt:
        """Make the state again."""
        with StateStore.open(self.backup.directory / "state") as store:
            return rebuild(msgspec.structs.replace(self.task(store), **facts))

    def run(self) -> RunReport:
        """Run once, with the files that were found."""
        with ExitStack() as stack:
            parts = stack.enter_context(self.backup.parts())
            return runner.run(msgspec.structs.replace(parts, orphans=FoundFiles(parts.orphans, parts.state)))

    def remembered(self) -> tuple[list[ContentRecord], dict[str, ItemRecord], list[AlbumRecord], list[Any]]:
        """Return all that the state holds of the backup."""
        with StateStore.open(self.backup.directory / "state") as store:
            state = store.bind(self.backup.profile, self.backup.destination.identity)
            prints = sorted(state.fingerprints("sha256").entries())
            return list(state.all_contents()), dict(state.all_items()), list(state.albums()), prints

    def tree(self) -> dict[str, tuple[bytes, float]]:
        """Return content and time of everything at the destination but the runs' own papers."""
        return {
            stat.path: (self.backup.read(stat.path), stat.mtime)
            for stat in self.backup.destination.list("")
            if stat.path.partition("/")[0] != "logs"
        }
