"""JSON members: told apart by content, and never a reason to stop."""

from __future__ import annotations

import codecs
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.api import ItemState, Location
from syncengine_plugins.sources.takeout.sidecars import MAX_BYTES, AlbumJson, AssetSidecar, OtherJson, parse_json

WHOLE = {
    "title": "IMG_1.jpg",
    "description": "Caf\u00e9 \u0027x\u0027",
    "imageViews": "3",
    "creationTime": {"timestamp": "1600000000", "formatted": "13 sept. 2020"},
    "photoTakenTime": {"timestamp": "1562163725", "formatted": "3 juil. 2019"},
    "geoData": {"latitude": 41.9, "longitude": 12.5, "altitude": 21.5, "latitudeSpan": 0.0, "longitudeSpan": 0.0},
    "geoDataExif": {"latitude": -41.0, "longitude": 12.0, "altitude": 0.0},
    "people": [{"name": "Ada"}, {"name": ""}, {"nom": "x"}, "Bob", {"name": "Grace"}],
    "favorited": True,
    "archived": True,
    "trashed": True,
    "inLockedFolder": True,
    "url": "https://photos.google.com/photo/AF1Qip",
    "googlePhotosOrigin": {"fromPartnerSharing": {}},
}


def asset(content: dict[str, Any]) -> AssetSidecar:
    found = parse_json(json.dumps(content).encode())
    assert isinstance(found, AssetSidecar)
    return found


def test_a_whole_sidecar() -> None:
    assert asset(WHOLE) == AssetSidecar(
        title="IMG_1.jpg",
        instant=1562163725000,
        created=1600000000000,
        description="Caf\u00e9 'x'",
        location=Location(41.9, 12.5, 21.5),
        exif_location=Location(-41.0, 12.0, None),
        people=("Ada", "Grace"),
        favorite=True,
        states=(ItemState.ARCHIVED, ItemState.TRASHED, ItemState.LOCKED, ItemState.PARTNER_SHARED),
        url="https://photos.google.com/photo/AF1Qip",
        raw=WHOLE,
    )


@pytest.mark.parametrize(
    ("timestamp", "instant"),
    [
        ("1562163725", 1562163725000),
        (1562163725, 1562163725000),
        ("-3600", -3600000),
        ("-4544208000", -4544208000000),
        ("0", None),
        ("-4544208001", None),
        ("7258118399", 7258118399000),
        ("7258118400", None),
        ("1562163725000", None),
        ("", None),
        ("yesterday", None),
        ("1e9", None),
        ("\u0661\u0662\u0663", None),
        ("9" * 5000, None),
        (True, None),
        (None, None),
        (1.5, None),
        ([], None),
        ({}, None),
    ],
)
def test_instants(timestamp: Any, instant: int | None) -> None:
    assert asset({"photoTakenTime": {"timestamp": timestamp}}).instant == instant


@pytest.mark.parametrize(
    "place",
    [
        {"latitude": 0.0, "longitude": 0.0, "altitude": 5.0},
        {"latitude": 91.0, "longitude": 0.0},
        {"latitude": 1.0, "longitude": -180.5},
        {"latitude": 1.0},
        {"latitude": "1", "longitude": "2"},
        {"latitude": True, "longitude": 2.0},
        {"latitude": float("nan"), "longitude": 2.0},
        {"latitude": float("inf"), "longitude": 2.0},
        [1.0, 2.0],
        None,
    ],
)
def test_what_is_no_place(place: Any) -> None:
    assert asset({"photoTakenTime": {}, "geoData": place}).location is None


def test_fields_of_wrong_types_count_as_missing() -> None:
    wrong = dict.fromkeys(WHOLE, 7) | {"photoTakenTime": [], "people": {"name": "Ada"}, "favorited": "true"}
    found = asset(wrong)
    assert found == AssetSidecar(raw=wrong)


@pytest.mark.parametrize(
    "encoded",
    [
        json.dumps(WHOLE).encode("utf-8-sig"),
        json.dumps(WHOLE, ensure_ascii=False).encode(),
        json.dumps(WHOLE, ensure_ascii=False).encode("utf-16"),
        codecs.BOM_UTF16_BE + json.dumps(WHOLE).encode("utf-16-be"),
        json.dumps(WHOLE).encode("utf-32"),
    ],
)
def test_encodings(encoded: bytes) -> None:
    found = parse_json(encoded)
    assert isinstance(found, AssetSidecar)
    assert (found.title, found.raw) == ("IMG_1.jpg", WHOLE)


def test_bytes_that_are_not_utf8_cost_a_character_and_not_the_date() -> None:
    found = parse_json(b'{"photoTakenTime": {"timestamp": "5"}, "title": "caf\xe9.jpg"}')
    assert isinstance(found, AssetSidecar)
    assert (found.title, found.instant) == ("caf\ufffd.jpg", 5000)


def test_lone_surrogates_are_replaced_everywhere_and_pairs_kept() -> None:
    found = parse_json(rb'{"photoTakenTime": {}, "title": "a\ud800.jpg", "x\udc00": ["\ud83d\ude00", {"y": "\udfff"}]}')
    assert isinstance(found, AssetSidecar)
    assert found.title == "a\ufffd.jpg"
    assert found.raw == {"photoTakenTime": {}, "title": "a\ufffd.jpg", "x\ufffd": ["\U0001f600", {"y": "\ufffd"}]}


def test_numbers_that_json_writers_refuse_are_replaced() -> None:
    found = parse_json(
        b'{"photoTakenTime": {"timestamp": "5"}, "a": NaN, "b": -Infinity, "c": 1e999, "d": ' + b"9" * 6000 + b"}"
    )
    assert isinstance(found, AssetSidecar)
    assert found.instant == 5000
    assert found.raw["d"] == "9" * 6000
    msgspec.json.encode(found.raw)
    json.dumps(found.raw, allow_nan=False)


def test_the_last_of_duplicate_keys_counts() -> None:
    found = parse_json(b'{"photoTakenTime": {"timestamp": "5"}, "title": "a", "title": "b"}')
    assert isinstance(found, AssetSidecar)
    assert found.title == "b"


@pytest.mark.parametrize(
    ("content", "album"),
    [
        ({"title": "Rome"}, AlbumJson(title="Rome")),
        ({"title": ""}, AlbumJson()),
        (
            {"title": "Rome", "description": "d", "access": "protected", "date": {"timestamp": "86400"}},
            AlbumJson(title="Rome", description="d", access="protected", instant=86400000),
        ),
        ({"albumData": {"title": "Rome", "access": "shared"}}, AlbumJson(title="Rome", access="shared")),
        ({"albumData": {}}, AlbumJson()),
        ({"date": {"timestamp": "5"}, "access": ""}, AlbumJson(instant=5000)),
        ({"title": "Rome", "geoData": {"latitude": 1.0, "longitude": 2.0}, "location": "x"}, AlbumJson(title="Rome")),
    ],
)
def test_albums(content: dict[str, Any], album: AlbumJson) -> None:
    assert parse_json(json.dumps(content).encode()) == msgspec.structs.replace(album, raw=content)


@pytest.mark.parametrize(
    "content",
    [
        {"title": "IMG_1.jpg", "url": "https://photos.google.com/photo/AF1"},
        {"title": "IMG_1.jpg", "googlePhotosOrigin": {}},
        {"title": "IMG_1.jpg", "imageViews": "0"},
        {"photoTakenTime": None},
    ],
)
def test_a_sidecar_without_a_capture_time_is_one(content: dict[str, Any]) -> None:
    assert asset(content).instant is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"3", "not a JSON object"),
        (b"{}", "neither photo nor album"),
        (b'{"title": 5}', "neither photo nor album"),
        (b'{"albumData": 5}', "neither photo nor album"),
        (b'{"externalOrderId": "1", "title": "Book"}', "print order"),
        (b'{"userGeneratedMemoryTitles": []}', "neither photo nor album"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"photoTakenTime":' * 100 + b"1" + b"}" * 100, "nested too deeply"),
        (b" " * (MAX_BYTES + 1), "larger than 4 MB, so no sidecar"),
    ],
)
def test_other_json(data: bytes, reason: str) -> None:
    assert parse_json(data) == OtherJson(reason=reason)


KEYS = st.sampled_from(
    [*WHOLE, "albumData", "timestamp", "latitude", "longitude", "name", "date", "fromPartnerSharing"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6),
    max_leaves=8,
)


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_json_is_survived_and_can_be_written_again(content: dict[str, Any]) -> None:
    found = parse_json(json.dumps(content).encode())
    msgspec.json.encode(found)
    if not isinstance(found, OtherJson):
        json.dumps(found.raw, ensure_ascii=False, allow_nan=False).encode()


@settings(deadline=None, max_examples=300)
@given(st.binary() | st.text(alphabet='{}[]":,\\u0d8eE+-.1NaInfity \ufeff').map(str.encode))
def test_any_bytes_are_survived(data: bytes) -> None:
    assert isinstance(parse_json(data), AssetSidecar | AlbumJson | OtherJson)
