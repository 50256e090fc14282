"""Letting a run do what a plan says, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from syncengine.engine.clean_text import encoded_lines
from syncengine.engine.parts import Verdict
from syncengine.engine.saved_plan.actions import Action, action_of
from syncengine.engine.saved_plan.document import SavedPlan
from syncengine.engine.sorted_lines import SortedLines
from syncengine.engine.work import Work
from syncengine.model import Outcome

_SIZE = 16
#: What the planner decides about items; moves follow from the state, which nobody else changes meanwhile.
_ON_ITEMS = frozenset({"store", "update", "remake"})
_CHANGED = "it is not as it was when the plan was made, so it was left alone; make a new plan"


class Approval:
    """Permits what a plan lists; holds some 32 bytes for each action.

    Args:
        plan: that was found whole, and that fits.
        scratch: a directory for temporary files.
    """

    def __init__(self, plan: SavedPlan, scratch: Path) -> None:
        self._encoder = msgspec.json.Encoder()
        self._works = _Digests(map(self._as_decided, self._on_items(plan)), scratch)
        self._ids = _Digests((self._about(action.id) for action in self._on_items(plan)), scratch)
        removed = (action for action in plan.actions() if action.action == "remove")
        self._removed = _Digests((self._about(action.id) for action in removed), scratch)
        self._met = 0

    def verdict(self, work: Work) -> Verdict | None:
        """Return what becomes of an item that the run would work on, or ``None`` when the plan has that very action."""
        action = action_of(work)
        if self._as_decided(action) in self._works:
            self._met += 1
            return None
        if self._about(action.id) in self._ids:
            self._met += 1
            return Verdict(Outcome.FAILED, _CHANGED)
        return Verdict(Outcome.FILTERED, "not in the plan")

    def unmet(self) -> int:
        """Return how many items that the plan would work on were not listed."""
        return len(self._ids) - self._met

    def remarks(self) -> Iterable[str]:
        """Return that some of the plan's actions met no item, if so."""
        if unmet := self.unmet():
            yield f"{unmet:,} actions of the plan met no item, which left the source since; nothing was done for them"

    def may_remove(self, item: str) -> bool:
        """Return whether the plan has the file of an item go to the trash."""
        return self._about(item) in self._removed

    def _on_items(self, plan: SavedPlan) -> Iterator[Action]:
        return (action for action in plan.actions() if action.action in _ON_ITEMS)

    def _as_decided(self, action: Action) -> bytes:
        """Return what is compared: not where a file is, since the run may have moved it before it comes to the item."""
        return encoded_lines(self._encoder, [msgspec.structs.replace(action, path="", to="")])

    def _about(self, item: str) -> bytes:
        return encoded_lines(self._encoder, [item])


class _Digests:
    """A set of texts that can be asked whether it holds one, in 16 bytes for each.

    Args:
        texts: the members.
        scratch: a directory for temporary files.
    """

    def __init__(self, texts: Iterable[bytes], scratch: Path) -> None:
        self._sorted = bytearray()
        with closing(SortedLines(scratch)) as lines:
            for text in texts:
                lines.add(_digest(text).hex().encode() + b"\n")
            for digest in _distinct(lines):
                self._sorted += bytes.fromhex(digest.decode())

    def __len__(self) -> int:
        return len(self._sorted) // _SIZE

    def __contains__(self, text: bytes) -> bool:
        wanted = _digest(text)
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._sorted[middle * _SIZE : (middle + 1) * _SIZE] < wanted:
                low = middle + 1
            else:
                high = middle
        return self._sorted[low * _SIZE : (low + 1) * _SIZE] == wanted


def _distinct(lines: Iterable[bytes]) -> Iterator[bytes]:
    before = b""
    for line in lines:
        if line != before:
            yield line.rstrip()
            before = line


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=_SIZE).digest()
