"""Mirror: what left the source leaves the library as well, for the trash; see ``docs/decisions/safe-mirror.md``.

Decided on a complete listing only, by the items' ids, when everything else of the run is recorded. What is to be moved
is written down at the destination before the first file moves, and forgotten by the state when the moves are durable:
a run that is killed in between is undone by ``restoring.settle``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from syncengine.api import Destination, Inventory, ItemError, TargetExistsError
from syncengine.engine import trash
from syncengine.engine.account import Account
from syncengine.engine.departures import Departure, Departures, Holder
from syncengine.engine.papers import Papers
from syncengine.engine.parts import RunParts
from syncengine.engine.ports import State
from syncengine.engine.reconciling import reconcile
from syncengine.engine.recording import Recorder
from syncengine.engine.removals import LEFT, Mirror, Removals
from syncengine.engine.stale_links import StaleLinks
from syncengine.engine.trash import Entry, Trash, TrashedFile
from syncengine.errors import InterruptedRunError
from syncengine.records import ContentRecord, ItemRecord, StateBatch

#: Contents that are moved, made durable and forgotten together.
_BATCH = 250
#: So many files that stay in doubt are named.
_MOST_NAMED = 3
#: A metadata token that no source gives: the next run takes over what the source says of the item.
_OTHER_METADATA = "\0"


def mirror(parts: RunParts, account: Account, recorder: Recorder, inventory: Inventory) -> None:
    """Move to the trash what left the source, and empty the trash of what it held for long enough.

    Args:
        parts: the run.
        account: says what was removed, or why nothing was.
        recorder: makes it durable.
        inventory: what the source says of its listing.

    Raises:
        FatalError: the destination or the state cannot go on; the next run undoes what was not recorded.
        InterruptedRunError: the run is asked to end.
    """
    if parts.mirror is None:
        return
    removals = account.removals
    removals.refused = _objection(parts, account, inventory)
    if removals.refused or account.listing is None:
        return
    with closing(
        Departures(parts.state, parts.profile, parts.destination, account.listing, parts.staging)
    ) as departures:
        _note_doubtful(departures, account)
        unsure = departures.unsure()
        leaving = sum(1 for one in departures if one.leaves and one.content not in unsure)
        removals.refused = _over_budget(parts.mirror, departures, leaving)
        if removals.refused:
            _show(departures, unsure, removals)
            return
        _Remover(parts, account, recorder, unsure).remove(departures)
    if parts.only is not None or removals.refused:  # A plan does not have it.
        return
    try:
        removals.emptied = expire(parts.destination, parts.state, parts.mirror.trash_days)
        account.warn(f"{line.text()}: see 'syncengine trash list PROFILE'" for line in trash.damage(parts.destination))
    except ItemError as error:
        account.warn([f"the trash could not be looked through: {error}"])


def rehearse_mirror(parts: RunParts, account: Account, inventory: Inventory) -> None:
    """Say what ``mirror`` would move to the trash, and do nothing."""
    if parts.mirror is None:
        return
    removals = account.removals
    removals.refused = _objection(parts, account, inventory)
    if removals.refused or account.listing is None:
        return
    with closing(
        Departures(parts.state, parts.profile, parts.destination, account.listing, parts.staging)
    ) as departures:
        _note_doubtful(departures, account)
        _show(departures, departures.unsure(), removals)
        removals.refused = _over_budget(parts.mirror, departures, removals.count)


def expire(destination: Destination[Any], state: State, days: int) -> int:
    """Remove for good what its entry says is in the trash for more than so many days; return how many contents."""
    latest = datetime.now(UTC) - timedelta(days=days)
    emptied = 0
    for run in trash.runs(destination):
        old = [held for held in trash.entries(destination, run) if _is_older(held, latest)]
        for held in old:
            if is_undone(destination, state, held):
                continue
            emptied += bool(trash.drop(destination, held))
        if old:
            trash.tidy(destination, run)
    return emptied


def is_undone(destination: Destination[Any], state: State, held: trash.Held) -> bool:
    """Whether the state has a content that is in the trash and nowhere else: a run was killed while it moved it."""
    if held.record is None:
        return False
    (known,) = state.contents([held.record.content])
    return known is not None and bool(destination.missing([known.path]))


def _is_older(held: trash.Held, than: datetime) -> bool:
    when = trash.put_at(held)
    return when is not None and when < than


def _objection(parts: RunParts, account: Account, inventory: Inventory) -> str:
    """Return why this run cannot tell what left the source, or nothing."""
    doubt = next(_doubts(parts, account, inventory), "")
    return f"nothing was removed: {doubt}" if doubt else ""


def _doubts(parts: RunParts, account: Account, inventory: Inventory) -> Iterator[str]:
    if not account.read_to_end:
        yield "the source was not listed to its end"
    if not inventory.complete:
        first = f" ({inventory.missing[0]})" if inventory.missing else ""
        yield f"the source could not list everything{first}; run again when it can"
    numbers = reconcile(account.listed, {"listed": account.listed}, inventory)
    yield from (f"the source's numbers do not agree: {text}" for text in numbers.disagreements)
    if inventory.partial:
        yield "the source lists a part of the library only, which does not tell what left it"
    if parts.source.lets_go:
        yield "this source lets go of what was verified, so what it does not list has not left it"
    if not account.listed and next(iter(parts.state.all_items()), None) is not None:
        yield "the source is empty, and was not before; see that it is the right one"


def _over_budget(rule: Mirror, departures: Departures, leaving: int) -> str:
    """Return what to say when more left than one run may remove."""
    if rule.budget is None or leaving <= (most := rule.budget.most(departures.stored)):
        return ""
    return (
        f"nothing was removed: {leaving:,} of {departures.stored:,} stored files left the source, and one run may "
        f"remove {most:,} (max_delete: {rule.budget.text()}); if that is right, run again with --yes or "
        f"--max-delete {leaving}"
    )


def _note_doubtful(departures: Iterable[Departure], account: Account) -> None:
    """Say which files stay because their holders are a guess, and what to do."""
    count, first = 0, list[str]()
    for one in departures:
        if one.record is not None and one.is_in_doubt:
            count += 1
            first += [one.record.path] if len(first) < _MOST_NAMED else []
    if count:
        named = f"{', '.join(first)}{', ...' if count > len(first) else ''}"
        left = f"{count:,} files left the source and stay" if count > 1 else "1 file left the source and stays"
        account.removals.in_doubt = (
            f"{left} ({named}): the state was made again without the whole catalog, so nobody can tell whether another "
            "profile holds them as well; delete by hand what is to go, or, if no other profile backs up there, say so "
            "with 'syncengine state rebuild PROFILE --alone'"
        )
        account.warn([account.removals.in_doubt])


def _show(departures: Iterable[Departure], unsure: set[bytes], removals: Removals) -> None:
    for one in departures:
        if one.record is not None and one.leaves and one.content not in unsure:
            removals.add(one.items[0], one.record.name, one.record.path)


class _Remover:
    """Moves contents to the trash.

    Args:
        parts: the run.
        account: says what was removed.
        recorder: makes it durable.
        unsure: contents that stay this time.
    """

    def __init__(self, parts: RunParts, account: Account, recorder: Recorder, unsure: set[bytes]) -> None:
        self._parts = parts
        self._account = account
        self._recorder = recorder
        self._unsure = unsure
        self._trash = Trash(parts.destination, parts.run)
        self._links = StaleLinks(parts, parts.albums)
        self._when = datetime.now(UTC).isoformat(timespec="seconds")

    def remove(self, departures: Departures) -> None:
        """Write down what is to be moved, move it, forget it; a batch at a time."""
        self._account.removals.refused = self._write_entries(departures)
        if self._account.removals.refused:
            return
        contents = iter(departures)
        while batch := list(islice(contents, _BATCH)):
            if self._parts.is_ending:
                raise InterruptedRunError
            self._remove_batch(batch)
        if self._unsure:
            text = "left the source and stay for now: an item of the same name could not be stored, and may be the same"
            self._account.warn([f"{len(self._unsure):,} photos {text}"])

    def _write_entries(self, departures: Departures) -> str:
        """Make durable what is to be moved; return what is in the way of that, if anything."""
        leaving = {one.content for one in departures if self._goes(one)}
        if not leaving:
            return ""
        prints = self._fingerprints(leaving)
        papers = Papers(self._parts.destination, self._parts.staging)
        with papers.stage(self._trash.entries).open("wb") as target:
            for one in departures:
                if one.record is not None and self._goes(one):
                    target.write(trash.encode(self._entry(one, one.record, prints)))
        refused = papers.place()
        return f"nothing was removed: {refused[0]}" if refused else ""

    def _goes(self, departure: Departure) -> bool:
        only = self._parts.only
        permitted = only is None or only.may_remove(departure.items[0])
        return permitted and departure.leaves and departure.content not in self._unsure

    def _fingerprints(self, contents: set[bytes]) -> dict[bytes, list[tuple[str, bytes, bytes]]]:
        """Return the fingerprints of some contents: without them nothing would be recognised as their copy again."""
        found: dict[bytes, list[tuple[str, bytes, bytes]]] = {}
        for dedup in self._parts.deduplicators:
            for fingerprint, content in self._parts.state.fingerprints(dedup.method).entries():
                if content in contents:
                    found.setdefault(content, []).append((dedup.method, fingerprint, content))
        return found

    def _entry(
        self, departure: Departure, record: ContentRecord, prints: dict[bytes, list[tuple[str, bytes, bytes]]]
    ) -> Entry:
        known = zip(departure.items, self._parts.state.items(departure.items), strict=True)
        batch = StateBatch(
            contents=[record],
            items=[(identity, item) for identity, item in known if item is not None],
            fingerprints=prints.get(record.content, []),
        )
        return trash.entry_of(record, self._files(record), batch, self._parts.profile, why=LEFT, when=self._when)

    def _files(self, record: ContentRecord) -> tuple[TrashedFile, ...]:
        """Return the files of a content that are there, each with its place in the trash."""
        files = []
        for path in trash.files_of(record):
            with suppress(ItemError):  # Behind a link that somebody made: it stays where it is.
                if (there := self._parts.destination.stat(path)) is not None:
                    files.append(TrashedFile(path=path, trashed=self._trash.free_place(path), size=there.size))
        return tuple(files)

    def _remove_batch(self, batch: list[Departure]) -> None:
        change = StateBatch(gone_items=[], gone_contents=[], contents=[], items=[])
        gone: list[ContentRecord] = []
        for one in batch:
            if one.record is None:
                change.gone_items += one.items
            elif one.heir is not None:
                self._pass_on(one, one.record, one.heir, change)
            elif self._goes(one) and self._move(one.record):
                change.gone_items += one.items
                change.gone_contents.append(one.content)
                gone.append(one.record)
                self._account.removals.add(one.items[0], one.record.name, one.record.path)
        self._parts.destination.flush()
        if change == StateBatch():
            return
        self._recorder.journal.commit(change)
        self._recorder.changed = True
        for record in gone:
            self._recorder.albums.update(album.id for album in record.albums)
            for path in trash.files_of(record):
                with suppress(ItemError):
                    self._parts.destination.prune(path)

    def _pass_on(self, departure: Departure, record: ContentRecord, heir: Holder, change: StateBatch) -> None:
        """Let an item that is still listed hold a content instead of those that left."""
        gone = {(self._parts.profile, identity) for identity in departure.items}
        change.gone_items += departure.items
        if not heir.is_same:  # Its own bytes are nowhere: the file stays what it is, and it a copy that was recognised.
            copies = tuple(copy for copy in record.copies if copy[:2] not in gone)
            change.contents.append(msgspec.structs.replace(record, copies=copies))
            return
        change.contents.append(
            msgspec.structs.replace(
                record,
                profile=heir.profile,
                item=heir.id,
                name=heir.name,
                copies=tuple(copy for copy in record.copies if copy[:2] not in gone | {(heir.profile, heir.id)}),
            )
        )
        if (heir.profile, heir.id) == (record.profile, record.item) or heir.profile != self._parts.profile:
            return
        (known,) = self._parts.state.items([heir.id])
        if known is not None and known.content == record.content:
            change.items.append((heir.id, _as_owner(known)))

    def _move(self, record: ContentRecord) -> bool:
        """Move a content's files to the trash; return whether the photo or video itself is there now."""
        try:
            there = self._parts.destination.stat(record.path)
        except ItemError as error:
            self._account.warn([f"{record.path} left the source and stays: {error}"])
            return False
        if there is not None and there.size != record.stored_size:
            self._account.warn(
                [f"{record.path} left the source and stays: it has been changed at the destination since it was stored"]
            )
            return False
        self._links.take_down(record, record.path)
        for file in self._files(record):
            try:
                self._parts.destination.move(file.path, file.trashed)
            except (ItemError, TargetExistsError, FileNotFoundError) as error:
                self._account.warn([f"{file.path} left the source and could not be moved to the trash: {error}"])
                if file.path == record.path:
                    self._recorder.albums.update(album.id for album in record.albums)
                    return False
        return True


def _as_owner(known: ItemRecord) -> ItemRecord:
    """Return the record of an item that was a copy and now is what the file was stored for."""
    return msgspec.structs.replace(known, outcome="stored", method="", metadata_token=_OTHER_METADATA)
