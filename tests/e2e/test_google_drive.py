"""A library in Google Drive backed up to a folder, end to end: sign in, run, next export, run."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from syncengine.testing.google import BytesContent, Cut, GoogleEmulator
from syncengine.testing.sample_library import TakeoutBuilder, make_sample_library, small_jpeg

PROFILE = """\
version: 1
name: drive
source:
  google-drive-takeout: {{credentials: credentials.json, endpoint: "{endpoint}"}}
dedup: [sha256]
destination:
  filesystem: {{path: backup}}
timezone: Europe/Rome
"""
TAKEN = datetime(2019, 7, 3, 14, 22, 5, tzinfo=UTC)
DOWNLOADS = "drive.files.download"

pytestmark = pytest.mark.slow


@pytest.fixture
def google(desk) -> Iterator[GoogleEmulator]:
    with GoogleEmulator() as emulator:
        desk.write("profile.yaml", PROFILE.format(endpoint=emulator.url))
        desk.write("credentials.json", json.dumps(emulator.client_config()))
        log_in(desk)
        yield emulator


def log_in(desk) -> None:
    """Sign in as a person whose browser is elsewhere."""
    process = subprocess.Popen(
        [sys.executable, "-m", "syncengine", "auth", "login", "profile.yaml", "--no-browser"],
        cwd=desk.directory,
        env=desk.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while "/auth?" not in (line := process.stdout.readline()):
        assert line, process.communicate()[1]
    answer = requests.get(line.strip(), allow_redirects=False, timeout=10)
    answer.close()
    _, said = process.communicate(answer.headers["Location"] + "\n", timeout=60)
    assert process.returncode == 0, said


def export(*names: str) -> TakeoutBuilder:
    builder = TakeoutBuilder()
    for name in names:
        builder.photo("Photos from 2019", name, taken=TAKEN, description=f"about {name}")
    return builder


def upload(google, desk, name: str, builder: TakeoutBuilder) -> str:
    path = builder.write_zip(desk.directory / name)
    content = path.read_bytes()
    path.unlink()
    return google.library.drive.add_file(name, BytesContent(content)).id


def run(desk, *, code: int = 0):
    done = desk.run("run", "profile.yaml", "--json")
    assert done.code == code, done.err
    return done.json["runs"][0]


def test_each_export_brings_what_is_new(desk, google):
    names = [f"IMG_{number}.jpg" for number in range(8)]
    first = upload(google, desk, "takeout-20260101T000000Z-1-001.zip", export(*names))
    report = run(desk)
    assert report["complete"] is True
    assert report["outcomes"]["stored"] == 8

    google.counters.reset()
    report = run(desk)
    assert report["outcomes"]["unchanged"] == 8
    assert google.counters.snapshot()["requests"] == {"drive.files.list": 1}

    google.library.drive.delete(first)
    upload(google, desk, "takeout-20260301T000000Z-1-001.zip", export(*names[:4], "new.jpg", *names[4:]))
    google.counters.reset()
    report = run(desk)
    assert report["complete"] is True
    assert (report["outcomes"]["stored"], report["outcomes"]["unchanged"]) == (1, 8)
    assert report["bytes_read"] == len(small_jpeg("new.jpg"))
    assert google.counters.requests[DOWNLOADS] <= 2

    stored = {path.name: path.read_bytes() for path in (desk.directory / "backup/photos").rglob("*.jpg")}
    assert stored == {name: small_jpeg(name) for name in [*names, "new.jpg"]}
    metadata = json.loads(next((desk.directory / "backup/metadata/photos").rglob("new.jpg.json")).read_text())
    assert metadata["description"] == "about new.jpg"
    sums = (desk.directory / "backup/metadata/checksums.sha256").read_text().splitlines()
    assert {line.split("  ")[0] for line in sums} == {hashlib.sha256(one).hexdigest() for one in stored.values()}


def test_the_sample_library_is_the_same_as_from_a_folder(desk, google):
    make_sample_library(desk.directory / "takeout")
    for path in sorted((desk.directory / "takeout").glob("*.zip")):
        google.library.drive.add_file(path.name, BytesContent(path.read_bytes()))
    report = run(desk)
    local = PROFILE.replace("drive", "local", 1).replace(
        'google-drive-takeout: {{credentials: credentials.json, endpoint: "{endpoint}"}}', "takeout: {path: takeout}"
    )
    desk.write("local.yaml", local.replace("{{path: backup}}", "{path: local-backup}"))
    done = desk.run("run", "local.yaml", "--json")
    wanted = done.json["runs"][0]
    for key in ("listed", "outcomes", "inventory", "duplicates", "complete"):
        assert report[key] == wanted[key], key

    def photos(below: str) -> dict[str, bytes]:
        return {name: content for name, content in desk.files(below).items() if name.startswith(("photos/", "albums/"))}

    assert photos("backup") == photos("local-backup")


def test_a_run_without_a_sign_in_says_what_to_do(desk, google):
    upload(google, desk, "takeout-20260101T000000Z-1-001.zip", export("a.jpg"))
    assert desk.run("auth", "reset", "profile.yaml").code == 0
    done = desk.run("run", "profile.yaml")
    assert done.code == 3
    assert "syncengine auth login" in done.err


def test_a_used_up_day_ends_the_run_and_the_next_completes(desk, google):
    names = [f"IMG_{number}.jpg" for number in range(4)]
    upload(google, desk, "takeout-20260101T000000Z-1-001.zip", export(*names))
    google.faults.daily_quota(DOWNLOADS, at=2)
    done = desk.run("run", "profile.yaml")
    assert done.code == 3
    assert "run again after" in done.out + done.err
    google.faults.clear()
    assert run(desk)["outcomes"]["stored"] == 4


def test_cuts_are_not_seen(desk, google):
    names = [f"IMG_{number}.jpg" for number in range(6)]
    upload(google, desk, "takeout-20260101T000000Z-1-001.zip", export(*names))
    google.faults.add(DOWNLOADS, Cut(700), times=2)
    report = run(desk)
    assert report["outcomes"]["stored"] == 6
    assert report["outcomes"]["failed"] == 0
