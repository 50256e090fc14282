"""``syncengine verify``: every kind of damage, interrupted and taken up again, beside a run."""

from __future__ import annotations

import os
import signal
import time

import jsonschema
import pytest

from syncengine.config import schema_files
from syncengine.state.locks import profile_lock

MAY = "photos/2019/07"


def kinds(done):
    return {finding["path"]: finding["kind"] for finding in done.json["findings"]}


def flip(path):
    with path.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)[0]
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last ^ 1]))


def test_all_is_well_and_sha256sum_agrees(desk):
    assert desk.run("run", "profile.yaml").code == 0
    done = desk.run("verify", "profile.yaml")
    assert (done.code, done.err) == (0, "")
    assert "intact             3" in done.out
    assert "Everything that is recorded is there and intact." in done.out
    done = desk.run("verify", "profile.yaml", "--json")
    jsonschema.validate(done.json, schema_files.schema("verify.schema.json"))
    assert (done.code, done.json["proof"], done.json["findings"]) == (0, True, [])


@pytest.mark.slow
def test_the_status_says_when_it_was_verified(desk):
    assert desk.run("run", "profile.yaml").code == 0
    assert "verified" not in desk.run("status").out
    assert desk.run("verify", "profile.yaml").code == 0
    assert "verified today: 3 files were read back and intact" in desk.run("status", "profile.yaml").out
    assert desk.run("status", "--json").json["profiles"][0]["verified"]["files"] == 3


def test_every_kind_of_damage_is_found_and_named(desk):
    for number in range(4):
        desk.photo(f"IMG_20190703_00000{number}.jpg", 50 + number)
    assert desk.run("run", "profile.yaml").code == 0
    backup = desk.directory / "backup"
    flip(backup / MAY / "IMG_20190703_000000.jpg")
    with (backup / MAY / "IMG_20190703_000001.jpg").open("r+b") as stream:
        stream.truncate(100)
    (backup / MAY / "IMG_20190703_000002.jpg").unlink()
    (backup / MAY / "IMG_20190703_000002.jpg").symlink_to("/etc/hostname")
    (backup / MAY / "IMG_20190703_000003.jpg").unlink()
    os.mkfifo(backup / MAY / "IMG_20190703_000003.jpg")
    (backup / MAY / "IMG_20190704_080000.jpg").rename(backup / MAY / "\x1b[31mred.jpg")
    (backup / "albums/Rome/IMG_20190703_142205.jpg").unlink()
    (backup / "photos/stranger.txt").write_text("x")
    done = desk.run("verify", "profile.yaml", "--json")
    assert done.code == 1
    assert kinds(done) == {
        f"{MAY}/IMG_20190703_000000.jpg": "flipped",
        f"{MAY}/IMG_20190703_000001.jpg": "truncated",
        f"{MAY}/IMG_20190703_000002.jpg": "missing",
        f"{MAY}/IMG_20190703_000003.jpg": "missing",
        f"{MAY}/IMG_20190704_080000.jpg": "renamed",
        "albums/Rome/IMG_20190703_142205.jpg": "link",
        "photos/stranger.txt": "extra",
    }
    shown = desk.run("verify", "profile.yaml")
    assert shown.code == 1
    assert "NOT ALL WELL" in shown.out
    assert "\x1b" not in shown.out


@pytest.mark.slow
def test_a_part_of_it(desk):
    assert desk.run("run", "profile.yaml").code == 0
    done = desk.run("verify", "profile.yaml", "--sample", "50%")
    assert done.code == 0
    assert "a sample of 50% was to be read: 2 files (seed " in done.out
    assert "Everything that was looked at is there and intact." in done.out
    assert desk.run("verify", "profile.yaml", "--since", "30d", "--json").json["checked"] == 3
    assert desk.run("verify", "profile.yaml", "--since", "2099-01-01", "--json").json["checked"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("--sample", "5"), ("--since", "soon"), ("--sample", "5%", "--since", "1d")])
def test_what_makes_no_sense_is_refused(desk, arguments):
    done = desk.run("verify", "profile.yaml", *arguments)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)


@pytest.mark.slow
def test_without_a_destination_or_a_run_it_could_not(desk):
    assert desk.run("verify", "profile.yaml").code == 3
    (desk.directory / "backup").mkdir()
    done = desk.run("verify", "profile.yaml")
    assert (done.code, done.out, len(done.err.splitlines())) == (3, "", 1)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_in_the_midst_it_goes_on_from_there(desk, how):
    for number in range(3):
        desk.write(f"photos/{number}.jpg", "x" * (40 << 20) + str(number))
    assert desk.run("run", "profile.yaml").code == 0
    process = desk.start("verify", "profile.yaml", "--json")
    file = desk.directory / "state/profiles/test/verify.jsonl"
    while process.poll() is None and not file.exists():
        time.sleep(0.005)
    process.send_signal(how)
    out, _ = process.communicate(timeout=60)
    assert process.returncode in (130, -how, 0)  # A quick machine may have come to the end.
    if process.returncode == 130:
        assert '"ended":"interrupted"' in out
    done = desk.run("verify", "profile.yaml", "--json")
    assert (done.code, done.json["checked"], done.json["proof"]) == (0, 6, True)
    assert not file.exists()


@pytest.mark.slow
def test_beside_runs_nothing_is_reported_that_the_runs_did(desk):
    assert desk.run("run", "profile.yaml").code == 0
    for number in range(300):
        desk.photo(f"Rome/IMG_20200101_1{number:05d}.jpg", number % 256)
        with (desk.directory / f"photos/Rome/IMG_20200101_1{number:05d}.jpg").open("ab") as stream:
            stream.write(str(number).encode())
    running = desk.start("run", "profile.yaml")
    verdicts = []
    while running.poll() is None:
        done = desk.run("verify", "profile.yaml", "--json", "--restart")
        verdicts.append((done.code, done.json["findings"]))
    running.communicate()
    assert verdicts
    assert set(map(str, verdicts)) == {"(0, [])"}
    assert desk.run("verify", "profile.yaml", "--json").json["checked"] == 303


@pytest.mark.slow
def test_another_verification_is_under_way(desk):
    assert desk.run("run", "profile.yaml").code == 0
    with profile_lock(desk.directory / "state", "test (verify)"):
        done = desk.run("verify", "profile.yaml")
    assert (done.code, done.out, len(done.err.splitlines())) == (4, "", 1)
