"""A plan in the making: what a run would do, passed on as it is decided, and summed up at its end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from syncengine.api import Inventory, MediaItem
from syncengine.engine.account import Account
from syncengine.engine.parts import RunParts
from syncengine.engine.planning import Decisions, decide_all
from syncengine.engine.ports import State
from syncengine.engine.saved_plan.actions import Action, actions_of
from syncengine.engine.saved_plan.document import PlannedSource, Tail, Totals
from syncengine.records import ContentRecord

#: What brings bytes from the source.
_FETCHING = frozenset({"store", "remake"})


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
        self.inventory = self._parts.source.inventory()

    def tail(self) -> Tail:
        """Return the sums; whole once all decisions were taken."""
        return Tail(
            source=PlannedSource(
                plugin=self._parts.source_label,
                items=self._items,
                sha256=self._listing.hexdigest(),
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
            if action.action in _FETCHING:
                self._bytes += action.size or 0
                self._unsized += action.size is None


def _tokens(items: Sequence[MediaItem]) -> bytes:
    """Return what tells a listing from another one."""
    text = "".join([f"{item.id}\0{item.content_token}\0{item.metadata_token}\n" for item in items])
    return text.encode("utf-8", "surrogatepass")


def contents_of(state: State) -> tuple[int, str]:
    """Return how many files are remembered at a destination, and a SHA-256 over their keys and paths as hex."""
    count, digest = 0, hashlib.sha256()
    for record in state.all_contents():
        count += 1
        _add(digest, record)
    return count, digest.hexdigest()


def _add(digest: Any, record: ContentRecord) -> None:
    digest.update(b"%b%b\0%b\n" % (record.content, record.path.encode(), record.original_path.encode()))
