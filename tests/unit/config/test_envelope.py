"""The quick form of a profile against the schema that is the law."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.config import schema_files, validation
from syncengine.config.envelope import Envelope

SCHEMA = schema_files.schema(schema_files.PROFILE)
FULL: dict[str, Any] = {
    "version": 1,
    "name": "nas",
    "source": {"takeout": {"path": "./takeout"}},
    "select": {
        "albums": ["Rome*"],
        "kinds": ["photo", "video", "other"],
        "taken": {"after": "2019-07-01", "before": None},
        "favorites": True,
        "exclude": {"names": ["*.tmp"], "states": ["archived", "trashed", "locked", "partner-shared"]},
    },
    "transforms": ["heic-to-jpeg", {"heic-to-jpeg": {"quality": 95}}],
    "dedup": [{"sha256": None}],
    "destination": "filesystem",
    "layout": {"path": "{name}", "albums": "symlink", "metadata": ["xmp"]},
    "sync": {"mode": "mirror", "max_delete": "1%", "trash_days": 30},
    "execution": {"downloads": 5, "workers": 2, "bandwidth": 2e6, "item_timeout": 300, "item_memory": "4GiB"},
    "state": {"when_damaged": "rebuild"},
    "schedule": "0 2 * * *",
    "timezone": "Europe/Rome",
    "notify": [],
    "logging": {"level": "DEBUG"},
}

ODD = st.one_of(
    st.sampled_from(
        [None, True, False, "", "x", "1%", "photo", "auto", "json", [], {}, [""], [None], ["json", "json"]]
    ),
    st.sampled_from(["stop", "rebuild"]),
    st.sampled_from([["photo"], ["photo", "x"], {"a": 1}, {"a": 1, "b": 2}, {"after": 1}, "a\n", "-a", "A" * 65]),
    st.sampled_from([0, 1, 64, 65, 256, 257, 3650, 3651, 86400, 86400.5, 0.5, 1.0, -1]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in inside for place in places(inner, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new) if path[1:] else new
    return copy


def is_taken(profile: Any) -> bool:
    try:
        msgspec.convert(profile, Envelope)
    except msgspec.ValidationError:
        return False
    return True


def is_right(profile: Any) -> bool:
    return bool(validation._validator_class()(SCHEMA).is_valid(profile))


def test_a_profile_with_everything_is_taken_at_once() -> None:
    assert is_right(FULL)
    assert is_taken(FULL)
    assert set(FULL) == set(SCHEMA["properties"])
    for name, inner in SCHEMA["properties"].items():
        if "properties" in inner:
            assert set(FULL[name]) == set(inner["properties"])


@settings(deadline=None, max_examples=300)
@given(changes=st.lists(st.tuples(st.sampled_from(places(FULL)[1:]), ODD), min_size=1, max_size=2))
def test_nothing_is_taken_that_the_schema_refuses(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    changed = FULL
    for place, odd in changes:
        if place in places(changed):
            changed = put(changed, place, odd)
    assert is_right(changed) or not is_taken(changed)


def test_no_odd_value_is_taken_anywhere() -> None:
    odds = [
        None,
        True,
        0,
        -1,
        1.5,
        10**6,
        "",
        "x",
        "A" * 65,
        [],
        {},
        [""],
        [0],
        ["x"],
        ["json", "json"],
        {"a": 1, "b": 2},
    ]
    judged = [(place, odd) for place in places(FULL)[1:] for odd in odds]
    wrong = [(place, odd) for place, odd in judged if not is_right(put(FULL, place, odd))]
    assert len(wrong) > 300
    assert [one for one in wrong if is_taken(put(FULL, *one))] == []


@pytest.mark.parametrize("key", ["version", "source", "destination"])
def test_what_is_missing_is_not_taken(key: str) -> None:
    assert not is_taken({name: value for name, value in FULL.items() if name != key})


@pytest.mark.parametrize("place", [(), ("select",), ("select", "taken"), ("select", "exclude"), ("layout",), ("sync",)])
def test_unknown_keys_are_not_taken(place: tuple[str, ...]) -> None:
    assert not is_taken(put(FULL, (*place, "unknown"), 1))


def test_a_profile_that_is_right_needs_no_validator(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_validator_class", lambda: pytest.fail("jsonschema was imported"))
    load("version: 1\nname: nas\nsource: {takeout: {path: a}}\ndestination: {filesystem: {path: b}}\n")
