"""JSON of what a source may say and Unicode does not allow."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.engine.clean_text import cleaned, encoded, encoded_lines
from syncengine.model import LedgerLine, Outcome

any_text = st.text(alphabet=st.characters(exclude_categories=()))
json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | any_text,
    lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
    max_leaves=8,
)


@settings(deadline=None, max_examples=100)
@given(json_like)
def test_whatever_a_source_says_can_be_written_and_read(value):
    written = encoded({"value": value})
    assert json.loads(written) == {"value": cleaned(value)}
    assert written.endswith(b"\n")


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_text_that_is_unicode_stays_as_it_is(text):
    assert cleaned({"a": [text, 1, None]}) == {"a": [text, 1, None]}


def test_half_of_a_pair_is_put_into_letters():
    assert cleaned("x\ud83dy") == "x\\ud83dy"


def test_only_what_needs_it_is_changed_in_lines():
    good = LedgerLine(outcome=Outcome.STORED, id="a", name="é.jpg")
    bad = LedgerLine(outcome=Outcome.STORED, id="b\udc80", name="b.jpg")
    lines = encoded_lines(msgspec.json.Encoder(), [good, bad]).splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a", "b\\udc80"]
    assert json.loads(lines[0])["name"] == "é.jpg"
