"""The first thing that a run does after the state was made again: destination and catalog follow what was found out."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from syncengine.api import ItemError, TargetExistsError
from syncengine.engine import metadata_file
from syncengine.engine.amendments import Amendment, Amendments
from syncengine.engine.changes import Change
from syncengine.engine.moved_papers import MovedPapers
from syncengine.engine.parts import RunParts
from syncengine.engine.rearranging import Rearranged, followers
from syncengine.engine.recorded_facts import has_facts
from syncengine.engine.recording import Recorder
from syncengine.engine.relayout import rebuilt
from syncengine.engine.trash import Trash
from syncengine.records import ContentRecord, ItemRecord, StateBatch

_AT_ONCE = 250
#: A metadata token that no source gives: the run takes over what the source says of the item.
_OTHER_METADATA = "\0"


def amend(parts: RunParts, recorder: Recorder) -> None:
    """Bring the papers of files that were found elsewhere to where these are, and journal what the catalog lacks.

    Killed before its end, the next run does it again.

    Raises:
        FatalError: the destination or the state cannot go on.
        OSError: so is the disk of the state directory.
    """
    amendments = Amendments(parts.upkeep.amendments_file(parts.destination.identity))
    amending = _Amending(parts, recorder)
    for page in amendments.pages(_AT_ONCE):
        if parts.is_ending:
            return
        with parts.exclusive():
            amending.take(page)
    amendments.clear()


class _Amending:
    """Carries amendments out.

    Args:
        parts: the run.
        recorder: makes it durable.
    """

    def __init__(self, parts: RunParts, recorder: Recorder) -> None:
        self._parts = parts
        self._recorder = recorder
        self._trash = Trash(parts.destination, parts.run)
        self._papers = MovedPapers(parts, self._trash)

    def take(self, page: list[Amendment]) -> None:
        """Carry some out; what the state says by now is what counts, another run may have changed it since."""
        for amendment in page:
            self._bring_back(amendment)
        keys = dict.fromkeys(one.moved.content if one.moved else one.content for one in page)
        known = {record.content: record for record in self._parts.state.contents([*filter(None, keys)]) if record}
        moved = [
            self._bring_papers(one.moved, known[one.moved.content], one.document)
            for one in page
            if one.moved is not None and one.moved.content in known
        ]
        self._parts.destination.flush()
        known.update((one.record.content, one.record) for one in moved)
        self._record(page, known, moved)
        for one in moved:
            self._papers.put_old_away(one)
        for amendment in page:
            self._put_away(amendment)
        self._parts.destination.flush()

    def _bring_back(self, amendment: Amendment) -> None:
        """Bring a file back that a killed run has put into the trash, unless it is back already."""
        destination = self._parts.destination
        with suppress(ItemError, FileNotFoundError, TargetExistsError):
            if amendment.back_to and destination.stat(amendment.trashed) is not None:
                if destination.stat(amendment.back_to) is not None:
                    self._trash.put(amendment.back_to)
                destination.move(amendment.trashed, amendment.back_to)
                destination.prune(amendment.trashed)

    def _put_away(self, amendment: Amendment) -> None:
        """Put away what a killed run has left over, unless it belongs to somebody by now."""
        with suppress(ItemError, FileNotFoundError):
            if amendment.left_over and self._parts.state.path_owners([amendment.left_over]) == [None]:
                self._trash.put(amendment.left_over)
                self._parts.destination.prune(amendment.left_over)

    def _bring_papers(self, before: ContentRecord, now: ContentRecord, document: bytes) -> Rearranged:
        """Write the metadata files of a content where it is now."""
        there = metadata_file.read(self._parts.destination, now.path) if not document else None
        if there is not None and there.stored.sha256 == now.stored_sha256.hex():
            document = metadata_file.encode(there)  # It is back since.
        change = Change(before=before, after=now, document=document)
        one = Rearranged(change=change, record=now, steps=[], leaving=[])
        with suppress(msgspec.MsgspecError):
            one.document = metadata_file.decode(document) if document else None
        is_own = now.profile == self._parts.profile
        if one.document is None and is_own and has_facts(now):
            one.document = rebuilt(now, self._parts)
        if one.document is not None and is_own:
            self._papers.write(now, one)
        return one

    def _record(self, page: list[Amendment], known: dict[bytes, ContentRecord], moved: list[Rearranged]) -> None:
        wanted = {one.album for one in page if one.album}
        batch = StateBatch(
            contents=list(known.values()),
            items=[item for one in moved for item in self._followers(one)],
            fingerprints=[one.fingerprint for one in page if one.fingerprint is not None],
            albums=[album for album in self._parts.state.albums() if album.id in wanted] if wanted else [],
        )
        self._recorder.journal.commit(batch)
        self._recorder.changed = True
        self._recorder.albums.update(album.id for record in known.values() for album in record.albums)

    def _followers(self, one: Rearranged) -> list[tuple[str, ItemRecord]]:
        """Return the items of a content; that of one whose metadata file is lost has to tell of it once more."""
        found = followers(self._parts.state, self._parts.profile, one)
        if one.change.document:
            return found
        return [(item, msgspec.structs.replace(record, metadata_token=_OTHER_METADATA)) for item, record in found]
