"""The groups of copies, out of ``metadata/deduplication.json``: who was recognised as whose copy, by which method."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from syncengine.engine.listings import DEDUPLICATION
from syncengine.engine.metadata_file import united
from syncengine.engine.rebuilding.papers import text_lines
from syncengine.engine.rebuilding.task import RebuildTask
from syncengine.records import ContentRecord, StateBatch

_AT_ONCE = 200
#: The listing's last line, and how many of its lines are no groups: the first and the last.
_END, _FRAME = b"]}", 2


class _Kept(msgspec.Struct, frozen=True):
    path: str


class _Copy(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    profile: str
    method: str
    distance: int
    path: str = ""


class _Group(msgspec.Struct, frozen=True):
    kept: _Kept
    copies: tuple[_Copy, ...]


class _Listing:
    """The listing, read once from its beginning to its end.

    Args:
        task: the rebuilding.
    """

    def __init__(self, task: RebuildTask) -> None:
        self._task = task
        self._others = 0
        self._last = b""

    @property
    def is_whole(self) -> bool:
        """Whether all lines but the first and the last were groups, and the last one is the end; once it was read."""
        return self._others == _FRAME and self._last == _END

    def groups(self) -> Iterator[_Group]:
        """Yield the groups that can be read."""
        decoder = msgspec.json.Decoder(_Group)
        for line in text_lines(self._task, DEDUPLICATION):
            self._last = line.strip()
            try:
                yield decoder.decode(self._last.rstrip(b","))
            except (msgspec.MsgspecError, RecursionError):  # The last: nested too deeply.
                self._others += 1


def restore_groups(task: RebuildTask) -> bool:
    """Unite the records with the groups that the listing names; files that are not there are passed over.

    Returns:
        Whether the listing is there and whole.
    """
    listing = _Listing(task)
    groups = listing.groups()
    while chunk := list(islice(groups, _AT_ONCE)):
        task.check_stop()
        records = _records(task, chunk)
        changed: dict[bytes, ContentRecord] = {}
        for group in chunk:
            kept = records.get(group.kept.path)
            if kept is not None:
                _unite(kept, group, records, changed)
        if changed:
            task.write(StateBatch(contents=list(changed.values())))
    return listing.is_whole


def _records(task: RebuildTask, groups: list[_Group]) -> dict[str, ContentRecord]:
    """Return the records of all files that some groups name, by path."""
    paths = list(
        {path for group in groups for path in (group.kept.path, *(copy.path for copy in group.copies)) if path}
    )
    owners = task.shared.path_owners(paths)
    contents = task.shared.contents([owner for owner in owners if owner is not None])
    return {record.path: record for record in contents if record is not None}


def _unite(
    kept: ContentRecord, group: _Group, records: dict[str, ContentRecord], changed: dict[bytes, ContentRecord]
) -> None:
    for copy in group.copies:
        if not copy.path:
            before = changed.get(kept.content, kept)
            entry = (copy.profile, copy.id, copy.name, copy.method, copy.distance)
            changed[kept.content] = msgspec.structs.replace(before, copies=united(before.copies, (entry,)))
        elif (alike := records.get(copy.path)) is not None:
            before = changed.get(alike.content, alike)
            near = (kept.content, copy.method, copy.distance)
            changed[alike.content] = msgspec.structs.replace(before, near=united(before.near, (near,)))
