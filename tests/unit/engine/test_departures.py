"""What left the source: a comparison of sorted keys that must agree with sets."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.api import Kind, MediaItem
from syncengine.engine import departures as tested
from syncengine.engine import sorted_lines
from syncengine.engine.departures import Departures, Listing
from syncengine.records import ContentRecord, ItemRecord
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions

IDS = st.sets(st.text(st.characters(codec=None), max_size=3), max_size=12)


class Remembered:
    """A state with one content for each item; every third item is another one's copy."""

    def __init__(self, ids: set[str]) -> None:
        self.contents_of = {identity: (number - (number % 3 == 2)) for number, identity in enumerate(sorted(ids))}
        self.holders: dict[int, list[str]] = {}
        for identity, content in self.contents_of.items():
            self.holders.setdefault(content, []).append(identity)

    def items(self, ids: Any) -> list[ItemRecord | None]:
        return [self._item(identity) if identity in self.contents_of else None for identity in ids]

    def all_items(self) -> Any:
        return ((identity, self._item(identity)) for identity in self.contents_of)

    def _item(self, identity: str) -> ItemRecord:
        content = self.contents_of[identity]
        outcome = "stored" if self.holders[content][0] == identity else "duplicate"
        return ItemRecord("", "", key(content), outcome=outcome)

    def contents(self, keys: Any) -> list[ContentRecord | None]:
        return [self._content(int.from_bytes(wanted, "big")) for wanted in keys]

    def _content(self, content: int) -> ContentRecord:
        first, *others = self.holders[content]
        return ContentRecord(
            content=key(content),
            path=f"photos/{content}.jpg",
            source_sha256=b"",
            stored_sha256=b"",
            source_size=0,
            stored_size=0,
            mtime=None,
            item=first,
            name=f"{content}.jpg",
            profile="p",
            copies=tuple(("p", other, other, "sha256", 0) for other in others),
        )


def key(content: int) -> bytes:
    return content.to_bytes(32, "big")


def media(identity: str, name: str = "") -> MediaItem:
    return MediaItem(id=identity, name=name, kind=Kind.PHOTO, content_token="")


@settings(deadline=None, max_examples=40)
@given(known=IDS, listed=IDS)
def test_what_left_is_what_is_known_and_not_listed(known: set[str], listed: set[str]) -> None:
    state = Remembered(known)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as directory:
        patch.setattr(sorted_lines, "_RUN", 3)
        patch.setattr(tested, "_LOOK_UP", 2)
        scratch = Path(directory)
        there = MemoryDestination(MemoryDestinationOptions())
        with closing(Listing(scratch)) as listing:
            listing.add(media(identity) for identity in sorted(listed, reverse=True))
            with closing(Departures(state, "p", there, listing, scratch)) as departures:  # type: ignore[arg-type] # as asked
                found = list(departures)
                assert list(departures) == found  # It can be read again.
    assert {item for one in found for item in one.items} == known - listed
    for one in found:
        holders = set(state.holders[int.from_bytes(one.content, "big")])
        assert one.leaves == (not holders & listed)
        assert one.heir is None or one.heir.id in holders & listed
    assert len({one.content for one in found}) == len(found)
    assert (departures.known, departures.stored) == (len(known), len(state.holders))


def test_a_content_is_in_doubt_when_an_item_of_its_name_failed(tmp_path: Path) -> None:
    state, there = Remembered({"a", "b"}), MemoryDestination(MemoryDestinationOptions())
    with closing(Listing(tmp_path)) as listing:
        listing.unsettle("0.jpg")
        listing.unsettle("none.jpg")
        with closing(Departures(state, "p", there, listing, tmp_path)) as departures:  # type: ignore[arg-type] # as asked
            assert departures.unsure() == {key(0)}
