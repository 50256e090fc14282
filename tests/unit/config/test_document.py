from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.config.document import Keys, Mark, find, lookup, parse, render
from syncengine.config.findings import value_of
from syncengine.errors import ConfigError, Problem

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_characters="\x7f"), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e6, 1e6).map(lambda f: round(f, 6)) | TEXT,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(TEXT.filter(lambda key: key != "<<"), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
@settings(deadline=None, max_examples=150)
def test_json_is_read_as_what_it_is(value: Any) -> None:
    document = parse(json.dumps(value), "f")
    assert document.problems == []
    assert value_of(document.root) == value


@given(st.text(alphabet="ab:-?[]{}#&*!|>'\"%@`,. \n\t\\U0${}<~éà", max_size=40))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    assert all(problem.message and problem.file == "f" for problem in _problems(text))


def _problems(text: str) -> Sequence[Problem]:
    try:
        document = parse(text, "f")
    except ConfigError as error:
        return error.problems or [Problem("")]
    value_of(document.root)
    return document.problems


def test_every_node_knows_where_it_stands() -> None:
    document = parse("a: 1\nb:\n  - x\n  - {c: 'd'}\n", "f")
    node, key = find(document.root, ("b", 1, "c"))
    assert node.mark == Mark(4, 9)
    assert key is not None
    assert key.mark == Mark(4, 6)
    assert render(("b", 1, "c")) == "$.b[1].c"


def test_find_stops_at_the_nearest_node_and_lookup_does_not() -> None:
    root = parse("a: {b: 1}\n", "f").root
    assert isinstance(find(root, ("a", "missing", 3))[0], Keys)
    assert lookup(root, ("a", "missing")) is None
    assert lookup(root, ("a", "b", "c")) is None
    assert lookup(root, ("a", 0)) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("on", "on"),
        ("2:30", "2:30"),
        ("012", "012"),
        ("0o14", "0o14"),
        ("1_000", "1_000"),
        ("2019-07-31", "2019-07-31"),
        (".inf", ".inf"),
        ("True", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ("", None),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1" * 5000, "1" * 5000),
        ("1e999", "1e999"),
    ],
)
def test_a_plain_scalar_has_the_type_of_yaml_1_2_and_quotes_make_text(text: str, value: Any) -> None:
    found = value_of(parse(f"a: {text}\n", "f").root)["a"]
    assert (found, type(found)) == (value, type(value))
    assert value_of(parse(f'a: "{text}"\n', "f").root)["a"] == text


@pytest.mark.parametrize("text", ["[" * 5000, "- " * 5000, "? " * 5000, "{a: " * 5000])
def test_a_deep_text_is_refused_and_does_not_end_in_a_recursion(text: str) -> None:
    with pytest.raises(ConfigError, match="more than 32 levels"):
        parse(text, "f")


def test_a_long_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="more than 10000 values"):
        parse("- a\n" * 10_001, "f")


def test_an_escape_that_is_no_character_is_refused() -> None:
    with pytest.raises(ConfigError, match="escape that is no character"):
        parse('a: "\\UFFFFFFFF"', "f")


def test_a_control_character_is_named_with_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("a: b\nc: d\x07\n", "f")
    assert str(caught.value) == "f:2:5: the control character 0x07 is not allowed"
