"""Deciding, before anything is fetched, what is to be done with each item: the plan."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import islice

import msgspec

from syncengine.api import MediaItem, Outcome
from syncengine.engine.account import Account
from syncengine.engine.metadata_file import SIDECAR, metadata_path
from syncengine.engine.parts import Permit, RunParts
from syncengine.engine.remaking import Remakes
from syncengine.engine.work import MOVED, PAPERS_MISSING, REMAKE, Batch, Why, Work
from syncengine.records import ItemRecord

#: Items that are looked up in the state at once; so few stay in the processor's cache from look to look.
LOOK_UP = 250
#: A batch of work ends at so many items or so many bytes, whichever comes first.
BATCH_ITEMS = 256
BATCH_BYTES = 256 << 20

LIMIT_RULE = "--limit"


class Decisions(msgspec.Struct):
    """What is to be done with some listed items; each of them is in one of the lists.

    Args:
        listed: all of them, in the order of the listing.
        unchanged: those that are as they were, with what the state remembers.
        filtered: those that are left out, with the rule.
        work: those that something is to be done with.
        refused: those that something would have to be done with and may not be, with the reason.
    """

    listed: Sequence[MediaItem]
    unchanged: list[tuple[MediaItem, ItemRecord]]
    filtered: list[tuple[MediaItem, str]]
    work: list[Work]
    refused: list[tuple[MediaItem, str]] = []


class Planner:
    """Compares what the source lists with what the state remembers.

    Args:
        parts: the run.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts
        #: Decides what is made again; ``None`` when files are kept as they are.
        self.remakes = Remakes(parts) if parts.upkeep.remake else None

    def decide(self, items: Sequence[MediaItem]) -> Decisions:
        """Return what is to be done with each item; reads the state once and lists the destination."""
        wanted, filtered = self._select(items)
        records = self._parts.state.items([item.id for item in wanted])
        unchanged: list[tuple[MediaItem, ItemRecord]] = []
        work: list[Work] = []
        for item, known in zip(wanted, records, strict=True):
            if known is None:
                work.append(Work(item=item, why="new"))
            elif item.content_token != known.content_token:
                work.append(Work(item=item, why="changed", known=known))
            elif item.metadata_token != known.metadata_token:
                work.append(Work(item=item, why="metadata changed", known=known))
            else:
                unchanged.append((item, known))
        self._find_missing(unchanged, work)
        if self.remakes is not None:
            self.remakes.take(unchanged, filtered, work)
        if self._parts.upkeep.relayout:
            self._find_missing_papers(unchanged, work)
        decisions = Decisions(items, unchanged, filtered, work)
        if self._parts.only is not None:
            _permit(self._parts.only, decisions)
        return decisions

    def _select(self, items: Sequence[MediaItem]) -> tuple[Sequence[MediaItem], list[tuple[MediaItem, str]]]:
        select, zone = self._parts.select, self._parts.zone
        if select.is_empty:
            return items, []
        wanted: list[MediaItem] = []
        filtered: list[tuple[MediaItem, str]] = []
        for item in items:
            rule = select.rejects(item, zone, described=False)
            if rule is None:
                wanted.append(item)
            else:
                filtered.append((item, rule))
        return wanted, filtered

    def _find_missing(self, unchanged: list[tuple[MediaItem, ItemRecord]], work: list[Work]) -> None:
        """Turn what has left the destination behind our back into work, in both lists."""
        paths = [known.path for _, known in unchanged]
        paths += [known.original_path for _, known in unchanged if known.original_path]
        for one in work:
            if one.known is not None and one.why == "metadata changed":
                paths += [path for path in (one.known.path, one.known.original_path) if path]
        missing = self._parts.destination.missing(paths)
        if not missing:
            return
        why: Why = "missing at the destination"
        for one in work:
            if one.known is not None and not missing.isdisjoint((one.known.path, one.known.original_path)):
                one.why = why
        gone = [pair for pair in unchanged if pair[1].path in missing or pair[1].original_path in missing]
        work += [Work(item=item, why=self._why_gone(known), known=known) for item, known in gone]
        kept = [pair for pair in unchanged if pair[1].path not in missing and pair[1].original_path not in missing]
        unchanged[:] = kept

    def _why_gone(self, known: ItemRecord) -> Why:
        """Return why a file is not where it was: it was lost, or another profile of the destination has moved it."""
        (record,) = self._parts.state.contents([known.content])
        if record is None or (record.path, record.original_path) == (known.path, known.original_path):
            return "missing at the destination"
        paths = [path for path in (record.path, record.original_path) if path]
        return "missing at the destination" if self._parts.destination.missing(paths) else MOVED

    def _find_missing_papers(self, unchanged: list[tuple[MediaItem, ItemRecord]], work: list[Work]) -> None:
        """Turn items into work whose metadata files are gone, so that they are written as if they were new."""
        wanted = [
            name for form, name in (("json", metadata_path), ("xmp", _sidecar_path)) if form in self._parts.metadata
        ]
        missing = self._parts.destination.missing(name(known.path) for _, known in unchanged for name in wanted)
        lacking = [pair for pair in unchanged if any(name(pair[1].path) in missing for name in wanted)]
        records = self._parts.state.contents([known.content for _, known in lacking])
        for (item, known), record in zip(lacking, records, strict=True):
            if record is not None and (record.profile, record.item) == (self._parts.profile, item.id):
                path = record.original_path or record.path
                work.append(Work(item=item, why=PAPERS_MISSING, known=known, original_at=path))
                unchanged.remove((item, known))


def _sidecar_path(path: str) -> str:
    return path + SIDECAR


def _permit(only: Permit, decisions: Decisions) -> None:
    """Take the work that is not permitted out of the decisions."""
    permitted: list[Work] = []
    for work in decisions.work:
        verdict = only.verdict(work)
        if verdict is None:
            permitted.append(work)
        elif verdict.outcome is Outcome.FAILED:
            decisions.refused.append((work.item, verdict.reason))
        else:
            decisions.filtered.append((work.item, verdict.reason))
    decisions.work = permitted


def decide_all(parts: RunParts, account: Account) -> Iterator[Decisions]:
    """Scan the source to its end and yield decisions, some hundred items at a time, within the run's limit."""
    planner = Planner(parts)
    items = parts.source.scan(parts.select)
    left = parts.limit
    while not parts.is_ending and (chunk := _some(items)):
        account.list_items(chunk)
        decisions = planner.decide(chunk)
        if left is not None:
            _cut(decisions, left)
            left -= len(decisions.work)
        yield decisions
    account.read_to_end = not parts.is_ending
    if planner.remakes is not None and account.read_to_end:
        yield from _decide_unlisted(planner.remakes, left, parts.only)
        account.warn(planner.remakes.warnings())
    if parts.only is not None and account.read_to_end:
        account.warn(parts.only.remarks())


def _cut(decisions: Decisions, left: int) -> None:
    """Take the work beyond the run's limit out of the decisions; what is there already stays as it is."""
    for work in decisions.work[left:]:
        if work.known is not None and (work.why == PAPERS_MISSING or _is_only_remake(work, work.known)):
            decisions.unchanged.append((work.item, work.known))
        else:
            decisions.filtered.append((work.item, LIMIT_RULE))
    del decisions.work[left:]


def _is_only_remake(work: Work, known: ItemRecord) -> bool:
    return work.why == REMAKE and work.item.metadata_token == known.metadata_token


def _decide_unlisted(remakes: Remakes, left: int | None, only: Permit | None) -> Iterator[Decisions]:
    permitted = (work for work in remakes.unlisted() if only is None or only.verdict(work) is None)
    works = islice(permitted, left)
    while chunk := list(islice(works, LOOK_UP)):
        yield Decisions([], [], [], chunk)


def _some(items: Iterator[MediaItem]) -> list[MediaItem]:
    """Return the next items; fewer where they are large, so that none waits for many others to be listed."""
    found: list[MediaItem] = []
    size = 0
    for item in islice(items, LOOK_UP):
        found.append(item)
        size += item.size or 0
        if size >= BATCH_BYTES:
            break
    return found


def plan(parts: RunParts, account: Account) -> Generator[Batch, None, None]:
    """Scan, account for what needs no work, and yield the rest in batches."""
    batch: Batch = []
    size = 0
    for decisions in decide_all(parts, account):
        account.count_unchanged(decisions.unchanged)
        account.count_filtered(decisions.filtered)
        account.count_refused(decisions.refused)
        for work in decisions.work:
            batch.append(work)
            size += work.item.size or 0
            if len(batch) >= BATCH_ITEMS or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
    if batch and not parts.is_ending:
        yield batch
