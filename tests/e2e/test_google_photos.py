"""Google Photos backed up by the command itself, from an emulated Google: sign-in, run, and run again."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from syncengine.testing.google import BytesContent, ExpiredUrl, GoogleEmulator
from tests.contract.photos import jpeg
from tests.unit.plugins.sources.google_visits import JULY, MOVIE

pytestmark = pytest.mark.slow  # every test talks to an emulator over sockets

PROFILE = """\
version: 1
name: mine
source:
  {source}: {{credentials: credentials.json, endpoint: "{endpoint}"}}
dedup: [sha256]
destination:
  filesystem: {{path: backup}}
timezone: Europe/Rome
"""


@pytest.fixture
def google() -> Iterator[GoogleEmulator]:
    with GoogleEmulator() as running:
        photos = running.library.photos
        rome = photos.add_album("Rome 2019")
        sea = photos.add("sea.jpg", BytesContent(jpeg(1)), created=JULY, album=rome)
        sea.description, sea.camera = "at the sea", {"cameraMake": "Google", "cameraModel": "Pixel 3"}
        photos.add("clip.mp4", BytesContent(MOVIE), created=JULY - 86400 * 400)
        photos.add("old.jpg", BytesContent(jpeg(3)), created=JULY - 86400 * 4000).favorite = True
        running.picker.poll_interval = 1.0
        yield running


def prepare(desk: Any, google: GoogleEmulator, source: str) -> None:
    desk.write("credentials.json", json.dumps(google.client_config()))
    desk.write("profile.yaml", PROFILE.format(source=source, endpoint=google.url))


def start(desk: Any, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
    wanted = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    command = [sys.executable, "-m", "syncengine", *arguments]
    return subprocess.Popen(command, cwd=desk.directory, env=desk.environment, text=True, **wanted)


def sign_in(desk: Any) -> str:
    """Sign in by pasting an address, as on a machine without a browser; return all that was shown."""
    process = start(
        desk, "auth", "login", "profile.yaml", "--no-browser", stdin=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    shown = ""
    while "/auth?" not in shown:
        line = process.stdout.readline()
        assert line, shown
        shown += line
    address = next(word for word in shown.split() if "/auth?" in word)
    with requests.get(address, allow_redirects=False, timeout=10) as answer:
        rest, _ = process.communicate(answer.headers["Location"] + "\n", timeout=30)
    assert process.returncode == 0, shown + rest
    return shown + rest


def documents(desk: Any) -> dict[str, Any]:
    found = [json.loads(path.read_text()) for path in (desk.directory / "backup/metadata/photos").rglob("*.json")]
    return {document["name"]: document for document in found}


def everything_written(desk: Any) -> bytes:
    return b"\n".join(content for below in ("backup", "state") for content in desk.files(below).values())


def test_the_app_s_own_uploads_are_backed_up(desk, google):
    prepare(desk, google, "google-photos")
    assert "2025-03-31" in sign_in(desk)
    assert desk.run("albums", "profile.yaml", "--json").json["albums"][0]["title"] == "Rome 2019"

    google.faults.add("media.library", ExpiredUrl())
    report = desk.run("run", "profile.yaml", "--json").json["runs"][0]
    assert report["complete"], report
    assert report["outcomes"]["stored"] == 3
    files = desk.files()
    assert files["photos/2019/07/sea.jpg"] == jpeg(1)
    assert files["photos/2018/05/clip.mp4"] == MOVIE
    assert (desk.directory / "backup/albums/Rome 2019/sea.jpg").read_bytes() == jpeg(1)
    sea = documents(desk)["sea.jpg"]
    assert (sea["description"], sea["camera"]) == ("at the sea", "Google Pixel 3")
    assert documents(desk)["old.jpg"]["favorite"] is True
    assert not re.search(rb"ya29\.|/lr/AF|1//0", everything_written(desk))

    google.counters.reset()
    again = desk.run("run", "profile.yaml", "--json").json["runs"][0]
    assert again["outcomes"]["unchanged"] == 3
    assert google.counters.requests["media.library"] == 0


def test_one_album(desk, google):
    prepare(desk, google, "google-photos")
    sign_in(desk)
    report = desk.run("run", "profile.yaml", "--json", "--album", "rome*").json["runs"][0]
    assert (report["outcomes"]["stored"], report["listed"]) == (1, 1)
    assert "only the part of the library" in " ".join(report["warnings"])


def picked_by(process: subprocess.Popen[str]) -> str:
    """Open the link that a run shows, which picks everything; return what was shown until then."""
    assert process.stderr is not None
    shown = ""
    while "/picker/" not in shown:
        line = process.stderr.readline()
        assert line, shown
        shown += line
    with requests.get(next(word for word in shown.split() if "/picker/" in word), timeout=10) as answer:
        assert answer.status_code == 200
    return shown


def test_what_a_person_picks_is_backed_up(desk, google):
    prepare(desk, google, "google-picker")
    assert "removes GPS" in sign_in(desk)
    process = start(desk, "run", "profile.yaml", "--json")
    shown = picked_by(process)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert (shown + err).count("/picker/") == 1
    report = json.loads(out)["runs"][0]
    assert (report["complete"], report["outcomes"]["stored"]) == (True, 3)
    assert google.picker.open == {}
    assert desk.files()["photos/2019/07/sea.jpg"] == jpeg(1)
    assert not re.search(rb"ya29\.|/ppa/|1//0", everything_written(desk))

    process = start(desk, "run", "profile.yaml", "--json")
    picked_by(process)
    out, err = process.communicate(timeout=60)
    assert json.loads(out)["runs"][0]["outcomes"]["unchanged"] == 3
    assert google.counters.requests["media.picker"] == 3
    assert google.picker.open == {}


def test_a_run_that_waits_can_be_interrupted_and_its_link_used_later(desk, google):
    prepare(desk, google, "google-picker")
    sign_in(desk)
    process = start(desk, "run", "profile.yaml")
    assert process.stderr is not None
    while "/picker/" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert time.monotonic() - begun < 15
    google.picker.pick()
    report = desk.run("run", "profile.yaml", "--json").json["runs"][0]
    assert report["outcomes"]["stored"] == 3
    assert google.counters.requests["picker.sessions.create"] == 1


def test_on_a_terminal_there_is_a_code_for_the_phone(desk, google):
    prepare(desk, google, "google-picker")
    sign_in(desk)
    google.picker.pick_at_poll = 2
    ours, theirs = pty.openpty()
    desk.environment |= {"TERM": "xterm", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    process = start(desk, "run", "profile.yaml", "--json", stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    text = shown.decode()
    assert process.returncode == 0, text
    assert json.loads(out)["runs"][0]["outcomes"]["stored"] == 3
    assert len(re.findall(r"http://127\.0\.0\.1:\d+/\S*/picker/[0-9a-f-]{36}", text)) == 1
    assert text.count("▄") > 100


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_with_the_same_picks(desk, google):
    prepare(desk, google, "google-picker")
    sign_in(desk)
    for number in range(40):
        google.library.photos.add(f"{number}.jpg", created=JULY + number)
    wanted = {item.filename: item.content.read(0, item.content.size) for item in google.library.photos.items.values()}
    google.picker.pick_at_poll = 1
    google.faults.latency(0.2, "media.*")
    process = start(desk, "run", "profile.yaml", "--json")
    while google.counters.requests["media.picker"] < 10:
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=30)
    google.faults.clear()
    report = desk.run("run", "profile.yaml", "--json").json["runs"][0]
    assert (report["complete"], report["listed"]) == (True, len(wanted))
    stored = {path.name: path.read_bytes() for path in (desk.directory / "backup/photos").rglob("*") if path.is_file()}
    assert stored == wanted
    assert google.counters.requests["picker.sessions.create"] == 1
    assert google.picker.open == {}


def test_a_day_s_quota_ends_the_run_and_the_next_completes(desk, google):
    prepare(desk, google, "google-photos")
    sign_in(desk)
    google.faults.daily_quota("media.library", at=2)
    done = desk.run("run", "profile.yaml", "--json")
    assert done.code == 3
    assert "per day" in done.err
    assert "run again after" in done.err
    assert "Traceback" not in done.err
    google.faults.clear()
    report = desk.run("run", "profile.yaml", "--json").json["runs"][0]
    assert report["complete"]
    assert report["outcomes"]["stored"] + report["outcomes"]["unchanged"] == 3


def test_a_run_that_waits_for_google_ends_when_it_is_asked_to(desk, google):
    prepare(desk, google, "google-photos")
    sign_in(desk)
    google.faults.status("media.library", 429, times=None)
    process = start(desk, "run", "profile.yaml", "--json")
    while google.counters.requests["media.library"] < 3:
        time.sleep(0.05)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert time.monotonic() - begun < 15
    google.faults.clear()
    assert desk.run("run", "profile.yaml", "--json").json["runs"][0]["outcomes"]["stored"] == 3


def test_what_was_picked_for_a_plan_is_what_a_run_fetches(desk, google):
    prepare(desk, google, "google-picker")
    sign_in(desk)
    process = start(desk, "plan", "profile.yaml", "--json")
    picked_by(process)
    out, err = process.communicate(timeout=60)
    assert json.loads(out)["counts"] == {"store": 3}, err
    assert len(google.picker.open) == 1
    done = desk.run("run", "profile.yaml", "--json")
    assert done.json["runs"][0]["outcomes"]["stored"] == 3
    assert "/picker/" not in done.err
    assert google.picker.open == {}
