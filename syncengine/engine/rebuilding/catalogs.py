"""The catalog of all runs, written into the state in the order in which it came about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import BinaryIO

from syncengine.api import ItemError
from syncengine.engine.catalog import CatalogLine, Changes, parse
from syncengine.engine.rebuilding.task import MOST_NAMED, RebuildTask, Rebuilt

CATALOG = "metadata/catalog"
_SUFFIX = ".jsonl"
#: Lines that are written in one transaction.
_BATCH = 10_000

_Opener = Callable[[], BinaryIO]


def has_catalog(task: RebuildTask) -> bool:
    """Whether there is any catalog to read."""
    return any(True for _ in _catalogs(task))


def load_catalogs(task: RebuildTask, rebuilt: Rebuilt) -> set[str]:
    """Write all lines of all catalogs into the state, run by run.

    Returns:
        The profiles whose items they are about.
    """
    profiles: set[str] = set()
    changes = Changes()
    for name, opener in _catalogs(task):
        rebuilt.catalogs += 1
        for line in _lines(name, opener, rebuilt):
            if changes.count >= _BATCH or (changes.has_removals and not line.is_removal):
                changes = _write(task, changes, profiles)
                task.progress.note(f"making the state again: {rebuilt.lines:,} lines of the catalog")
            try:
                changes.add(line)
                rebuilt.lines += 1
            except ValueError as error:
                _note_damage(name, str(error), rebuilt)
    _write(task, changes, profiles)
    return profiles


def _write(task: RebuildTask, changes: Changes, profiles: set[str]) -> Changes:
    task.check_stop()
    batches = changes.batches()
    if batches:
        task.part.write(batches)
    profiles.update(profile for profile, batch in batches if batch.items)
    return Changes()


def _catalogs(task: RebuildTask) -> Iterator[tuple[str, _Opener]]:
    """Yield what to call each catalog and how to open it, in the order of the runs."""
    found: list[tuple[str, str, _Opener]] = []
    for stat in task.destination.list(CATALOG):
        run = stat.path.rpartition("/")[2].removesuffix(_SUFFIX)
        if stat.path.endswith(_SUFFIX):
            found.append((run, stat.path, partial(task.destination.read, stat.path)))
    # A run that was killed while it delivered its catalog has it in both places; the local one is whole.
    found += [(run, str(path), partial(_open_local, path)) for run, path in task.spools]
    found.sort(key=lambda entry: entry[0])
    for _, name, opener in found:
        yield name, opener


def _open_local(path: Path) -> BinaryIO:
    return path.open("rb")


def _lines(name: str, opener: _Opener, rebuilt: Rebuilt) -> Iterator[CatalogLine]:
    """Yield the lines of one catalog that can be read."""
    try:
        with closing(opener()) as stream:
            for line in stream:
                try:
                    yield parse(line)
                except ValueError as error:
                    if line.endswith(b"\n"):
                        _note_damage(name, str(error), rebuilt)
                    else:
                        rebuilt.cut += 1
                        rebuilt.warnings.append(f"{name} ends in the middle of a line: its run was killed")
    except (ItemError, OSError) as error:
        _note_damage(name, f"it cannot be read: {error}", rebuilt)


def _note_damage(name: str, why: str, rebuilt: Rebuilt) -> None:
    rebuilt.damaged += 1
    if rebuilt.damaged <= MOST_NAMED:
        rebuilt.warnings.append(f"{name}: a line is damaged ({why}); what it said is taken from metadata files")
