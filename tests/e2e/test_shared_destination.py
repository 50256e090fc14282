"""Two profiles with one destination, run by two processes at the same time."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.slow

PROFILE = """\
version: 1
name: {name}
source:
  folder: {{path: {name}, folders_as_albums: true}}
dedup: [sha256]
destination:
  filesystem: {{path: backup}}
layout: {{metadata: [json, xmp]}}
timezone: Europe/Rome
"""
PHOTOS = 60


@pytest.fixture
def shared(desk):
    """Two libraries: half of each is in the other one as well, under other names and in another album."""
    for name in ("north", "south"):
        desk.write(f"{name}.yaml", PROFILE.format(name=name))
        for number in range(PHOTOS):
            content = f"shared {number}" if number % 2 else f"{name} {number}"
            desk.write(f"{name}/{name} album/IMG_{number}.jpg", "\N{REPLACEMENT CHARACTER}" + content)
    return desk


def run_both(desk):
    """Start both profiles together and return their reports."""
    processes = [desk.start("run", f"{name}.yaml", "--json") for name in ("north", "south")]
    reports = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        reports.append(json.loads(out)["runs"][0])
    return reports


def assert_the_destination_is_whole(desk):
    stored = {path: content for path, content in desk.files("backup/photos").items() if not path.endswith(".xmp")}
    wanted = set(desk.files("north").values()) | set(desk.files("south").values())
    assert sorted(stored.values()) == sorted(wanted)
    listed = (desk.directory / "backup/metadata/checksums.sha256").read_text().splitlines()
    assert len(listed) == len(desk.files("backup/photos"))
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "metadata/checksums.sha256"], cwd=desk.directory / "backup", check=False
    )
    assert checked.returncode == 0
    for name in ("north", "south"):
        album = desk.directory / f"backup/albums/{name} album"
        members = json.loads((album / "album.json").read_text())["members"]
        assert len(members) == len(list(album.iterdir())) - 1 == PHOTOS
        for member in members:
            document = json.loads((desk.directory / f"backup/metadata/{member['path']}.json").read_text())
            assert f"{name} album" in [entry["title"] for entry in document["albums"]]


def test_each_photo_is_stored_once_and_is_in_the_albums_of_both(shared):
    reports = run_both(shared)
    assert sum(report["outcomes"]["stored"] for report in reports) == PHOTOS + PHOTOS // 2
    assert sum(report["outcomes"]["duplicate"] for report in reports) == PHOTOS // 2
    assert_the_destination_is_whole(shared)
    assert [report["outcomes"]["unchanged"] for report in run_both(shared)] == [PHOTOS, PHOTOS]


def test_what_vanished_is_put_back_once(shared):
    run_both(shared)
    for path in (shared.directory / "backup/photos").rglob("*.jpg"):
        path.unlink()
    run_both(shared)
    assert_the_destination_is_whole(shared)


def test_a_mirror_takes_nothing_from_a_profile_that_nothing_tells_of_any_more(shared):
    for name in ("north", "south"):
        shared.write(f"{name}.yaml", PROFILE.format(name=name) + "sync: {mode: mirror}\n")
        assert shared.run("run", f"{name}.yaml").code == 0
    shutil.rmtree(shared.directory / "backup/metadata/catalog")
    (shared.directory / "backup/metadata/deduplication.json").unlink()
    shutil.rmtree(shared.directory / "state")
    before = shared.files("backup/photos")

    made = shared.run("state", "rebuild", "south.yaml")
    assert made.code == 0
    assert f"guessed  {PHOTOS + PHOTOS // 2:>9,}" in made.out
    assert shared.run("run", "south.yaml").code == 0
    (shared.directory / "south/south album/IMG_1.jpg").unlink()
    left = shared.run("run", "south.yaml", "--yes", "--json")
    assert left.code == 0
    (report,) = left.json["runs"]
    assert report["removed"] == 0
    assert any("another profile" in text and "--alone" in text for text in report["warnings"])
    assert shared.files("backup/photos") == before
    assert "another profile" in shared.run("plan", "south.yaml").out

    refused = shared.run("state", "rebuild", "south.yaml", "--alone")
    assert (refused.code, "profile north has run there" in refused.err) == (3, True)
    assert shared.run("run", "south.yaml", "--yes", "--json").json["runs"][0]["removed"] == 0
    assert shared.files("backup/photos") == before
    assert shared.run("state", "check", "south.yaml").code == 0


def test_a_profile_that_is_alone_may_say_so(desk):
    desk.write("profile.yaml", desk.profile.read_text() + "sync: {mode: mirror}\n")
    assert desk.run("run", "profile.yaml").code == 0
    for lost in ("backup/metadata", "state"):
        shutil.rmtree(desk.directory / lost)
    assert desk.run("state", "rebuild", "profile.yaml").code == 0
    assert desk.run("run", "profile.yaml").code == 0
    (desk.directory / "photos/IMG_20200101_000001.jpg").unlink()
    assert desk.run("run", "profile.yaml", "--json").json["runs"][0]["removed"] == 0
    said = desk.run("state", "rebuild", "profile.yaml", "--alone")
    assert (said.code, "guessed" in said.out) == (0, False)
    assert desk.run("state", "check", "profile.yaml").code == 0
    assert desk.run("run", "profile.yaml", "--json").json["runs"][0]["removed"] == 1
    assert desk.run("trash", "restore", "profile.yaml", "--all").code == 0
