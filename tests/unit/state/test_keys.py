from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.state.keys import album_key, item_keys, owner_key, path_key

OWNER = owner_key("nas")
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=600)


@given(st.lists(ANY_TEXT, max_size=20, unique=True))
@settings(max_examples=100, deadline=None)
def test_different_ids_have_different_keys_that_lmdb_takes(ids: list[str]) -> None:
    keys = item_keys(OWNER, ids)
    assert len(set(keys)) == len(ids)
    assert all(8 <= len(key) <= 511 and key.startswith(OWNER) for key in keys)


@given(ANY_TEXT, st.lists(ANY_TEXT, max_size=5))
@settings(max_examples=100, deadline=None)
def test_a_key_does_not_depend_on_what_else_is_asked_for(identity: str, others: list[str]) -> None:
    assert item_keys(OWNER, [identity, *others])[0] == item_keys(OWNER, [identity])[0]


def test_long_ids_that_begin_alike_are_told_apart_and_lie_together() -> None:
    ids = ["x" * 5000 + end for end in "ab"]
    first, second = item_keys(OWNER, ids)
    assert first != second
    assert first[:308] == second[:308] == OWNER + b"x" * 300


def test_keys_sort_as_ids_do() -> None:
    ids = [f"2019/IMG_{number:04d}.jpg" for number in range(20)]
    assert sorted(item_keys(OWNER, ids)) == item_keys(OWNER, ids)


def test_paths_that_differ_by_case_or_normal_form_are_the_same() -> None:
    path = "photos/2019/Café STRASSE.JPG"
    same = [unicodedata.normalize("NFD", path), path.upper(), path.lower(), "photos/2019/café straße.jpg"]
    assert {path_key(OWNER, other) for other in same} == {path_key(OWNER, path)}
    assert path_key(OWNER, path) != path_key(OWNER, path + "g")


def test_owners_never_meet() -> None:
    other = owner_key("usb")
    assert not set(item_keys(OWNER, ["a"])) & set(item_keys(other, ["a"]))
    assert path_key(OWNER, "a") != path_key(other, "a")
    assert album_key(OWNER, "a") != album_key(other, "a")
