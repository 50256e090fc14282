"""Names that are safe on every target, whatever the source says."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.engine.safe_names import fit, path_key, safe_name, split_extension

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


@given(st.text(max_size=400))
def test_any_name_becomes_safe(name):
    safe = safe_name(name)
    assert safe
    assert safe not in (".", "..")
    assert not _FORBIDDEN.search(safe)
    assert safe == unicodedata.normalize("NFC", safe)
    assert len(safe.encode()) <= 255
    assert safe[-1] not in ". "
    assert safe[0] != " "
    assert safe.partition(".")[0].lower() not in _RESERVED


@given(st.text(max_size=400))
def test_a_safe_name_stays_as_it_is(name):
    safe = safe_name(name)
    assert safe_name(safe) == safe


@given(st.text(max_size=300), st.sampled_from([".jpg", ".JPEG", ".heic", ".mov"]))
def test_the_extension_is_kept(stem, extension):
    assert safe_name(stem + "x" + extension).endswith(extension)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400))
def test_a_suffix_always_fits(name):
    fitted = fit(safe_name(name), "~3fa9c1")
    assert "~3fa9c1" in fitted
    assert len(fitted.encode()) <= 255


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("IMG_0001.jpg", "IMG_0001.jpg"),
        ("a/b.jpg", "a_b.jpg"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("   ", "unnamed"),
        ("con.jpg", "_con.jpg"),
        ("CON", "_CON"),
        ("console.jpg", "console.jpg"),
        ("trailing. ", "trailing"),
        (" leading.jpg", "leading.jpg"),
        ("ca\u0301rdoba.jpg", "c\u00e1rdoba.jpg"),
        ("evil\u202egpj.exe", "evil_gpj.exe"),
        ("tab\there.jpg", "tab_here.jpg"),
        ("\ud800.jpg", "_.jpg"),
        (".nomedia", ".nomedia"),
    ],
)
def test_examples(name, safe):
    assert safe_name(name) == safe


def test_a_long_name_is_cut_between_characters():
    safe = safe_name("\u00e9" * 200 + ".jpg")
    assert safe == "\u00e9" * 123 + ".jpg"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.jpg", ("a", ".jpg")),
        ("a", ("a", "")),
        (".hidden", (".hidden", "")),
        ("a.b.jpg", ("a.b", ".jpg")),
        ("21.12.11 - a very long title of a photo without extension", None),
        ("ends.", ("ends.", "")),
    ],
)
def test_what_is_an_extension(name, parts):
    assert split_extension(name) == (parts or (name, ""))


def test_paths_are_compared_without_case_and_form():
    assert path_key("A/B\u0301.JPG") == path_key("a/b\u0301.jpg")
    assert path_key("\u00c1") == path_key("a\u0301")
    assert path_key("stra\u00dfe") == path_key("STRASSE")
