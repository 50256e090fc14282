from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator

from syncengine.api import AppliedTransform, ItemState, Kind, Location, TimeOrigin
from syncengine.config import schema_files
from syncengine.engine import metadata_file
from syncengine.engine.albums import AlbumFile, AlbumMember
from syncengine.engine.metadata_file import (
    AlbumEntry,
    Locations,
    MetadataFile,
    SourceFacts,
    StoredFile,
    TakenTime,
)
from syncengine.model import LedgerLine, Outcome, RunReport

SCHEMAS = ("plan", "report", "verify", "ledger", "metadata", "album", "deduplication", "profile")


def _schema(name: str) -> dict[str, Any]:
    return schema_files.schema(f"{name}.schema.json")


def _problems(name: str, document: object) -> list[str]:
    plain = msgspec.json.decode(msgspec.json.encode(document))
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(_schema(name)).iter_errors(plain)]


def _properties(schema: dict[str, Any], path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from _properties(inner, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield from _properties(schema["items"], f"{path}[]")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_describes_every_field(name: str) -> None:
    schema = _schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    assert [path for path, inner in _properties(schema) if not inner.get("description")] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_refuses_what_it_does_not_know(name: str) -> None:
    assert any("surprise" in problem for problem in _problems(name, {"surprise": 1}))


@pytest.mark.parametrize(
    ("name", "struct", "besides"),
    [
        ("report", RunReport, set()),
        ("ledger", LedgerLine, set()),
        ("metadata", MetadataFile, {"$schema"}),
        ("album", AlbumFile, {"$schema"}),
    ],
)
def test_a_schema_has_the_fields_that_are_written(name: str, struct: type[msgspec.Struct], besides: set[str]) -> None:
    assert set(_schema(name)["properties"]) == {*struct.__struct_fields__, *besides}


REPORT = RunReport(
    run="20261122T020000Z-1f",
    profile="nas",
    source="takeout",
    destination="filesystem ./backup",
    started="2026-11-22T02:00:00+00:00",
    finished="2026-11-22T02:05:00+00:00",
)


def test_a_report_keeps_its_schema() -> None:
    full = msgspec.structs.replace(
        REPORT,
        ended="stopped",
        reason="the destination is full",
        listed=3,
        outcomes={"stored": 1, "failed": 2},
        missing=("takeout-002.zip: truncated",),
        inventory={"media": 3},
        bytes_read=10,
        bytes_written=9,
        duplicates={"sha256": 1},
        near_duplicates=1,
        filtered={"kinds": 1},
        failures=({"id": "1", "name": "a.heic", "reason": "damaged"},),
        warnings=("one sidecar matches nothing",),
        seconds=1.5,
    )
    assert _problems("report", REPORT) == []
    assert _problems("report", full) == []
    assert _problems("report", msgspec.structs.replace(REPORT, outcomes={"lost": 1})) != []
    assert _problems("report", msgspec.structs.replace(REPORT, listed=-1)) != []


def test_a_ledger_line_keeps_its_schema() -> None:
    line = LedgerLine(outcome=Outcome.STORED, id="1", name="a.jpg")
    full = LedgerLine(
        outcome=Outcome.DUPLICATE,
        id="1",
        name="a.jpg",
        path="photos/2019/07/a.jpg",
        reason="distance 3",
        of="photos/2019/07/a.jpg",
        method="perceptual",
        bytes=0,
        origins=("part-001.zip!a.jpg",),
        notes=("no sidecar",),
    )
    for outcome in Outcome:
        assert _problems("ledger", msgspec.structs.replace(line, outcome=outcome)) == []
    assert _problems("ledger", full) == []
    assert _problems("ledger", {"outcome": "lost", "id": "1", "name": "a.jpg"}) != []


def test_a_metadata_file_keeps_its_schema() -> None:
    stored = StoredFile(path="photos/a.jpg", sha256="0" * 64, size=7)
    original = StoredFile(sha256="1" * 64, size=9)
    source = SourceFacts(plugin="takeout", id="1", origins=("part-001.zip!a.heic",))
    bare = MetadataFile(source=source, name="a.heic", kind="photo", stored=stored, original=original)
    full = msgspec.structs.replace(
        bare,
        original=msgspec.structs.replace(original, path="photos/a.heic"),
        taken=TakenTime(
            origin="exif", wall="2019-07-03T14:22:05", offset=-120, instant=-1, local="2019-07-03T14:22:05-02:00"
        ),
        description="At the sea",
        location=Locations(source=Location(41.9, 12.5, 20.0), exif=Location(41.9, 12.5)),
        people=("Ada",),
        favorite=True,
        states=tuple(state.value for state in ItemState),
        archived=True,
        albums=(AlbumEntry(id="id1", title="Rome"),),
        camera="Apple iPhone 13 Pro",
        paired_with="2",
        transforms=(AppliedTransform(name="heic-to-jpeg", options={"quality": 95}, notes=("depth map lost",)),),
        notes=("approximate sidecar match",),
        raw={"title": "a.heic", "unknown": [1, None]},
    )
    assert _problems("metadata", bare) == []
    assert _problems("metadata", full) == []
    assert _problems("metadata", msgspec.json.decode(metadata_file.encode(full))) == []
    for origin in get_args(TimeOrigin):
        taken = TakenTime(origin=origin, local="2019-07-03T14:22:05+00:00")
        assert _problems("metadata", msgspec.structs.replace(bare, taken=taken)) == []
    for kind in Kind:
        assert _problems("metadata", msgspec.structs.replace(bare, kind=kind.value)) == []
    assert _problems("metadata", msgspec.structs.replace(bare, version=2)) != []
    assert _problems("metadata", msgspec.structs.replace(bare, stored=StoredFile(sha256="short", size=1))) != []


def test_an_album_file_keeps_its_schema() -> None:
    members = (AlbumMember(path="photos/a.jpg", name="a.jpg", taken=-1.5), AlbumMember(path="photos/b.jpg", name="b"))
    full = AlbumFile(id="id1", title="Rome", description="2019", members=members, raw={"title": "Rome"})
    assert _problems("album", AlbumFile(id="id1", title="")) == []
    assert _problems("album", full) == []
    assert _problems("album", {**msgspec.to_builtins(full), "members": [{"path": "photos/a.jpg"}]}) != []


def test_a_deduplication_file_keeps_its_schema() -> None:
    kept = {"path": "photos/a.jpg", "sha256": "0" * 64, "id": "1"}
    exact = {"id": "2", "name": "a(1).jpg", "profile": "nas", "method": "sha256", "distance": 0}
    near = {**exact, "method": "phash-1", "distance": 3, "path": "photos/b.jpg"}
    assert _problems("deduplication", {"version": 1, "groups": []}) == []
    assert _problems("deduplication", {"version": 1, "groups": [{"kept": kept, "copies": [exact, near]}]}) == []
    assert _problems("deduplication", {"version": 1, "groups": [{"kept": kept, "copies": []}]}) != []


def test_a_schema_that_is_not_there_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        schema_files.schema("nothing.schema.json")
