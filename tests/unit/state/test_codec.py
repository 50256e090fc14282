from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.model import AlbumRef, RunReport
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord
from syncengine.state.codec import Codec
from syncengine.state.failures import RecordDamagedError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ALBUMS = st.lists(st.builds(AlbumRef, TEXT, TEXT), max_size=3).map(tuple)
COPIES = st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, st.integers(0, 64)), max_size=3).map(tuple)
SIZES = st.integers(0, 1 << 50)
ITEMS = st.builds(ItemRecord, TEXT, TEXT, st.binary(max_size=32), TEXT, TEXT, TEXT)
CONTENTS = st.builds(
    ContentRecord,
    content=st.binary(min_size=32, max_size=32),
    path=TEXT,
    source_sha256=st.binary(max_size=32),
    stored_sha256=st.binary(max_size=32),
    source_size=SIZES,
    stored_size=SIZES,
    mtime=st.floats(allow_nan=False),
    item=TEXT,
    name=TEXT,
    profile=TEXT,
    albums=ALBUMS,
    origins=st.lists(TEXT, max_size=3).map(tuple),
    original_path=TEXT,
    recipe=TEXT,
    failure=TEXT,
    copies=COPIES,
)


class OlderItem(msgspec.Struct, frozen=True, array_like=True):
    content_token: str
    metadata_token: str
    content: bytes


class NewerItem(msgspec.Struct, frozen=True, array_like=True):
    content_token: str
    metadata_token: str
    content: bytes
    outcome: str = "stored"
    path: str = ""
    method: str = ""
    original_path: str = ""
    id: str = ""
    verified: float = 0.0
    labels: tuple[str, ...] = ()


ITEM = ItemRecord("t", "m", b"c" * 32, "duplicate", "photos/a.jpg", "sha256-1")


@given(ITEMS)
@settings(max_examples=100, deadline=None)
def test_every_item_record_comes_back(record: ItemRecord) -> None:
    codec = Codec(ItemRecord)
    assert codec.decode(codec.encode(record)) == record


@given(CONTENTS)
@settings(max_examples=100, deadline=None)
def test_every_content_record_comes_back(record: ContentRecord) -> None:
    codec = Codec(ContentRecord)
    assert codec.decode(codec.encode(record)) == record


def test_albums_runs_and_plain_bytes_come_back() -> None:
    album = AlbumRecord("id", "Rome", "albums/Rome", "text", '{"a": 1}')
    assert Codec(AlbumRecord).decode(Codec(AlbumRecord).encode(album)) == album
    run = RunReport(
        run="1", profile="nas", source="s", destination="d", started="", finished="", outcomes={"stored": 3}
    )
    assert Codec(RunReport).decode(Codec(RunReport).encode(run)) == run
    assert Codec(bytes).decode(Codec(bytes).encode(b"\0\xff")) == b"\0\xff"


@given(ITEMS, st.data())
@settings(max_examples=200, deadline=None)
def test_one_changed_bit_anywhere_is_noticed(record: ItemRecord, data: st.DataObject) -> None:
    codec = Codec(ItemRecord)
    value = bytearray(codec.encode(record))
    bit = data.draw(st.integers(0, 8 * len(value) - 1))
    value[bit // 8] ^= 1 << bit % 8
    with pytest.raises(RecordDamagedError):
        codec.decode(bytes(value))


@pytest.mark.parametrize("keep", range(len(Codec(ItemRecord).encode(ITEM))))
def test_a_shortened_value_is_noticed(keep: int) -> None:
    with pytest.raises(RecordDamagedError):
        Codec(ItemRecord).decode(Codec(ItemRecord).encode(ITEM)[:keep])


def test_a_record_of_another_kind_is_noticed() -> None:
    with pytest.raises(RecordDamagedError, match="ContentRecord"):
        Codec(ContentRecord).decode(Codec(ItemRecord).encode(ITEM))


def test_an_older_record_takes_the_defaults() -> None:
    value = Codec(OlderItem).encode(OlderItem("t", "m", b"c"))
    assert Codec(ItemRecord).decode(value) == ItemRecord("t", "m", b"c", "stored", "", "")


def test_a_newer_record_is_read_without_what_is_on_top() -> None:
    value = Codec(NewerItem).encode(NewerItem("t", "m", b"c", "duplicate", "p", "x", "o", "i", 1.5, ("a",)))
    assert Codec(ItemRecord).decode(value) == ItemRecord("t", "m", b"c", "duplicate", "p", "x", "o", "i")


def test_text_with_undecodable_bytes_is_kept_readable() -> None:
    record = ItemRecord("t", "m", b"\xff", "stored", "photos/\udce9t\udce9 é.jpg")
    assert Codec(ItemRecord).decode(Codec(ItemRecord).encode(record)).path == "photos/\\udce9t\\udce9 é.jpg"


def test_many_values_come_back_in_order() -> None:
    codec = Codec(ItemRecord)
    records = [ItemRecord(str(number), "", b"") for number in range(5)]
    assert codec.decode_each([codec.encode(record) for record in records]) == records
