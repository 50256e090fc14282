"""Whether the world is still the one that a plan was made for, and if not, what is different."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice, zip_longest
from pathlib import Path

import msgspec

from syncengine.engine.saved_plan.actions import Action
from syncengine.engine.saved_plan.document import SavedPlan
from syncengine.engine.saved_plan.facts import PlannedDestination, PlannedProfile, PlannedSource
from syncengine.engine.sorted_lines import SortedLines

#: So many different items or keys are named; the others are counted by nobody, since a plan may hold a million.
_NAMED = 3

_Pair = tuple[Action | None, Action | None]


def profile_changes(then: PlannedProfile, now: PlannedProfile) -> list[str]:
    """Return what is different in the profile, a sentence each."""
    if then.name != now.name:
        return [f"{now.path} is profile {now.name} now, and was {then.name}"]
    keys = sorted(key for key in {*then.settings, *now.settings} if then.settings.get(key) != now.settings.get(key))
    if keys:
        return [f"profile {now.name} changed: {_listed(keys)}"]
    if then.sha256 != now.sha256:
        return [f"{now.path} was edited, although no value in it differs that decides what is done"]
    return []


def destination_changes(then: PlannedDestination, now: PlannedDestination) -> list[str]:
    """Return what is different at the destination, a sentence each."""
    if then.identity != now.identity or (not then.identity and then.location != now.location):
        return [_other_destination(then, now)]
    if then.last_run != now.last_run:
        return [f"run {now.last_run or 'none'} is the profile's last one now, and was {then.last_run or 'none'}"]
    if then.contents != now.contents:
        return [f"{now.location} holds {now.contents:,} files of the library now, and held {then.contents:,}"]
    if then.sha256 != now.sha256:
        return [f"{now.location} holds other files of the library than it did"]
    return []


def _other_destination(then: PlannedDestination, now: PlannedDestination) -> str:
    if not now.identity and then.identity:
        return f"there is no destination at {now.location}"
    if not then.identity and then.location == now.location:
        return f"there is a destination at {now.location} now, where there was none"
    return f"{now.location} is another destination than {then.location} was"


def source_changes(then: PlannedSource, now: PlannedSource) -> list[str]:
    """Return what is different in the source as a whole, a sentence each."""
    if then.items != now.items:
        return [f"the source lists {now.items:,} items now, and listed {then.items:,}"]
    if then.sha256 != now.sha256:
        return ["the source lists other items than it did, or in another order"]
    if then.albums != now.albums:
        return ["the source has other albums than it had, or says something else of one"]
    if (then.complete, then.missing) != (now.complete, now.missing):
        return ["other parts of the source are missing than were"]
    return []


def action_changes(then: SavedPlan, now: SavedPlan, scratch: Path) -> list[str]:
    """Return the first few actions that are different, a sentence each, in memory that does not grow with the plans.

    Args:
        then: the plan as it was made.
        now: the plan as it would be made now.
        scratch: a directory for temporary files.
    """
    if all(one == other for one, other in zip_longest(then.lines(), now.lines())):
        return []
    different = _different(then, now, scratch)
    named = [_sentence(*pair) for pair in islice(different, _NAMED)]
    if next(different, None) is not None:
        named.append("and more")
    return named or ["the actions are the same in another order"]


def _different(then: SavedPlan, now: SavedPlan, scratch: Path) -> Iterator[_Pair]:
    with closing(SortedLines(scratch)) as before, closing(SortedLines(scratch)) as after:
        for plan, lines in ((then, before), (now, after)):
            for line in plan.lines():
                lines.add(_keyed(line))
        for one, other in _side_by_side(iter(before), iter(after)):
            if one != other:
                yield _action(one), _action(other)


def _keyed(line: bytes) -> bytes:
    """Return an action's line with what it is about before it; JSON never holds the byte that parts them."""
    action = msgspec.json.decode(line, type=Action)
    return msgspec.json.encode([action.id, action.action]) + b"\0" + line + b"\n"


def _side_by_side(before: Iterator[bytes], after: Iterator[bytes]) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Yield the lines of two sorted iterables, those of one key together."""
    one, other = next(before, None), next(after, None)
    while one is not None or other is not None:
        key, second = _key(one), _key(other)
        if second is None or (key is not None and key < second):
            yield one, None
            one = next(before, None)
        elif key is None or second < key:
            yield None, other
            other = next(after, None)
        else:
            yield one, other
            one, other = next(before, None), next(after, None)


def _key(line: bytes | None) -> bytes | None:
    return line.partition(b"\0")[0] if line is not None else None


def _action(line: bytes | None) -> Action | None:
    return msgspec.json.decode(line.partition(b"\0")[2], type=Action) if line is not None else None


def _sentence(then: Action | None, now: Action | None) -> str:
    if then is None:
        assert now is not None  # nosec B101: one of a pair is there
        return f"{now.label} is to be {_done(now)} now ({now.reason})"
    if now is None:
        return f"{then.label} is not to be {_done(then)} any more"
    if (then.content_token, then.metadata_token) != (now.content_token, now.metadata_token):
        return f"{then.label} changed"
    return f"{then.label} is to be {_done(now)} for another reason ({now.reason})"


def _done(action: Action) -> str:
    return {"store": "stored", "update": "updated", "remove": "removed", "move": "moved", "remake": "remade"}[
        action.action
    ]


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
