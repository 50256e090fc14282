"""What rebuilding a state works on, and what it says at its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import tzinfo
from pathlib import Path
from typing import Any, Protocol

import msgspec

from syncengine.api import Destination, RunReport
from syncengine.engine.amendments import Amendments
from syncengine.engine.ports import Progress, State
from syncengine.errors import InterruptedRunError
from syncengine.records import StateBatch

#: So many findings are named one by one; the others are counted.
MOST_NAMED = 100


class StatePart(Protocol):
    """One destination's part of the state, of all its profiles."""

    def is_empty(self) -> bool:
        """Whether no content of the destination is known."""
        ...

    def is_unfinished(self) -> bool:
        """Whether somebody began to make it again and did not come to the end."""
        ...

    def begin(self) -> None:
        """Mark the part as not whole, and forget it."""
        ...

    def sparingly(self) -> AbstractContextManager[None]:
        """Keep what is read of the state from adding up in memory, while something goes through all of it."""
        ...

    def forget_items(self, profile: str) -> None:
        """Forget the items of a profile; those that are written afterwards stay."""
        ...

    def write(self, batches: Sequence[tuple[str, StateBatch]]) -> None:
        """Write (profile, batch) in one durable transaction; the profile is empty where there are no items."""
        ...

    def save_runs(self, reports: Sequence[RunReport]) -> None:
        """Remember the accounts of runs."""
        ...

    def finish(self) -> None:
        """Say that the part is whole."""
        ...


class RebuildTask(msgspec.Struct, frozen=True, kw_only=True):
    """One rebuilding.

    Args:
        profile: for which it is done; the other profiles of the destination are done with it.
        plugin: name of its source's plugin.
        profiles: the profiles that have run here.
        once: the profile stores the same bytes once, so their SHA-256 alone is the key of a content.
        stages: names and options of its transforms.
        recipe: the same as a comparable line.
        root: the first folder of its layout, or empty when that is not always the same.
        zone: for capture times that know no zone.
        destination: open.
        part: what is to be made again.
        state: the state of a profile at the destination, by the profile's name.
        scratch: a directory for temporary files.
        spools: catalogs of killed runs that are not at the destination yet: (run, file).
        recovering: a run of these profiles did not come to its end, and what it intended is known.
        rehash: every file is hashed, and not only looked at.
        alone: a person says that no other profile backs up there.
        amendments: takes what the catalog does not say, for the next run.
        progress: is told.
        stop: set when it is to end soon.
    """

    profile: str
    plugin: str
    profiles: tuple[str, ...]
    once: bool
    stages: tuple[tuple[str, Any], ...]
    recipe: str
    root: str
    zone: tzinfo
    destination: Destination[Any]
    part: StatePart
    state: Callable[[str], State]
    scratch: Path
    spools: tuple[tuple[str, Path], ...]
    recovering: bool
    rehash: bool
    progress: Progress
    stop: threading.Event
    alone: bool = False
    amendments: Amendments = Amendments(None)

    @property
    def shared(self) -> State:
        """The state of what all profiles share."""
        return self.state(self.profile)

    def write(self, batch: StateBatch) -> None:
        """Write what the catalog does not say."""
        self.amendments.add_batch(batch)
        self.part.write([("", batch)])

    def check_stop(self) -> None:
        """Raise ``InterruptedRunError`` when it is to end; the next run or rebuilding begins again."""
        if self.stop.is_set():
            raise InterruptedRunError("interrupted; the next run makes the state again from the beginning")


class Rebuilt(msgspec.Struct, kw_only=True):
    """What a rebuilding found.

    Args:
        contents: how many contents the state holds now.
        items: how many items, by profile.
        runs: how many runs' accounts came back.
        catalogs: files of the catalog.
        lines: lines of the catalog that were taken.
        cut: lines that a killed run left half.
        damaged: other lines that could not be read.
        missing_catalogs: runs whose catalog is not there, or tells of fewer items than their own account.
        from_metadata: contents that came from their metadata files.
        found: files that nothing tells about, now known by their hashes.
        moved: contents whose files were elsewhere than the catalog says.
        guessed: contents that other profiles may hold of which nothing tells; a mirror leaves them alone.
        dropped: contents whose file is missing or is another one; the next run stores them again.
        lost_items: items whose content is not there; the next run looks at them anew.
        warnings: what a person should know, the first hundred of each kind.
        seconds: how long it took.
    """

    contents: int = 0
    items: dict[str, int] = {}
    runs: int = 0
    catalogs: int = 0
    lines: int = 0
    cut: int = 0
    damaged: int = 0
    missing_catalogs: int = 0
    from_metadata: int = 0
    found: int = 0
    moved: int = 0
    guessed: int = 0
    dropped: int = 0
    lost_items: int = 0
    warnings: list[str] = []
    seconds: float = 0.0

    @property
    def is_from_catalog(self) -> bool:
        """Whether the catalog told all that there is."""
        return self.lines > 0 and not (self.lacks_lines or self.from_metadata or self.found)

    @property
    def lacks_lines(self) -> bool:
        """Whether lines of the catalog are lost that were whole once."""
        return bool(self.damaged or self.missing_catalogs)

    @property
    def has_gaps(self) -> bool:
        """Whether a line may be lost that said that another item holds a content as well."""
        return self.lacks_lines or bool(self.cut)
