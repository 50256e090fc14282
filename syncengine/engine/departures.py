"""What left the source: items that the state knows and a complete listing does not show any more, by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import blake2b
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import Destination, MediaItem
from syncengine.engine.ports import State
from syncengine.engine.sorted_lines import SortedLines
from syncengine.records import ContentRecord

_KEY_BYTES = 16
#: Hex digits that a line begins with: the key by which lines are compared.
_KEY = 2 * _KEY_BYTES
_CONTENT = 64
_LOOK_UP = 250
#: Methods that recognise nothing but the same bytes.
_SAME_BYTES = ("sha256", "")


class Holder(msgspec.Struct, frozen=True):
    """An item that holds a content: profile, id, original name, whether it has the same bytes or only looks alike."""

    profile: str
    id: str
    name: str
    is_same: bool = True


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """A content of which at least one item left the source.

    Args:
        content: its key.
        items: ids of the items that left.
        record: what the state has of it, or ``None``.
        heir: an item that holds it still; ``None`` when there is none and the content leaves as well.
        is_in_doubt: nothing tells of an heir, and nothing tells that there is none; its file stays.
    """

    content: bytes
    items: tuple[str, ...]
    record: ContentRecord | None
    heir: Holder | None = None
    is_in_doubt: bool = False

    @property
    def leaves(self) -> bool:
        """Whether the content's files are to go."""
        return self.record is not None and self.heir is None and not self.is_in_doubt


class Listing:
    """The ids that the source lists in a run, in bounded memory.

    Args:
        scratch: for temporary files.
    """

    def __init__(self, scratch: Path) -> None:
        self.ids = SortedLines(scratch)
        self.unsettled = SortedLines(scratch)

    def add(self, items: Iterable[MediaItem]) -> None:
        """Take items that were listed."""
        for item in items:
            self.ids.add(_key(item.id) + b"\n")

    def unsettle(self, name: str) -> None:
        """Take the name of an item that was listed and is not at the destination."""
        self.unsettled.add(_key(name) + b"\n")

    def close(self) -> None:
        """Remove the temporary files."""
        self.ids.close()
        self.unsettled.close()


class Departures:
    """All that left the source, by content. Can be iterated again and again; reads the state anew each time.

    Args:
        state: of the profile.
        profile: its name.
        destination: where the contents are.
        listing: everything that the source lists.
        scratch: for temporary files.
    """

    def __init__(
        self, state: State, profile: str, destination: Destination[Any], listing: Listing, scratch: Path
    ) -> None:
        self._state = state
        self._destination = destination
        self._profile = profile
        self._listing = listing
        self._scratch = scratch
        #: Items that the profile has, and those of them that a file was stored for.
        self.known = self.stored = 0
        self._gone = SortedLines(scratch)
        with closing(SortedLines(scratch)) as known:
            for identity, record in state.all_items():
                known.add(b"%b%b%b\n" % (_key(identity), record.content.hex().encode(), _packed(identity)))
                self.known += 1
                self.stored += record.outcome == "stored"
            for line in _unmatched(known, listing.ids):
                self._gone.add(line[_KEY:])

    def close(self) -> None:
        """Remove the temporary files."""
        self._gone.close()

    def __iter__(self) -> Iterator[Departure]:
        groups = self._by_content()
        while group := list(islice(groups, _LOOK_UP)):
            records = self._state.contents([content for content, _ in group])
            doubtful = self._doubtful(records)
            for (content, items), record in zip(group, records, strict=True):
                heir = self._heir(record, items) if record is not None else None
                is_in_doubt = heir is None and content in doubtful
                yield Departure(content=content, items=items, record=record, heir=heir, is_in_doubt=is_in_doubt)

    def _doubtful(self, records: Iterable[ContentRecord | None]) -> set[bytes]:
        """Return the contents whose holders are a guess; where a person has removed the file, nothing is left of it."""
        guessed = {record.path: record.content for record in records if record is not None and record.guessed}
        removed = set(self._destination.missing(list(guessed))) if guessed else set()
        return {content for path, content in guessed.items() if path not in removed}

    def unsure(self) -> set[bytes]:
        """Return the contents that leave and may be those of an item that could not be stored under its new id."""
        with closing(SortedLines(self._scratch)) as names:
            for one in self:
                if one.leaves and one.record is not None:
                    names.add(_key(one.record.name) + one.content.hex().encode() + b"\n")
            certain = {line[_KEY:] for line in _unmatched(names, self._listing.unsettled)}
            return {bytes.fromhex(line[_KEY:].decode()) for line in names if line[_KEY:] not in certain}

    def _by_content(self) -> Iterator[tuple[bytes, tuple[str, ...]]]:
        for content, lines in groupby(self._gone, key=lambda line: line[:_CONTENT]):
            yield bytes.fromhex(content.decode()), tuple(_unpacked(line[_CONTENT:-1]) for line in lines)

    def _heir(self, record: ContentRecord, gone: tuple[str, ...]) -> Holder | None:
        """Return an item of any profile that holds the content still, the one that it was stored for first."""
        holders = [Holder(record.profile, record.item, record.name)]
        copies = [Holder(copy[0], copy[1], copy[2], is_same=copy[3] in _SAME_BYTES) for copy in record.copies]
        holders += sorted(copies, key=lambda holder: not holder.is_same)
        own = [holder.id for holder in holders if holder.profile == self._profile and holder.id not in gone]
        there = {id_ for id_, known in zip(own, self._state.items(own), strict=True) if known is not None}
        for holder in holders:
            if holder.profile != self._profile or holder.id in there:
                return holder
        # Brought back from the trash by a person: nobody at the source has a say in it.
        return holders[0] if record.restored else None


def _unmatched(lines: Iterable[bytes], others: Iterable[bytes]) -> Iterator[bytes]:
    """Yield those of some sorted lines whose key none of the other sorted lines has."""
    rest = iter(others)
    other = next(rest, b"")
    for line in lines:
        key = line[:_KEY]
        while other and other[:_KEY] < key:
            other = next(rest, b"")
        if other[:_KEY] != key:
            yield line


def _key(text: str) -> bytes:
    encoded = text.encode("utf-8", "surrogatepass")
    return blake2b(encoded, digest_size=_KEY_BYTES).hexdigest().encode()


def _packed(text: str) -> bytes:
    """Return any text without a line feed."""
    return text.encode("utf-8", "surrogatepass").hex().encode()


def _unpacked(line: bytes) -> str:
    return bytes.fromhex(line.decode()).decode("utf-8", "surrogatepass")
