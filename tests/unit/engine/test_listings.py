"""``checksums.sha256`` and ``deduplication.json``."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from syncengine.engine import listings, sorted_lines
from syncengine.engine.papers import Papers
from syncengine.engine.sorted_lines import SortedLines
from syncengine.records import ContentRecord
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def record(path, **facts):
    stored = digest(path)
    fields = {
        "content": digest("source of " + path),
        "path": path,
        "source_sha256": digest("source of " + path),
        "stored_sha256": stored,
        "source_size": 1,
        "stored_size": 1,
        "mtime": None,
        "item": f"id of {path}",
        "name": path,
        "profile": "test",
    }
    return ContentRecord(**{**fields, **facts})


class Contents:
    """A state that knows contents and nothing else."""

    def __init__(self, *records):
        self.records = records

    def all_contents(self):
        return iter(self.records)


@pytest.fixture
def written(tmp_path):
    """Writes one listing of some contents and returns its bytes."""
    destination = MemoryDestination(MemoryDestinationOptions())
    destination.open()

    def write(listing, path, *records):
        papers = Papers(destination, tmp_path)
        listing(Contents(*records), papers, tmp_path)
        assert papers.place() == []
        assert list(tmp_path.iterdir()) == []
        return destination.read(path).read()

    return write


def test_every_file_has_a_line_sorted_by_path(written):
    found = written(
        listings.write_checksums,
        listings.CHECKSUMS,
        record("photos/b.jpg"),
        record("photos/a.jpg", original_path="photos/a.heic"),
        record("photos/é .jpg", sidecar_path="photos/é .jpg.xmp", sidecar_sha256=digest("sidecar")),
    )
    assert found.decode().splitlines() == [
        f"{digest('source of photos/a.jpg').hex()}  photos/a.heic",
        f"{digest('photos/a.jpg').hex()}  photos/a.jpg",
        f"{digest('photos/b.jpg').hex()}  photos/b.jpg",
        f"{digest('photos/é .jpg').hex()}  photos/é .jpg",
        f"{digest('sidecar').hex()}  photos/é .jpg.xmp",
    ]


def test_a_destination_with_nothing_has_an_empty_list(written):
    assert written(listings.write_checksums, listings.CHECKSUMS) == b""
    found = written(listings.write_deduplication, listings.DEDUPLICATION)
    assert msgspec.json.decode(found) == {"version": 1, "groups": []}


def test_groups_name_what_is_kept_and_each_copy_with_its_method(written):
    kept = record("photos/a.jpg", copies=(("test", "2", "copy.jpg", "sha256", 0),))
    alike = record("photos/b.jpg", near=((kept.content, "phash-1", 3),))
    alone = record("photos/c.jpg")
    found = msgspec.json.decode(written(listings.write_deduplication, listings.DEDUPLICATION, alone, alike, kept))
    (group,) = found["groups"]
    assert group["kept"] == {
        "path": "photos/a.jpg",
        "sha256": kept.stored_sha256.hex(),
        "id": "id of photos/a.jpg",
    }
    assert [(copy["name"], copy["method"], copy["distance"], copy.get("path")) for copy in group["copies"]] == [
        ("copy.jpg", "sha256", 0, None),
        ("photos/b.jpg", "phash-1", 3, "photos/b.jpg"),
    ]


def test_groups_are_sorted_by_path(written):
    records = [record(f"photos/{name}.jpg", copies=(("test", "x", "x", "sha256", 0),)) for name in "cab"]
    found = msgspec.json.decode(written(listings.write_deduplication, listings.DEDUPLICATION, *records))
    assert [group["kept"]["path"] for group in found["groups"]] == [f"photos/{name}.jpg" for name in "abc"]


def test_more_lines_than_memory_should_hold_are_sorted_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(sorted_lines, "_RUN", 10)
    lines = SortedLines(tmp_path)
    wanted = [b"%05d\n" % number for number in range(95)]
    for line in reversed(wanted):
        lines.add(line)
    assert list(lines) == wanted
    lines.close()
    assert list(tmp_path.iterdir()) == []
