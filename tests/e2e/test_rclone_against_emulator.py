"""A client that nobody here wrote: rclone's ``drive`` and ``google photos`` remotes, pointed at the Google emulator.

rclone knows Google's hosts by heart, so it runs in a network namespace whose hosts file leads them to the emulator, and
trusts the emulator's certificate. Nothing leaves the machine. Skipped where rclone, openssl or namespaces are missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from syncengine.testing.google.__main__ import REFRESH_TOKEN
from syncengine.testing.google.accounts.authority import DESKTOP_CLIENT
from syncengine.testing.google.wire.routing import HOSTS

NAMESPACE = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])

SETUP = """\
set -eu
ip link set lo up
mount --bind hosts /etc/hosts
"$PYTHON" -m syncengine.testing.google --port 443 --tls cert.pem key.pem --library library >emulator.json &
emulator=$!
trap 'kill $emulator' EXIT
for _ in $(seq 100); do [ -s emulator.json ] && break; sleep 0.1; done
rclone() { command rclone --config rclone.conf --retries 1 --low-level-retries 5 "$@"; }
switch() { curl --silent --fail --insecure https://127.0.0.1/_emulator/"$1" --data "$2" >/dev/null; }
"""

pytestmark = pytest.mark.slow


def _missing() -> str:
    """What is not there; empty when all is."""
    tools = [tool for tool in ("rclone", "openssl", "unshare", "ip", "mount", "curl") if shutil.which(tool) is None]
    if tools:
        return ", ".join(tools)
    probe = subprocess.run([*NAMESPACE, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    return "" if probe.returncode == 0 else "network namespaces"


@pytest.fixture(scope="module", autouse=True)
def everything() -> None:
    missing = _missing()
    if missing:
        pytest.skip(f"needs {missing}")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A directory with a library, a certificate, a hosts file and rclone's configuration."""
    _make_library(tmp_path / "library")
    (tmp_path / "hosts").write_text("127.0.0.1 localhost " + " ".join(sorted(HOSTS)) + "\n")
    names = ",".join(f"DNS:{host}" for host in sorted(HOSTS))
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=emulator"]
    files = ["-keyout", "key.pem", "-out", "cert.pem", "-addext", f"subjectAltName={names}"]
    subprocess.run([*make, *files], cwd=tmp_path, check=True, capture_output=True)
    token = {"access_token": "old", "token_type": "Bearer", "refresh_token": REFRESH_TOKEN}
    token["expiry"] = "2020-01-01T00:00:00Z"
    shared = f"client_id = {DESKTOP_CLIENT.id}\nclient_secret = {DESKTOP_CLIENT.secret}\ntoken = {json.dumps(token)}\n"
    drive = f"[drive]\ntype = drive\nscope = drive.readonly\n{shared}"
    photos = f"[photos]\ntype = google photos\nread_only = true\n{shared}"
    (tmp_path / "rclone.conf").write_text(drive + photos)
    return tmp_path


def _make_library(library: Path) -> None:
    """Files and photos, more than one page of each, with bytes that differ."""
    nested = library / "drive" / "Takeout" / "it's a folder"
    nested.mkdir(parents=True)
    (nested.parent / "takeout-20260501T100000Z-1-001.zip").write_bytes(os.urandom(3_000_000))
    (nested.parent / "empty").write_bytes(b"")
    for number in range(20):
        (nested / f"{number}.bin").write_bytes(os.urandom(100 + number))
    rome = library / "photos" / "Rome"
    rome.mkdir(parents=True)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:05:01 10:00:00"
    for number in range(110):
        Image.new("RGB", (4, 4), (number, number, 0)).save(rome / f"{number:03}.jpg", exif=exif)
    (rome / "clip.mp4").write_bytes(os.urandom(50_000))


def in_namespace(house: Path, script: str) -> str:
    """Run a script beside the emulator and return what it printed."""
    environment = {**os.environ, "PYTHON": sys.executable, "SSL_CERT_FILE": str(house / "cert.pem")}
    done = subprocess.run(
        [*NAMESPACE, "bash", "-c", SETUP + script],
        cwd=house,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def counters(text: str) -> Any:
    return json.loads(text[text.index("{") :])


def test_drive_is_listed_and_downloaded(house: Path) -> None:
    printed = in_namespace(
        house,
        """
        rclone lsf -R drive: | sort
        switch faults '{"endpoint": "drive.files.download", "kind": "status", "status": 503, "at": 2, "times": 2}'
        switch faults '{"endpoint": "drive.files.list", "kind": "empty-page", "at": 2}'
        rclone copy --multi-thread-cutoff 1M --multi-thread-streams 3 --drive-list-chunk 100 drive: copied
        rclone check drive: library/drive
        curl --silent --insecure https://127.0.0.1/_emulator/counters
        """,
    )
    assert contents(house / "copied") == contents(house / "library" / "drive")
    assert "Takeout/it's a folder/19.bin\n" in printed
    counted = counters(printed)
    assert counted["statuses"]["503"] == 2
    assert counted["statuses"]["206"] >= 2
    assert counted["requests"]["oauth.token"] == 1


def test_photos_are_listed_and_downloaded(house: Path) -> None:
    printed = in_namespace(
        house,
        """
        rclone lsf photos:album
        rclone lsf photos:media/by-day/2019/2019-05-01
        rclone copy photos:album/Rome copied
        rclone --gphotos-read-size lsf --format ps photos:album/Rome | grep clip
        curl --silent --insecure https://127.0.0.1/_emulator/counters
        """,
    )
    assert contents(house / "copied") == contents(house / "library" / "photos" / "Rome")
    lines = printed[: printed.index("{")].splitlines()
    assert lines[0] == "Rome/"
    assert sum(line.endswith(".jpg") for line in lines) == 110
    assert "clip.mp4;50000" in lines
    assert counters(printed)["requests"]["media.library"] >= 111
