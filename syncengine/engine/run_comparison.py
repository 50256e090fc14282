"""What became of a library between two runs, from the ledgers of both and of all that lie between them.

A ledger has a line for every item that its run listed, a million of them in a large library. They are sorted on disk by
item, so memory does not grow with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal

import msgspec

from syncengine.api import LedgerLine, Outcome
from syncengine.engine.sorted_lines import SortedLines

Change = Literal["new", "changed", "updated", "gone", "newly failing", "still failing", "fixed", "left out"]

CHANGES: tuple[Change, ...] = (
    "new", "changed", "updated", "gone", "newly failing", "still failing", "fixed", "left out",
)  # fmt: skip
#: So many items of each kind are named.
NAMED = 100

_KEPT = frozenset({Outcome.STORED, Outcome.UNCHANGED, Outcome.DUPLICATE, Outcome.UPDATED})

#: How an item that was not kept both times changed, by what it was and what it is; ``None`` is not listed.
_ENDS: dict[tuple[str, str], Change] = {
    ("kept", "None"): "gone",
    ("failed", "None"): "gone",
    ("kept", "filtered"): "left out",
    ("kept", "failed"): "newly failing",
    ("filtered", "failed"): "newly failing",
    ("None", "failed"): "newly failing",
    ("failed", "failed"): "still failing",
    ("failed", "kept"): "fixed",
    ("None", "kept"): "new",
    ("filtered", "kept"): "new",
}


class ChangedItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item that is not as it was: its id and name, where it is at the destination, and why."""

    id: str
    name: str
    path: str = ""
    reason: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What is different after a run, from what was so after an earlier one.

    Args:
        since: the earlier run.
        run: the later run.
        counts: how many items are new (kept now, not listed or left out then), changed (bytes), updated (metadata),
            gone (listed then, not now), newly failing, still failing, fixed (failed then, kept now), left out (kept
            then, filtered now).
        items: the first hundred of each.
        remarks: what could not be found out, and what that means for the numbers.
    """

    since: str
    run: str
    counts: dict[Change, int]
    items: dict[Change, list[ChangedItem]]
    remarks: tuple[str, ...]


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    """One item in one run; ids are compared as JSON, which orders them all the same way."""

    id: str
    place: int
    outcome: Outcome
    name: str
    path: str
    reason: str


class Comparing:
    """Takes ledgers, oldest first, and compares the first with the last.

    Args:
        lines: sorts; empty.
        last: the place of the last ledger.
    """

    def __init__(self, lines: SortedLines, last: int) -> None:
        self._lines = lines
        self._last = last

    def add(self, place: int, ledger: Iterable[bytes]) -> None:
        """Take a ledger's lines.

        Args:
            place: 0 for the earliest run, 1 for the next.
            ledger: lines of JSON.

        Raises:
            msgspec.MsgspecError: a line is damaged.
        """
        decode, encode = msgspec.json.Decoder(LedgerLine).decode, msgspec.json.Encoder().encode
        wanted = None if place in (0, self._last) else {Outcome.STORED, Outcome.UPDATED}
        for raw in ledger:
            line = decode(raw)
            if wanted is None or line.outcome in wanted:
                entry = _Entry(line.id, place, line.outcome, line.name, line.path, line.reason)
                self._lines.add(encode(line.id) + b"\0%06d" % place + b"\0" + encode(entry) + b"\n")

    def changes(self) -> tuple[Counter[Change], dict[Change, list[ChangedItem]]]:
        """Return how many items are different in which way, and the first of each, by id."""
        counts: Counter[Change] = Counter()
        named: dict[Change, list[ChangedItem]] = {}
        entries = map(_decoded, self._lines)
        for _, group in groupby(entries, key=lambda entry: entry.id):
            history = list(group)
            change = self._change(history)
            if change is None:
                continue
            counts[change] += 1
            if len(first := named.setdefault(change, [])) < NAMED:
                at = history[-1]
                first.append(ChangedItem(id=at.id, name=at.name, path=at.path, reason=at.reason))
        return counts, named

    def _change(self, history: list[_Entry]) -> Change | None:
        then = history[0].outcome if history[0].place == 0 else None
        now = history[-1].outcome if history[-1].place == self._last else None
        if then in _KEPT and now in _KEPT:
            since = {entry.outcome for entry in history if entry.place > 0}
            return "changed" if Outcome.STORED in since else "updated" if Outcome.UPDATED in since else None
        return _ENDS.get((_kind(then), _kind(now)))


def _kind(outcome: Outcome | None) -> str:
    return "kept" if outcome in _KEPT else str(outcome)


def _decoded(line: bytes) -> _Entry:
    return msgspec.json.decode(line.rpartition(b"\0")[2], type=_Entry)


def remarks_on(since_complete: bool, run_complete: bool, lost: Iterable[str]) -> Iterator[str]:
    """Yield what the numbers cannot say.

    Args:
        since_complete: the earlier run listed everything and came to its end.
        run_complete: the later one did.
        lost: the runs between them whose ledgers are not at the destination.
    """
    for run in lost:
        yield f"the ledger of run {run} is not at the destination; what only that run changed or updated is not counted"
    if not since_complete:
        yield "the earlier run was not complete: some of what counts as new may have been there already"
    if not run_complete:
        yield "the later run was not complete: what it did not come to counts as gone, and may be there all the same"
