"""``syncengine run`` and what it leaves at the destination."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import jsonschema
import pytest

from syncengine.config import schema_files


def test_a_first_run_a_second_and_one_after_changes(desk):
    first = desk.run("run", "profile.yaml")
    assert (first.code, first.err) == (0, "")
    assert "stored             3" in first.out
    assert "every one of them in exactly one line above" in first.out
    assert "Complete: the source listed all it has, and its own numbers agree" in first.out
    files = desk.files()
    assert {"photos/2019/07/IMG_20190703_142205.jpg", "photos/2020/01/IMG_20200101_000001.jpg"} <= set(files)
    assert {"albums/Rome/IMG_20190703_142205.jpg", "albums/Rome/album.json"} <= set(files)
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "metadata/checksums.sha256"], cwd=desk.directory / "backup", check=False
    )
    assert checked.returncode == 0

    second = desk.run("run", "profile.yaml")
    assert second.code == 0
    assert "nothing changed" in second.out
    after = desk.files()
    assert {path: after[path] for path in files} == files
    assert {path.partition("/")[0] for path in set(after) - set(files)} == {"logs"}

    desk.photo("Rome/IMG_20190705_090000.jpg", 33)
    third = desk.run("run", "profile.yaml", "--json")
    (report,) = third.json["runs"]
    assert (report["outcomes"]["stored"], report["outcomes"]["unchanged"], report["complete"]) == (1, 3, True)


def test_the_papers_keep_their_schemas(desk):
    run = desk.run("run", "profile.yaml", "--json").json["runs"][0]
    backup = desk.directory / "backup"
    report = json.loads((backup / f"logs/backup_report_{run['run']}.json").read_text())
    assert report == run
    jsonschema.validate(report, schema_files.schema("report.schema.json"))
    for line in (backup / f"logs/ledger_{run['run']}.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema_files.schema("ledger.schema.json"))
    for path in backup.glob("metadata/photos/**/*.json"):
        jsonschema.validate(json.loads(path.read_text()), schema_files.schema("metadata.schema.json"))
    for path in backup.glob("albums/*/album.json"):
        jsonschema.validate(json.loads(path.read_text()), schema_files.schema("album.schema.json"))
    deduplication = json.loads((backup / "metadata/deduplication.json").read_text())
    jsonschema.validate(deduplication, schema_files.schema("deduplication.schema.json"))


def test_a_dry_run_writes_nothing(desk):
    done = desk.run("run", "profile.yaml", "--dry-run")
    assert done.code == 0
    assert "Dry run" in done.out
    assert "stored             3" in done.out
    assert not (desk.directory / "backup").exists()


def test_one_album_only(desk):
    run = desk.run("run", "profile.yaml", "--album", "rome", "--json").json["runs"][0]
    assert (run["outcomes"]["stored"], run["filtered"]) == (2, {"albums": 1})


def test_a_limit(desk):
    assert desk.run("run", "profile.yaml", "--limit", "1", "--json").json["runs"][0]["outcomes"]["stored"] == 1


def test_some_items_failed(desk):
    (desk.directory / "photos/broken.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    profile = desk.profile.read_text().replace("dedup:", "transforms: [heic-to-jpeg]\ndedup:")
    desk.write("profile.yaml", profile)
    done = desk.run("run", "profile.yaml")
    assert done.code == 1
    assert "Failed (1)" in done.out
    assert "the untouched original is kept as photos/" in done.out
    assert any(path.endswith("/broken.heic") for path in desk.files("backup/photos"))


def test_one_bad_profile_does_not_stop_the_next(desk):
    desk.write("bad.yaml", "version: 2\n")
    done = desk.run("run", "bad.yaml", "profile.yaml")
    assert done.code == 2
    assert "bad.yaml:1:" in done.err
    assert "stored             3" in done.out


def test_a_source_that_is_not_there(desk):
    desk.write("profile.yaml", desk.profile.read_text().replace("path: photos", "path: nowhere"))
    done = desk.run("run", "profile.yaml")
    assert done.code == 3
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert "nowhere" in done.err


def test_a_destination_whose_parent_is_not_there(desk):
    desk.write("profile.yaml", desk.profile.read_text().replace("path: backup", "path: mnt/nas/backup"))
    done = desk.run("run", "profile.yaml")
    assert (done.code, len(done.err.splitlines())) == (3, 1)


def test_a_destination_that_was_swapped_for_an_empty_folder(desk):
    assert desk.run("run", "profile.yaml").code == 0
    (desk.directory / "backup").rename(desk.directory / "unmounted")
    (desk.directory / "backup").mkdir()
    done = desk.run("run", "profile.yaml")
    assert done.code == 3
    assert "is not the destination that profile test used before" in done.err
    assert not (desk.directory / "backup/photos").exists()


@pytest.mark.slow
def test_a_profile_that_is_running_already(desk):
    for number in range(300):
        desk.photo(f"many/IMG_{number}.jpg", number % 256)
    desk.write("profile.yaml", desk.profile.read_text() + "execution: {bandwidth: 2000}\n")
    first = desk.start("run", "profile.yaml")
    try:
        lock_appears(desk)
        second = desk.run("run", "profile.yaml")
        assert (second.code, second.out) == (4, "")
        assert second.err == "syncengine: profile test is already running; wait for it to end, or stop it\n"
        status = desk.run("status", "profile.yaml", "--json").json["profiles"][0]
        assert status["running"] is True
    finally:
        first.send_signal(signal.SIGTERM)
        out, err = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "interrupted" in out
    assert "stopping" in err
    assert desk.run("status", "--json").json["profiles"][0]["runs"][0]["ended"] == "interrupted"
    desk.write("profile.yaml", desk.profile.read_text().replace("execution: {bandwidth: 2000}\n", ""))
    done = desk.run("run", "profile.yaml", "--json").json["runs"][0]
    assert done["complete"] is True


@pytest.mark.slow
def test_a_killed_run_is_completed_by_the_next(desk):
    for number in range(200):
        desk.photo(f"many/IMG_{number}.jpg", number)
    desk.write("profile.yaml", desk.profile.read_text() + "execution: {bandwidth: 20kB/s}\n")
    first = desk.start("run", "profile.yaml")
    lock_appears(desk)
    time.sleep(0.5)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=60)
    desk.write("profile.yaml", desk.profile.read_text().replace("execution: {bandwidth: 20kB/s}\n", ""))
    assert desk.run("run", "profile.yaml").code == 0
    assert len(desk.files("backup/photos")) == len(set(desk.files("photos").values()))
    assert list((desk.directory / "backup/.syncengine/tmp").iterdir()) == []


def lock_appears(desk):
    locks = desk.directory / "state/locks"
    for _ in range(300):
        if locks.is_dir() and (desk.directory / "backup/.syncengine").is_dir():
            return
        time.sleep(0.05)
    raise AssertionError("the run did not begin")


def test_a_damaged_state_says_what_to_do(desk):
    assert desk.run("run", "profile.yaml").code == 0
    for path in (desk.directory / "state").rglob("data.mdb"):
        path.write_bytes(b"garbage" * 1000)
    done = desk.run("run", "profile.yaml")
    assert done.code == 3
    assert len(done.err.splitlines()) == 1
    assert str(desk.directory / "state") in done.err


def test_a_lost_state_stores_nothing_twice(desk):
    assert desk.run("run", "profile.yaml").code == 0
    before = desk.files("backup/photos")
    (desk.directory / "state").rename(desk.directory / "lost")
    assert desk.run("run", "profile.yaml").code == 0
    assert desk.files("backup/photos") == before
