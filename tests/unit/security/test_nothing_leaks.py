"""Signs in, runs, fails in every way with ``--debug``, and looks for each secret in everything that was written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests

from syncengine.testing.google.content.bytes import BytesContent
from syncengine.testing.google.emulator import GoogleEmulator
from tests.unit.security import drive_plugin

ROOT = Path(__file__).parents[3]
PROFILE = """\
version: 1
name: drive
source:
  test-drive: {{credentials: credentials.json, endpoint: "{endpoint}"}}
destination:
  filesystem: {{path: backup}}
timezone: UTC
"""
PASSPHRASE = "correct horse battery staple"


class Desk:
    """A working directory with a profile, where commands are run; everything that they write is kept."""

    def __init__(self, directory: Path, google: GoogleEmulator) -> None:
        self.directory = directory
        self.google = google
        self.written: list[str] = []
        self.secrets = {google.client_config()["installed"]["client_secret"], PASSPHRASE}
        (directory / "backup").mkdir()
        (directory / "credentials.json").write_text(json.dumps(google.client_config()))
        (directory / "drive.yaml").write_text(PROFILE.format(endpoint=google.url))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SYNCENGINE")},
            "SYNCENGINE_STATE_DIR": str(directory / "state"),
            "SYNCENGINE_PASSPHRASE": PASSPHRASE,
            "HOME": str(directory),
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(drive_plugin.install(directory / "installed")))),
        }

    def run(self, *arguments: str) -> int:
        """Run a command with ``--debug`` and return its exit code."""
        process = self._start(*arguments)
        out, err = process.communicate(timeout=60)
        self.written += [out, err]
        return process.returncode

    def log_in(self) -> int:
        """Sign in as a person without a browser on this machine."""
        process = self._start("auth", "login", "drive.yaml", "--no-browser")
        assert process.stdout is not None
        assert process.stdin is not None
        shown = []
        while "/auth?" not in (line := process.stdout.readline()):
            shown.append(line)
        answer = requests.get(line.strip(), allow_redirects=False, timeout=10)
        answer.close()
        address = answer.headers["Location"]
        self.secrets.add(parse_qs(urlsplit(address).query)["code"][0])
        out, err = process.communicate(address + "\n", timeout=60)
        self.written += [*shown, out, err]
        return process.returncode

    def every_secret(self) -> set[str]:
        """All that was ever handed out, also as it looks in an address."""
        vault = self.google.authority.vault
        found = self.secrets | {grant.refresh_token for grant in vault.grants} | set(vault.access)
        return found | {quote(secret, safe="") for secret in found} - {""}

    def leaks(self) -> list[str]:
        """Where a secret is in the clear."""
        own = self.directory / "credentials.json"
        texts = {f"output {number}": text.encode() for number, text in enumerate(self.written)}
        texts |= {str(path): path.read_bytes() for path in self.directory.rglob("*") if path.is_file() and path != own}
        return [
            f"{secret} in {where}"
            for where, text in texts.items()
            for secret in self.every_secret()
            if secret.encode() in text
        ]

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "syncengine", "--debug", *arguments],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    google = GoogleEmulator().start()
    yield Desk(tmp_path, google)
    google.stop()


@pytest.mark.slow
def test_no_secret_is_in_anything_that_is_written(desk: Desk) -> None:
    google = desk.google
    drive = google.library.drive
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        drive.add_file(name, BytesContent(name.encode()))
    google.authority.access_seconds = 300
    assert desk.log_in() == 0
    assert desk.run("auth", "status", "drive.yaml") == 0
    assert desk.run("auth", "status", "drive.yaml", "--json") == 0

    google.clock.advance(600)  # the access token ends: this run renews it
    google.faults.status("drive.files.download", 401, at=1)
    google.faults.status("drive.files.download", 404, at=2)
    assert desk.run("run", "drive.yaml") == 1, "".join(desk.written[-2:])
    assert len(google.authority.vault.access) > 1
    assert desk.run("run", "drive.yaml", "--json") == 0, "".join(desk.written[-4:])

    google.faults.status("drive.files.list", 503, times=None)
    assert desk.run("run", "drive.yaml") == 3
    google.faults.clear()
    google.faults.status("oauth.token", 500, times=None)
    google.clock.advance(600)
    assert desk.run("run", "drive.yaml") == 3
    google.faults.clear()
    desk.environment["CLUMSY"] = "yes"
    assert desk.run("albums", "drive.yaml") != 0  # a bug: its exception, with a traceback, holds the token
    assert "Traceback" in desk.written[-1]
    assert "RuntimeError" in desk.written[-1]
    drive.add_file("d.jpg", BytesContent(b"d"))
    assert desk.run("run", "drive.yaml", "--json") == 1
    assert "internal error in the source: RuntimeError: GET https://x.example" in desk.written[-2]

    del desk.environment["CLUMSY"]
    google.authority.revoke_everything()
    google.clock.advance(600)
    assert desk.run("run", "drive.yaml") == 3
    assert "syncengine auth login PROFILE" in "".join(desk.written[-2:])
    assert desk.run("auth", "rekey", "drive.yaml") == 0
    desk.environment["SYNCENGINE_PASSPHRASE"] = "another horse"
    assert desk.run("run", "drive.yaml") == 3
    assert desk.run("auth", "reset", "drive.yaml") == 0

    assert len(desk.every_secret()) > 8
    assert any("renewed" in text or "answered" in text for text in desk.written)
    assert desk.leaks() == []
    # the search itself finds what is there
    desk.written.append(f"... {google.authority.vault.grants[0].refresh_token} ...")
    assert len(desk.leaks()) == 1
