"""A library that shrinks, a mirror that follows, a trash that gives everything back."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def mirror(desk: Any) -> Any:
    """A desk whose profile mirrors; six photos are backed up."""
    for shade in (11, 12, 14):
        desk.photo(f"Paris/IMG_202102{shade}_120000.jpg", shade)
    mirrors = "sync: {mode: mirror}\nlayout: {metadata: [json, xmp]}\n"
    desk.write("profile.yaml", desk.profile.read_text() + mirrors)
    assert desk.run("run", "profile.yaml").code == 0
    return desk


def tree(desk: Any) -> dict[str, tuple[bytes, float, int]]:
    """Return what a person sees of the library: bytes, times of photos and of their names in albums, how many names."""
    root = desk.directory / "backup"
    found = {}
    for top in ("photos", "albums", "metadata"):
        for path in sorted((root / top).rglob("*")):
            name = str(path.relative_to(root))
            if path.is_file() and not name.startswith("metadata/catalog"):
                is_photo = path.suffix == ".jpg"
                stat = path.stat()
                found[name] = (path.read_bytes(), stat.st_mtime if is_photo else 0, stat.st_nlink)
            elif path.is_dir():
                found[name] = (b"", 0, 0)
    del found["metadata/catalog"]
    return found


def test_a_mirror_run_is_undone_to_the_last_byte(mirror: Any) -> None:
    before = tree(mirror)
    shutil.rmtree(mirror.directory / "photos/Paris")
    refused = mirror.run("run", "profile.yaml")
    assert refused.code == 1
    assert "nothing was removed: 3 of 6 stored files left the source" in refused.out
    assert tree(mirror) == before

    rehearsed = mirror.run("run", "profile.yaml", "--dry-run", "--max-delete", "3", "--json").json["runs"][0]
    assert (rehearsed["removed"], rehearsed["removal_refused"]) == (3, "")
    assert tree(mirror) == before

    removed = mirror.run("run", "profile.yaml", "--yes", "--json")
    assert (removed.code, removed.json["runs"][0]["removed"]) == (0, 3)
    root = mirror.directory / "backup"
    assert not (root / "albums/Paris").exists()
    assert not (root / "photos/2021").exists()
    assert "Paris" not in (root / "metadata/checksums.sha256").read_text()

    run = removed.json["runs"][0]["run"]
    listed = mirror.run("trash", "list", "profile.yaml", "--json").json["entries"]
    assert [entry["run"] for entry in listed] == [run] * 3
    assert mirror.run("trash", "list", "profile.yaml").out.endswith(" kB\n")
    restored = mirror.run("trash", "restore", "profile.yaml", "--run", run)
    assert restored.code == 0, restored.err
    assert tree(mirror) == before
    again = mirror.run("run", "profile.yaml", "--json").json["runs"][0]
    assert (again["removed"], again["bytes_written"], again["outcomes"]["unchanged"]) == (0, 0, 3)
    assert tree(mirror) == before
    assert mirror.run("trash", "list", "profile.yaml").out == "the trash is empty\n"


def test_some_of_it_comes_back_and_the_rest_is_emptied(mirror: Any) -> None:
    shutil.rmtree(mirror.directory / "photos/Paris")
    assert mirror.run("run", "profile.yaml", "--max-delete", "50%").code == 0
    entries = mirror.run("trash", "list", "profile.yaml", "--json").json["entries"]
    by_id = mirror.run("trash", "restore", "profile.yaml", entries[0]["id"], "--json").json["restored"]
    assert [one["path"] for one in by_id] == [entries[0]["path"]]
    by_path = mirror.run("trash", "restore", "profile.yaml", entries[1]["path"])
    assert by_path.code == 0
    assert mirror.run("trash", "restore", "profile.yaml", "nothing*").code == 2
    assert mirror.run("trash", "restore", "profile.yaml").code == 2

    assert mirror.run("trash", "empty", "profile.yaml").code == 2
    assert (
        mirror.run("trash", "empty", "profile.yaml", "--yes", "--older-than", "1d").out == "0 removed for good, 0 B\n"
    )
    emptied = mirror.run("trash", "empty", "profile.yaml", "--yes", "--json").json
    assert emptied["removed"] == 1
    assert mirror.run("trash", "list", "profile.yaml", "--json").json == {"entries": [], "damaged": []}
    assert not (mirror.directory / "backup/.syncengine/trash").exists()
    assert mirror.run("verify", "profile.yaml").code == 0


def test_a_source_that_is_gone_or_empty_removes_nothing(mirror: Any) -> None:
    before = tree(mirror)
    (mirror.directory / "photos").rename(mirror.directory / "elsewhere")
    assert mirror.run("run", "profile.yaml", "--yes").code == 3
    (mirror.directory / "photos").mkdir()
    refused = mirror.run("run", "profile.yaml", "--yes")
    assert refused.code != 0
    assert tree(mirror) == before
    assert mirror.run("run", "profile.yaml", "--yes", "--album", "Rome").code in (0, 1, 3)
    assert tree(mirror) == before


def test_a_lost_state_is_no_reason_to_remove(mirror: Any) -> None:
    shutil.rmtree(mirror.directory / "photos/Paris")
    shutil.rmtree(mirror.directory / "state")
    report = mirror.run("run", "profile.yaml", "--json").json["runs"][0]
    assert report["removed"] == 0
    assert len(report["removals"]) in (0, 3)
    assert len([name for name in mirror.files() if name.startswith("photos/2021")]) == 6


def test_what_was_removed_stays_forgotten_when_the_state_is_lost(mirror: Any) -> None:
    shutil.rmtree(mirror.directory / "photos/Paris")
    assert mirror.run("run", "profile.yaml", "--yes").code == 0
    shutil.rmtree(mirror.directory / "state")
    report = mirror.run("run", "profile.yaml", "--json").json["runs"][0]
    assert (report["outcomes"]["unchanged"], report["bytes_written"], report["removed"]) == (3, 0, 0)
    assert mirror.run("trash", "restore", "profile.yaml", "--all").code == 0
    shutil.rmtree(mirror.directory / "state")
    report = mirror.run("run", "profile.yaml", "--yes", "--json").json["runs"][0]
    assert report["removed"] == 0
    assert len([name for name in mirror.files() if name.startswith("photos/2021")]) == 6


def test_a_profile_that_runs_keeps_its_trash_to_itself(mirror: Any) -> None:
    locks = list((mirror.directory / "state/locks").iterdir())
    held = [os.open(path, os.O_RDWR) for path in locks if not path.name.startswith("destination-")]
    try:
        for lock in held:
            fcntl.flock(lock, fcntl.LOCK_EX)
        assert mirror.run("trash", "restore", "profile.yaml", "--all").code == 4
        assert mirror.run("trash", "empty", "profile.yaml", "--yes").code == 4
    finally:
        for lock in held:
            os.close(lock)


@pytest.mark.parametrize("attempt", range(4))
def test_a_mirror_run_that_is_killed_is_finished_by_the_next(mirror: Any, attempt: int) -> None:
    for number in range(40):
        mirror.photo(f"Many/IMG_20220101_{number:06}.jpg", number * 5 + 3)
    assert mirror.run("run", "profile.yaml").code == 0
    before, photos = tree(mirror), _photos(mirror.directory / "backup")
    shutil.rmtree(mirror.directory / "photos/Many")
    process = mirror.start("run", "profile.yaml", "--yes")
    _kill_in_the_trash(process, mirror.directory / "backup/.syncengine/trash", attempt)
    assert _photos(mirror.directory / "backup") == photos

    report: dict[str, Any] = mirror.run("run", "profile.yaml", "--yes", "--json").json["runs"][0]
    assert report["complete"]
    verified = mirror.run("verify", "profile.yaml")
    assert verified.code == 0, verified.out
    assert _photos(mirror.directory / "backup") == photos
    assert mirror.run("trash", "restore", "profile.yaml", "--all").code == 0
    assert tree(mirror) == before
    assert mirror.run("run", "profile.yaml", "--json").json["runs"][0]["bytes_written"] == 0
    assert tree(mirror) == before


def _kill_in_the_trash(process: Any, trash: Path, attempt: int) -> None:
    """Kill a run some moments after its trash came to be; at which moment makes no difference to what must hold."""
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        if any(trash.rglob("entries.jsonl")):
            time.sleep(attempt * 0.002)
            process.send_signal(signal.SIGKILL)
            break
    process.communicate()


def _photos(root: Path) -> set[bytes]:
    """Return the bytes of every photo in the library and in the trash."""
    places = [root / "photos", root / ".syncengine/trash"]
    return {path.read_bytes() for place in places for path in place.rglob("*.jpg") if path.is_file()}


@pytest.fixture
def damaged(mirror: Any) -> Any:
    """A desk whose three photos of Paris are in the trash, and the second line about them is damaged."""
    mirror.before = tree(mirror)
    shutil.rmtree(mirror.directory / "photos/Paris")
    assert mirror.run("run", "profile.yaml", "--yes").code == 0
    (mirror.entries,) = (mirror.directory / "backup/.syncengine/trash").rglob("entries.jsonl")
    lines = mirror.entries.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1][:200] + b"\xff" + lines[1][201:]
    mirror.entries.write_bytes(b"".join(lines))
    mirror.told = f".syncengine/trash/{mirror.entries.parent.name}/entries.jsonl: line 2 is damaged"
    return mirror


@pytest.mark.parametrize("lost", [(), ("metadata/catalog",)])
def test_a_damaged_line_is_told_and_its_photo_comes_back_whole(damaged: Any, lost: tuple[str, ...]) -> None:
    for path in lost:
        shutil.rmtree(damaged.directory / "backup" / path)
    listed = damaged.run("trash", "list", "profile.yaml")
    assert (listed.code, damaged.told in listed.err) == (0, True)
    assert "(its entry was damaged)" in listed.out
    assert "3 in the trash" in listed.out
    (line,) = damaged.run("trash", "list", "profile.yaml", "--json").json["damaged"]
    assert (line["line"], line["file"] in damaged.told) == (2, True)
    restored = damaged.run("trash", "restore", "profile.yaml", "*")
    assert (restored.code, damaged.told in restored.err) == (0, True)
    assert "3 of 3 brought back" in restored.out
    assert tree(damaged) == {path: entry for path, entry in damaged.before.items() if path not in lost}
    assert damaged.run("trash", "list", "profile.yaml").out == "the trash is empty\n"
    assert damaged.run("verify", "profile.yaml").code == 0
    report = damaged.run("run", "profile.yaml", "--yes", "--json").json["runs"][0]
    assert (report["removed"], report["bytes_written"], report["warnings"]) == (0, 0, [])


def test_what_a_damaged_line_hides_for_good_stays_and_is_named(damaged: Any) -> None:
    shutil.rmtree(damaged.directory / "backup/metadata/catalog")
    held = damaged.entries.parent
    papers = {path: path.read_bytes() for path in held.rglob("*.json")}
    for path in papers:
        path.write_bytes(b"{")
    restored = damaged.run("trash", "restore", "profile.yaml", "--all", "--json")
    assert restored.code == 1
    refused = [one for one in restored.json["restored"] if not one["path"]]
    assert len(refused) == 3  # The photo, its sidecar, its metadata file.
    assert all("its entry is damaged" in one["problem"] for one in refused)
    left = damaged.files("backup/.syncengine/trash")
    emptied = damaged.run("trash", "empty", "profile.yaml", "--yes")
    assert (emptied.code, damaged.told in emptied.err) == (1, True)
    assert emptied.out.count("stays: its entry is damaged") == 3
    assert damaged.files("backup/.syncengine/trash") == left
    (paper,) = held.rglob("*.json")  # The others came back, damaged as they are.
    paper.write_bytes(papers[paper])
    again = damaged.run("trash", "restore", "profile.yaml", "--all")
    assert (again.code, "1 of 1 brought back" in again.out) == (0, True)
