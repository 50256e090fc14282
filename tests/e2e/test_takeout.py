"""A Takeout library backed up to a folder, end to end."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from syncengine.testing.sample_library import TakeoutBuilder, make_sample_library, small_jpeg

# The command over a whole library, several times: together they take a quarter of a minute.
pytestmark = pytest.mark.slow

PROFILE = """\
version: 1
name: takeout
source:
  takeout: {path: takeout}
transforms: [heic-to-jpeg]
dedup:
  - sha256
  - perceptual: {on_match: report}
destination:
  filesystem: {path: backup}
timezone: Europe/Rome
"""
JULY = datetime(2019, 7, 3, 14, 22, 5, tzinfo=ZoneInfo("Europe/Rome"))


def run(desk, *arguments):
    done = desk.run("run", "profile.yaml", "--json", *arguments)
    assert done.code in (0, 1), done.err
    return done.json["runs"][0]


def documents(desk):
    """Return every metadata file by the item's original name."""
    found = [json.loads(path.read_text()) for path in (desk.directory / "backup/metadata/photos").rglob("*.json")]
    return {document["name"]: document for document in found}


@pytest.fixture
def takeout(desk):
    desk.write("profile.yaml", PROFILE)
    return desk.directory / "takeout"


def test_the_sample_library(desk, takeout):
    library = make_sample_library(takeout)
    report = run(desk)
    assert report["complete"] is True
    assert report["listed"] == library.items
    assert report["outcomes"]["failed"] == len(library.corrupt)
    assert report["outcomes"]["duplicate"] == len(library.exact_duplicates)
    assert report["outcomes"]["stored"] == library.contents - len(library.corrupt)
    assert report["near_duplicates"] == len(library.near_duplicates)
    assert report["inventory"]["media"] == library.media_files
    assert report["inventory"]["sidecars"] == library.sidecars

    found = documents(desk)
    backup = desk.directory / "backup"
    for document in found.values():
        stored = backup / document["stored"]["path"]
        if "instant" in document["taken"]:
            assert stored.stat().st_mtime == document["taken"]["instant"] / 1000
        if stored.suffix == ".jpg" and document["name"].endswith(".HEIC"):
            with Image.open(stored) as image:
                assert image.format == "JPEG"
                image.load()
    still, movie = library.live_photo
    assert found[still]["paired_with"] == found[movie]["source"]["id"]
    assert found[movie]["taken"]["instant"] == found[still]["taken"]["instant"]
    original, edited = library.edited
    assert found[edited]["taken"]["instant"] == found[original]["taken"]["instant"]
    assert all(found[name]["archived"] for name in library.archived)
    assert all("trashed" in found[name]["states"] for name in library.trashed)
    name, day = library.without_sidecar
    assert found[name]["taken"]["local"].startswith(day)
    for title, members in library.albums.items():
        album = json.loads((backup / "albums" / title / "album.json").read_text())
        assert {member["name"] for member in album["members"]} == set(members)
        for member in album["members"]:
            link = backup / "albums" / title / Path(member["path"]).name
            assert os.path.samefile(link, backup / member["path"])

    again = desk.run("run", "profile.yaml")
    assert "nothing changed" in again.out


def test_a_later_export_merges(desk, takeout):
    takeout.mkdir()
    first = TakeoutBuilder()
    first.album("Rome", "Rome")
    kept = first.photo("Photos from 2019", "IMG_1.jpg", taken=JULY, description="old")
    first.photo("Photos from 2019", "IMG_2.jpg", taken=JULY)
    first.write_zip(takeout / "takeout-20250101T000000Z-001.zip", 1)
    assert run(desk)["outcomes"]["stored"] == 2

    second = TakeoutBuilder()
    second.album("Paris", "Paris")
    second.photo("Photos from 2019", "IMG_1.jpg", kept, taken=JULY, description="new", favorite=True)
    second.photo("Paris", "IMG_1.jpg", kept, taken=JULY, description="new", favorite=True)
    second.photo("Photos from 2019", "IMG_3.jpg", taken=JULY)
    second.write_zip(takeout / "takeout-20260101T000000Z-001.zip", 1)
    report = run(desk)
    assert report["outcomes"] == {
        "stored": 1, "unchanged": 1, "duplicate": 0, "updated": 1, "filtered": 0, "failed": 0,
    }  # fmt: skip
    assert report["bytes_read"] == len(small_jpeg("IMG_3.jpg"))
    document = documents(desk)["IMG_1.jpg"]
    assert (document["description"], document["favorite"]) == ("new", True)
    assert [album["title"] for album in document["albums"]] == ["Paris"]
    assert (desk.directory / "backup/albums/Paris/IMG_1.jpg").is_file()
    assert len(document["source"]["origins"]) == 3
    assert "nothing changed" in desk.run("run", "profile.yaml").out

    (takeout / "takeout-20250101T000000Z-001.zip").unlink()
    report = run(desk)
    assert (report["listed"], report["outcomes"]["stored"]) == (2, 0)
    assert len(desk.files("backup/photos")) == 3


def test_a_part_that_is_missing_is_named_and_the_rest_is_backed_up(desk, takeout):
    takeout.mkdir()
    builder = TakeoutBuilder()
    builder.photo("Photos from 2019", "IMG_1.jpg", taken=JULY, parts=(1, 3))
    builder.photo("Photos from 2019", "IMG_2.jpg", taken=JULY, parts=(3, 3))
    for number in (1, 3):
        builder.write_zip(takeout / f"takeout-20250101T000000Z-{number:03}.zip", number)
    (takeout / "takeout-20250101T000000Z-004.zip.crdownload").write_bytes(b"PK\3\4 not all of it")
    done = desk.run("run", "profile.yaml")
    assert done.code == 1
    assert "NOT COMPLETE" in done.out
    assert "002" in done.out
    assert "crdownload" in done.out
    assert len(desk.files("backup/photos")) == 2


def test_an_unpacked_tree_and_a_tgz_are_the_same_library(desk, takeout):
    import tarfile

    builder = TakeoutBuilder()
    builder.photo("Photos from 2019", "IMG_1.jpg", taken=JULY)
    builder.photo("Photos from 2019", "IMG_2.jpg", taken=JULY)
    builder.write_folder(desk.directory / "unpacked")
    takeout.mkdir()
    with tarfile.open(takeout / "takeout-20250101T000000Z-001.tgz", "w:gz") as archive:
        archive.add(desk.directory / "unpacked/Takeout", "Takeout")
    assert run(desk)["outcomes"]["stored"] == 2
    (desk.directory / "unpacked/Takeout").rename(takeout / "Takeout")
    report = run(desk)
    assert report["outcomes"]["stored"] == 0
    assert len(desk.files("backup/photos")) == 2


def test_one_album_of_the_library(desk, takeout):
    library = make_sample_library(takeout)
    title, members = next(iter(library.albums.items()))
    report = run(desk, "--album", title)
    assert report["outcomes"]["stored"] == len(members)
    assert {path.name for path in (desk.directory / "backup/albums").iterdir()} == {title}


@pytest.mark.parametrize("content", [b"", b"PK\5\6", b"PK\3\4" + b"\0" * 100, b"not an archive"])
def test_an_archive_that_is_none_is_named(desk, takeout, content):
    takeout.mkdir()
    builder = TakeoutBuilder()
    builder.photo("Photos from 2019", "IMG_1.jpg", taken=JULY)
    builder.write_zip(takeout / "takeout-20250101T000000Z-001.zip", 1)
    (takeout / "takeout-20260101T000000Z-001.zip").write_bytes(content)
    done = desk.run("run", "profile.yaml")
    assert done.code == 1
    assert "takeout-20260101T000000Z-001.zip" in done.out
    assert "NOT COMPLETE" in done.out
    assert len(desk.files("backup/photos")) == 1


def test_a_takeout_folder_without_any_takeout(desk, takeout):
    takeout.mkdir()
    done = desk.run("run", "profile.yaml")
    assert (done.code, len(done.err.splitlines())) == (3, 1)


def test_times_without_a_zone_follow_the_profile(desk, takeout):
    takeout.mkdir()
    builder = TakeoutBuilder()
    builder.photo("Photos from 2018", "IMG_1.jpg", taken=datetime(2018, 12, 31, 23, 46, 40, tzinfo=UTC))
    builder.write_zip(takeout / "takeout-20250101T000000Z-001.zip", 1)
    run(desk)
    assert list(desk.files("backup/photos")) == ["2019/01/IMG_1.jpg"]
