"""A plan in the making: what a run would do, passed on as it is decided, and summed up at its end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import Any

import msgspec

from syncengine.api import Inventory, ItemError, MediaItem, Source
from syncengine.engine.account import Account
from syncengine.engine.departures import Departures
from syncengine.engine.keeping_up import is_rezoned, outdated
from syncengine.engine.mirroring import rehearse_mirror
from syncengine.engine.parts import RunParts
from syncengine.engine.planning import Decisions, decide_all
from syncengine.engine.ports import State
from syncengine.engine.relayout import Layouts, Relayout
from syncengine.engine.saved_plan.actions import Action, actions_of, move_of, removal_of
from syncengine.engine.saved_plan.facts import PlannedSource, Tail, Totals
from syncengine.engine.work import METADATA_ONLY
from syncengine.records import ContentRecord


class Draft:
    """Decides about every item, and keeps the sums.

    Args:
        parts: a rehearsal's.
        account: of the rehearsal; it is not written to.
    """

    def __init__(self, parts: RunParts, account: Account) -> None:
        self._parts = parts
        self._account = account
        self._items = 0
        self._listing = hashlib.sha256()
        self._actions: Counter[str] = Counter()
        self._bytes = self._unsized = self._unchanged = self._filtered = 0
        self._albums = ""
        self.inventory = Inventory(complete=False)

    def decisions(self) -> Iterator[tuple[list[Action], Decisions]]:
        """Scan the source to its end and yield what is to be done with some items at a time.

        Raises:
            FatalError: the source cannot be listed.
        """
        for decisions in decide_all(self._parts, self._account):
            actions = list(actions_of(decisions))
            self._count(actions, decisions)
            yield actions, decisions
        if not self._account.read_to_end:
            return
        self.inventory = self._parts.source.inventory()
        self._albums = _albums_of(self._parts.source)
        nothing = Decisions([], [], [], [])
        for actions in chain(self._moves(), self._removals()):
            self._count(actions, nothing)
            yield actions, nothing

    def remarks(self) -> list[str]:
        """Return what a person should know beside the actions, once all were taken."""
        upkeep, removals = self._parts.upkeep, self._account.removals
        before = upkeep.before(self._parts.destination.identity)
        found = [f"mirror: {text}" for text in (removals.refused, removals.in_doubt) if text]
        if self._account.read_to_end and (before is None or not before.is_by(self._parts.setup)):
            left = outdated(self._parts, before)
            # What is done about it stands among the actions.
            older, elsewhere = 0 if upkeep.remake else left.older, 0 if upkeep.relayout else left.elsewhere
            found += msgspec.structs.replace(left, older=older, elsewhere=elsewhere).sentences()
        return found

    def _moves(self) -> Iterator[list[Action]]:
        """Yield what is to be brought to where the layout wants it."""
        parts, left = self._parts, self._parts.limit
        if not parts.upkeep.relayout:
            return
        layouts = Layouts(parts)
        relayout = Relayout(
            parts, layouts, rezoned=is_rezoned(parts.setup, parts.upkeep.before(parts.destination.identity))
        )
        for page in layouts.own():
            if left == 0:
                return
            changes = relayout.changes(page, rebuild=True, most=left)
            left = max(0, left - len(changes)) if left is not None else None
            yield [move_of(change) for change in changes]

    def _removals(self) -> Iterator[list[Action]]:
        """Yield what goes to the trash, if that may be."""
        parts, account = self._parts, self._account
        rehearse_mirror(parts, account, self.inventory)
        if parts.mirror is None or account.removals.refused or account.listing is None:
            return
        with closing(
            Departures(parts.state, parts.profile, parts.destination, account.listing, parts.staging)
        ) as departures:
            unsure = departures.unsure()
            for one in departures:
                if one.record is not None and one.leaves and one.content not in unsure:
                    yield [removal_of(one.items[0], one.record)]

    def tail(self) -> Tail:
        """Return the sums; whole once all decisions were taken."""
        return Tail(
            source=PlannedSource(
                plugin=self._parts.source_label,
                items=self._items,
                sha256=self._listing.hexdigest(),
                albums=self._albums,
                complete=self._account.read_to_end and self.inventory.complete,
                missing=self.inventory.missing,
            ),
            totals=Totals(
                actions=dict(self._actions),
                bytes=self._bytes,
                unsized=self._unsized,
                unchanged=self._unchanged,
                filtered=self._filtered,
            ),
        )

    def _count(self, actions: Sequence[Action], decisions: Decisions) -> None:
        self._items += len(decisions.listed)
        self._listing.update(_tokens(decisions.listed))
        self._unchanged += len(decisions.unchanged)
        self._filtered += len(decisions.filtered)
        for action in actions:
            self._actions[action.action] += 1
        for work in decisions.work:
            if work.why not in METADATA_ONLY and not work.original_at:
                self._bytes += work.item.size or 0
                self._unsized += work.item.size is None


def _tokens(items: Sequence[MediaItem]) -> bytes:
    """Return what tells a listing from another one."""
    text = "".join([f"{item.id}\0{item.content_token}\0{item.metadata_token}\n" for item in items])
    return text.encode("utf-8", "surrogatepass")


def _albums_of(source: Source[Any]) -> str:
    """Return a SHA-256 as hex over what a source says of its albums; empty when it does not say."""
    digest = hashlib.sha256()
    try:
        for album in source.albums():
            text = f"{album.id}\0{album.title}\0{album.description}\n"
            digest.update(text.encode("utf-8", "surrogatepass"))
    except ItemError:
        return ""
    return digest.hexdigest()


def contents_of(state: State) -> tuple[int, str]:
    """Return how many files are remembered at a destination, and a SHA-256 over their keys and paths as hex."""
    count, digest = 0, hashlib.sha256()
    for record in state.all_contents():
        count += 1
        _add(digest, record)
    return count, digest.hexdigest()


def _add(digest: Any, record: ContentRecord) -> None:
    digest.update(b"%b%b\0%b\n" % (record.content, record.path.encode(), record.original_path.encode()))
