"""Names, times and cameras as Google's JSON has them."""

from __future__ import annotations

import pytest

from syncengine.api import Kind
from syncengine_plugins.google.photos.facts import camera_of, instant, item_name, kind_from, without_addresses


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2019-07-03T14:22:05Z", 1562163725000),
        ("2019-07-03T14:22:05.5Z", 1562163725500),
        ("2019-07-03T14:22:05.123456789Z", 1562163725123),
        ("2019-07-03T16:22:05+02:00", 1562163725000),
        ("1969-12-31T23:59:59Z", -1000),
        ("2019-07-03T14:22:05", 1562163725000),
    ],
)
def test_moments(text, milliseconds):
    found = instant(text)
    assert found is not None
    assert (found.instant, found.origin, found.wall) == (milliseconds, "source", None)


@pytest.mark.parametrize("text", ["", "yesterday", "2019-13-03T14:22:05Z", "0000-00-00T00:00:00Z"])
def test_what_is_no_moment_is_none(text):
    assert instant(text) is None


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("IMG_1.jpg", "IMG_1.jpg"),
        ("a/b.jpg", "a_b.jpg"),
        ("..\\x.jpg", ".._x.jpg"),
        ("", "AF_1.jpg"),
        ("..", "AF_1.jpg"),
        (" \t", "AF_1.jpg"),
        ("\0", "_"),
    ],
)
def test_names_have_no_folders(filename, name):
    assert item_name(filename, "AF_1/../", "image/jpeg") == name


def test_a_name_for_an_id_of_nothing_usable():
    assert item_name("", "///", "no/type") == "unnamed"


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Google", "Pixel 3", "Google Pixel 3"),
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("", "X", "X"),
        ("Apple", "", "Apple"),
        ("", "", ""),
    ],
)
def test_cameras(make, model, camera):
    assert camera_of(make, model) == camera


def test_kinds():
    assert kind_from("image/heic", "x.mov") is Kind.PHOTO
    assert kind_from("video/mp4", "x") is Kind.VIDEO
    assert kind_from("", "x.mov") is Kind.VIDEO
    assert kind_from("application/pdf", "x.pdf") is Kind.OTHER


def test_addresses_are_taken_out_at_any_depth():
    value = {"baseUrl": 1, "a": [{"coverPhotoBaseUrl": 2, "b": 3}], "contributorInfo": {"profilePictureBaseUrl": 4}}
    assert without_addresses(value) == {"a": [{"b": 3}], "contributorInfo": {}}
    assert "baseUrl" in value
