"""Who holds what: certain by a whole catalog, else a guess, which is marked so that no mirror acts on it.

A metadata file names the item that a photo was stored for, and neither its profile nor the items of other profiles that
were recognised as copies. See ``docs/decisions/safe-mirror.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import msgspec

from syncengine.api import RunReport
from syncengine.engine.rebuilding.task import RebuildTask, Rebuilt
from syncengine.errors import FatalError
from syncengine.records import StateBatch

_AT_ONCE = 2_000
_MOST_NAMED = 3
#: Each item of these classes is a line of the run's catalog.
_RECORDED = ("stored", "duplicate", "updated")


class Accounts:
    """What the accounts of runs tell: which profiles have run with which source, and what the catalogs should tell.

    Args:
        items: how many items the catalog of each run tells of.
    """

    def __init__(self, items: Mapping[str, int]) -> None:
        #: The profiles that have run, by the source plugin.
        self.authors: dict[str, set[str]] = {}
        self._items = items
        self._missing: list[str] = []

    def add(self, reports: Iterable[RunReport]) -> None:
        """Take some accounts."""
        for report in reports:
            self.authors.setdefault(report.source, set()).add(report.profile)
            if not report.dry_run and self._lacks_lines(report):
                self._missing.append(report.run)

    def _lacks_lines(self, report: RunReport) -> bool:
        """Whether a run recorded more, by its own account, than its catalog tells of."""
        items = sum(report.outcomes.get(outcome, 0) for outcome in _RECORDED)
        has_changed = bool(items or report.maintained or report.removed)
        return self._items.get(report.run, 0) < items or (has_changed and report.run not in self._items)

    def note_missing(self, rebuilt: Rebuilt) -> None:
        """Say which catalogs are missing or lack lines."""
        rebuilt.missing_catalogs = len(self._missing)
        if self._missing and rebuilt.catalogs:  # Without any, everything else says so.
            first = ", ".join(f"metadata/catalog/{run}.jsonl" for run in sorted(self._missing)[:_MOST_NAMED])
            more = ", ..." if len(self._missing) > _MOST_NAMED else ""
            text = f"the catalogs of {len(self._missing):,} runs are missing or lack lines: {first}{more}"
            rebuilt.warnings.append(text)


def check_alone(task: RebuildTask, profiles: set[str]) -> None:
    """See that what is known does not speak against a person's word that no other profile backs up there.

    Args:
        task: the rebuilding.
        profiles: that are known to have run there, beside those that the records name.

    Raises:
        FatalError: another profile has run there; the next run makes the state again without that word.
    """
    others = sorted(profiles.union(_holders(task)) - {task.profile, ""})
    if others:
        raise FatalError(
            f"profile {task.profile} is not alone at {task.destination.location}: profile {others[0]} has run there",
            advice="make the state again without --alone",
        )


def settle_holders(task: RebuildTask, rebuilt: Rebuilt, *, listing_is_whole: bool) -> None:
    """Mark the contents whose holders are a guess, and count them.

    What came from a metadata file or was found is marked already. Where the catalog has gaps, a line that is lost may
    have told of a copy of any content, unless the listing of copies tells of all.

    Args:
        task: the rebuilding; all records are there.
        rebuilt: is told how many.
        listing_is_whole: the listing of copies was read without a gap, and the records are united with it.
    """
    if task.alone:
        _mark_all(task, guessed=False)
    elif rebuilt.has_gaps and not listing_is_whole:
        _mark_all(task, guessed=True)
    if not rebuilt.is_from_catalog or rebuilt.has_gaps:
        rebuilt.guessed = sum(record.guessed for record in task.shared.all_contents())


def _mark_all(task: RebuildTask, *, guessed: bool) -> None:
    records = (record for record in task.shared.all_contents() if record.guessed != guessed)
    while page := list(islice(records, _AT_ONCE)):
        task.check_stop()
        changed = [msgspec.structs.replace(record, guessed=guessed) for record in page]
        task.part.write([("", StateBatch(contents=changed))])


def _holders(task: RebuildTask) -> Iterator[str]:
    """Yield the profiles that the records name."""
    for record in task.shared.all_contents():
        yield from (copy[0] for copy in record.copies)
        yield record.profile
