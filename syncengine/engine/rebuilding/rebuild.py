"""Making the state of a destination again: the story."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from operator import itemgetter

from syncengine.api import FileStat, RunReport
from syncengine.engine.rebuilding.attributing import check_alone, settle_holders
from syncengine.engine.rebuilding.catalogs import has_catalog, listed, load_catalogs
from syncengine.engine.rebuilding.comparing import compare, uncovered
from syncengine.engine.rebuilding.displaced import Displaced
from syncengine.engine.rebuilding.finds import restore_finds
from syncengine.engine.rebuilding.groups import restore_groups
from syncengine.engine.rebuilding.papers import restore_albums, restore_from_metadata, restore_runs
from syncengine.engine.rebuilding.refreshing import refresh_from_metadata
from syncengine.engine.rebuilding.stale_papers import find_stale_papers
from syncengine.engine.rebuilding.task import RebuildTask, Rebuilt
from syncengine.engine.rebuilding.undoing import Undoing
from syncengine.records import StateBatch

_AT_ONCE = 2_000


def needs_rebuilding(task: RebuildTask) -> bool:
    """Whether the state knows nothing of a destination that holds a library, or only a part of it.

    A run would come to the same end without, but would read the whole source for it.
    """
    if task.part.is_unfinished():
        return True
    if not task.part.is_empty():
        return False
    if has_catalog(task):
        return True
    # A run that ended before it recorded anything has lost nothing: the next one goes on from what it intended.
    return not task.recovering and any(map(_is_of_a_file, listed(task.destination, "metadata")))


def _is_of_a_file(stat: FileStat) -> bool:
    """Whether a file below ``metadata/`` is the metadata file of a stored file."""
    return stat.path.endswith(".json") and stat.path.count("/") > 1


def rebuild(task: RebuildTask) -> Rebuilt:
    """Make the state of a destination again, for all its profiles; only the state is written to.

    Killed or interrupted, the part of the state stays marked as not whole, and the next run begins again.

    Raises:
        FatalError: the destination cannot be read, or the state cannot be written.
        InterruptedRunError: it was asked to stop.
    """
    started = time.monotonic()
    with task.part.sparingly():
        rebuilt = _rebuild(task)
    rebuilt.seconds = round(time.monotonic() - started, 3)
    return rebuilt


def _rebuild(task: RebuildTask) -> Rebuilt:
    rebuilt = Rebuilt()
    task.part.begin()
    task.amendments.clear()
    for profile in (*task.profiles, task.profile):
        task.part.forget_items(profile)
    told = load_catalogs(task, rebuilt)
    profiles = told.profiles | {task.profile, *task.profiles}
    authors = restore_runs(task, rebuilt, told.items)
    listing_is_whole = _complete(task, rebuilt, authors)
    if task.alone:
        check_alone(task, profiles.union(*authors.values()))
    settle_holders(task, rebuilt, listing_is_whole=listing_is_whole)
    for profile in sorted(profiles):
        count = _sweep(task, profile, rebuilt)
        if count:
            rebuilt.items[profile] = count
    rebuilt.contents = task.shared.count_contents()
    if rebuilt.dropped:
        task.part.save_runs([_account(task, profile, rebuilt) for profile in sorted(profiles)])
    task.part.finish()
    return rebuilt


def _account(task: RebuildTask, profile: str, rebuilt: Rebuilt) -> RunReport:
    """Return what stands as a profile's last run until it runs again: no run before proves anything of what is lost."""
    now = datetime.now(UTC)
    moment = now.astimezone().isoformat(timespec="seconds")
    return RunReport(
        run=f"{now:%Y%m%dT%H%M%S%fZ}",
        profile=profile,
        source=task.plugin if profile == task.profile else "",
        destination=task.destination.location,
        started=moment,
        finished=moment,
        ended="stopped",
        reason=f"the state was made again, and {rebuilt.dropped:,} files were not there as recorded; run again",
        warnings=tuple(rebuilt.warnings),
    )


def _complete(task: RebuildTask, rebuilt: Rebuilt, authors: dict[str, set[str]]) -> bool:
    """Bring records and files together; return whether the listing of copies told of all that it knew, if asked."""
    displaced = Displaced(task, rebuilt)
    with uncovered(task) as files, uncovered(task) as unknown:
        compare(task, rebuilt, files, displaced)
        undoing = Undoing(task, displaced)
        undoing.doubt()
        restore_from_metadata(task, rebuilt, files, authors, left=unknown, displaced=displaced)
        undoing.decide()
        restore_finds(task, rebuilt, unknown, displaced, undoing)
    displaced.drop()
    find_stale_papers(task)
    if rebuilt.lacks_lines:
        refresh_from_metadata(task)
    if not rebuilt.is_from_catalog:
        restore_albums(task)
    return bool(rebuilt.from_metadata or rebuilt.has_gaps) and restore_groups(task)


def _sweep(task: RebuildTask, profile: str, rebuilt: Rebuilt) -> int:
    """Drop a profile's items whose content is not there, and return how many are left."""
    state = task.state(profile)
    kept = 0
    page: list[tuple[str, bytes]] = []

    def settle() -> int:
        page.sort(key=itemgetter(1))  # neighbours in the store
        records = state.contents([content for _, content in page])
        gone = [identity for (identity, _), record in zip(page, records, strict=True) if record is None]
        if gone:
            task.part.write([(profile, StateBatch(gone_items=gone))])
        rebuilt.lost_items += len(gone)
        left = len(page) - len(gone)
        page.clear()
        return left

    for identity, record in state.all_items():
        page.append((identity, record.content))
        if len(page) == _AT_ONCE:
            task.check_stop()
            kept += settle()
    return kept + settle()
