"""The catalog's lines: what goes in comes back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.engine import catalog
from syncengine.model import AlbumRef
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch

TEXT = st.text(max_size=8)
KEYS = st.binary(min_size=32, max_size=32)
FIELDS = {
    "content": KEYS,
    "path": TEXT,
    "source_sha256": KEYS,
    "stored_sha256": KEYS,
    "source_size": st.integers(0, 9),
    "stored_size": st.integers(0, 9),
    "mtime": st.none() | st.integers(-9, 9).map(float),
    "item": TEXT,
    "name": TEXT,
    "profile": TEXT,
    "albums": st.lists(st.builds(AlbumRef, TEXT, TEXT), max_size=2).map(tuple),
    "origins": st.lists(TEXT, max_size=2).map(tuple),
    "original_path": TEXT,
    "recipe": TEXT,
    "failure": TEXT,
    "copies": st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, st.integers(0, 9)), max_size=2).map(tuple),
    "near": st.lists(st.tuples(KEYS, TEXT, st.integers(0, 9)), max_size=2).map(tuple),
    "sidecar_path": TEXT,
    "sidecar_sha256": st.just(b"") | KEYS,
    "stored_name": TEXT,
    "kind": TEXT,
    "camera": TEXT,
    "taken": st.none()
    | st.tuples(TEXT, st.none() | st.integers(-9, 9), st.none() | TEXT, st.none() | st.integers(-9, 9)),
    "restored": TEXT,
    "guessed": st.booleans(),
}
CONTENTS = st.builds(ContentRecord, **FIELDS)
ITEMS = st.tuples(TEXT, st.builds(ItemRecord, TEXT, TEXT, KEYS, TEXT, TEXT, TEXT, TEXT))
BATCHES = st.builds(
    StateBatch,
    items=st.lists(ITEMS, max_size=2),
    contents=st.lists(CONTENTS, max_size=2),
    fingerprints=st.lists(st.tuples(TEXT, st.binary(max_size=8), KEYS), max_size=2),
    albums=st.lists(st.builds(AlbumRecord, TEXT, TEXT, TEXT, TEXT, TEXT), max_size=2),
    gone_items=st.lists(TEXT, max_size=2),
    gone_contents=st.lists(KEYS, max_size=2),
)


def test_every_field_of_a_content_is_tried() -> None:
    assert FIELDS.keys() == set(ContentRecord.__struct_fields__)


@given(BATCHES)
def test_what_goes_in_comes_back(batch: StateBatch) -> None:
    found = StateBatch()
    for line in catalog.encode(batch, "nas").splitlines():
        change = catalog.decode(line)
        assert change.profile == ("nas" if change.batch.items or change.batch.gone_items else "")
        for field in msgspec.structs.fields(StateBatch):
            getattr(found, field.name).extend(getattr(change.batch, field.name))
    assert found == batch


def test_a_name_that_is_no_unicode_is_kept_in_letters() -> None:
    batch = StateBatch(gone_items=["bad\udcff"])
    assert catalog.decode(catalog.encode(batch, "nas").strip()).batch.gone_items == ["bad\\udcff"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"v": 2}',
        b'{"content": {}}',
        b'{"content": {"content": "zz"}}',
        b'{"item": {"id": "a"}}',
        b'{"item": {"profile": "nas", "id": "a", "content": 7}}',
        b'{"fingerprint": {"method": "x"}}',
        b'{"gone_content": "x"}',
        b'{"gone_item": {"id": "a"}}',
        pytest.param(b'{"raw":' * 50_000, id="nested"),
    ],
)
def test_a_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"catalog|newer"):
        catalog.decode(line)


def test_every_cut_of_a_line_is_refused_or_says_the_same() -> None:
    (line,) = catalog.encode(StateBatch(gone_items=["a"]), "nas").splitlines()
    whole: Any = catalog.decode(line)
    for end in range(len(line)):
        with pytest.raises(ValueError, match="catalog"):
            assert catalog.decode(line[:end]) != whole
