"""What a plan says is to be done, one action for each thing that a run would change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from syncengine.engine.changes import Change
from syncengine.engine.planning import Decisions
from syncengine.engine.removals import LEFT
from syncengine.engine.work import METADATA_ONLY, REMAKE, Work
from syncengine.records import ContentRecord

Verb = Literal["store", "update", "remove", "move", "remake"]


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One action; empty values are left out.

    Args:
        action: ``store`` (fetch and place, unless the bytes turn out to be there), ``update`` (metadata only),
            ``remove`` (into the trash), ``move`` (to another path, or with other metadata files), ``remake`` (store
            again by the profile's recipe).
        id: of the item in the source.
        name: its original name.
        reason: why.
        content_token: changes with the bytes, as the source listed it.
        metadata_token: changes with what is known of it, likewise.
        size: bytes, where the source knows.
        path: where the item's file is at the destination, when it is known to be there.
        to: for a move, where it will be.
    """

    action: Verb
    id: str
    name: str
    reason: str
    content_token: str = ""
    metadata_token: str = ""
    size: int | None = None
    path: str = ""
    to: str = ""

    @property
    def label(self) -> str:
        """Which item it is, for people: its path in the source where the id is one, else its name."""
        return self.id if self.id.endswith(f"/{self.name}") else self.name


def action_of(work: Work) -> Action:
    """Return what is to be done with an item, as a plan says it."""
    item, known = work.item, work.known
    return Action(
        action=_verb(work),
        id=item.id,
        name=item.name,
        reason=work.reason,
        content_token=item.content_token,
        metadata_token=item.metadata_token,
        size=item.size,
        path=known.path if known is not None else "",
    )


def _verb(work: Work) -> Verb:
    if work.why in METADATA_ONLY:
        return "update"
    return "remake" if work.why == REMAKE else "store"


def move_of(change: Change) -> Action:
    """Return what is to be done with a stored file that lies, or is described, as an older layout wanted it."""
    before, after = change.before, change.after
    moves = (before.path, before.original_path) != (after.path, after.original_path)
    return Action(
        action="move",
        id=before.item,
        name=before.name,
        reason="the layout wants it there" if moves else "the layout wants other metadata files, or another time",
        path=before.path,
        to=after.path,
    )


def removal_of(item: str, record: ContentRecord) -> Action:
    """Return that a file goes to the trash, since its item left the source."""
    return Action(action="remove", id=item, name=record.name, reason=LEFT, path=record.path)


def actions_of(decisions: Decisions) -> Iterator[Action]:
    """Yield all that is to be done with some listed items, in the order of the listing."""
    yield from map(action_of, decisions.work)
