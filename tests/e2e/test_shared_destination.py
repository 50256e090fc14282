"""Two profiles with one destination, run by two processes at the same time."""

from __future__ import annotations

import json
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
