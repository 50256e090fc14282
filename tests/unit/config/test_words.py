from __future__ import annotations

from typing import Any

import pytest

from syncengine.config.words import expectation, nearest


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer"}, "an integer"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "an integer from 1 to 9"),
        ({"type": "number", "maximum": 9}, "a number of at most 9"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "a number above 0 below 1"),
        ({"type": "integer", "multipleOf": 8}, "an integer that is a multiple of 8"),
        ({"type": "string", "pattern": "^a"}, "text that matches ^a"),
        ({"type": "string", "minLength": 2, "maxLength": 3}, "text of at least 2 characters of at most 3 characters"),
        ({"type": "array", "minItems": 1, "maxItems": 2}, "a list with at least 1 entry with at most 2 entries"),
        ({"type": ["object", "null"]}, "a mapping"),
        ({"type": "null"}, "nothing"),
        ({"enum": ["a", 1, None, True]}, "one of a, 1, null, true"),
        ({"enum": ["a"]}, "a"),
        ({"const": False}, "false"),
        ({"anyOf": [{"type": "boolean"}, {"enum": ["x", "y"]}, {"type": "null"}]}, "true, false, x or y"),
        ({"anyOf": [{"type": "null"}]}, "nothing"),
        ({"not": {}}, "something else"),
        ({"type": "string", "x-expected": "a rate"}, "a rate"),
    ],
)
def test_a_schema_s_wish_in_words(schema: dict[str, Any], words: str) -> None:
    assert expectation(schema) == words


def test_what_may_have_been_meant() -> None:
    assert nearest("Takeot", ["folder", "takeout"]) == " (did you mean takeout?)"
    assert nearest("zzz", ["folder", "takeout"]) == nearest("x", []) == ""
