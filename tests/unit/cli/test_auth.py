"""``syncengine auth``, with a third party's source and an emulated Google."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from syncengine.cli import auth
from syncengine.cli.failing import exit_code_of
from syncengine.errors import SyncEngineError
from syncengine.security.vault import Vault
from syncengine.testing.google.emulator import GoogleEmulator
from tests.unit.security import drive_plugin

PROFILE = """\
version: 1
name: drive
source:
  {source}
destination:
  filesystem: {{path: backup}}
timezone: UTC
"""


@pytest.fixture
def google() -> Iterator[GoogleEmulator]:
    emulator = GoogleEmulator().start()
    yield emulator
    emulator.stop()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch, google) -> Path:
    """A working directory with a profile of a source that needs a sign-in."""
    for name in ("SYNCENGINE_KEY", "SYNCENGINE_KEY_FILE", "SYNCENGINE_PASSPHRASE", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(drive_plugin.install(tmp_path / "installed"))
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "credentials.json").write_text(json.dumps(google.client_config()))
    (tmp_path / "drive.yaml").write_text(PROFILE.format(source=f'test-drive: {{endpoint: "{google.url}"}}'))
    return tmp_path


@pytest.fixture
def person(monkeypatch) -> None:
    """Pastes the address that the consent page leads to."""
    shown: list[str] = []
    monkeypatch.setattr(auth.TerminalScreen, "show", lambda self, text: shown.append(text))

    def paste(self: auth.TerminalScreen, question: str) -> str:
        url = next(word for word in "\n".join(shown).split() if "/auth?" in word)
        answer = requests.get(url, allow_redirects=False, timeout=10)
        answer.close()
        return answer.headers["Location"]

    monkeypatch.setattr(auth.TerminalScreen, "ask", paste)


def run(*arguments: str, stdin: str = "") -> tuple[int, Result]:
    """Run a command and return its exit code as ``main`` would."""
    done = CliRunner().invoke(auth.command, arguments, input=stdin, standalone_mode=False)
    if isinstance(done.exception, SyncEngineError):
        return exit_code_of(done.exception), done
    if done.exception is not None and done.exc_info is not None:
        raise done.exception
    code: Any = done.return_value
    return code, done


def log_in() -> tuple[int, Result]:
    return run("login", "drive.yaml", "--no-browser")


def test_login_keeps_the_credentials_encrypted(desk, person, google):
    code, done = log_in()
    assert code == 0
    assert "Signed in for profile drive as someone@example.com." in done.output
    assert Vault(desk / "state", {}).entries() == ["drive@google"]
    refresh_token = google.authority.vault.grants[0].refresh_token.encode()
    assert not any(refresh_token in path.read_bytes() for path in (desk / "state").rglob("*") if path.is_file())


def test_status_before_and_after(desk, person):
    code, done = run("status", "drive.yaml")
    assert code == 3
    assert "run 'syncengine auth login drive.yaml'" in done.output
    log_in()
    code, done = run("status", "drive.yaml")
    assert code == 0
    assert "drive: signed in as someone@example.com" in done.output
    assert "drive.readonly" in done.output
    assert "signed in  20" in done.output
    assert "(in 180 days)" in done.output


def test_status_as_json(desk, person):
    log_in()
    code, done = run("status", "drive.yaml", "--json")
    assert code == 0
    found = json.loads(done.output)
    assert found["profile"] == "drive"
    assert found["needed"] is True
    assert found["sign_in"]["account"] == "someone@example.com"
    assert found["sign_in"]["missing"] == []
    assert found["sign_in"]["issued"].startswith("20")


def test_reset_revokes_and_deletes(desk, person):
    log_in()
    code, done = run("reset", "drive.yaml")
    assert code == 0
    assert "deleted and revoked" in done.output
    assert Vault(desk / "state", {}).entries() == []
    code, done = run("reset", "drive.yaml")
    assert code == 0
    assert "Nobody is signed in" in done.output


def test_reset_without_google(desk, person, google):
    log_in()
    google.faults.status("oauth.revoke", 400, times=None)
    code, done = run("reset", "drive.yaml")
    assert code == 0
    assert "is deleted." in done.output
    assert "remove this app at https://myaccount.google.com/connections" in done.output


def test_a_wrong_key_is_known_before_anybody_looks_for_a_password(desk, person, monkeypatch, capsys):
    log_in()
    (desk / "state/vault.key").unlink()
    code, done = log_in()
    assert code == 3
    assert "which is missing or has changed" in str(done.exception)


def test_a_key_in_dotenv_is_used(desk, person):
    (desk / ".env").write_text("SYNCENGINE_PASSPHRASE=correct horse\n")
    assert log_in()[0] == 0
    assert not (desk / "state/vault.key").exists()
    assert run("status", "drive.yaml")[0] == 0
    (desk / ".env").unlink()
    code, done = run("status", "drive.yaml")
    assert code == 3
    assert "the passphrase in SYNCENGINE_PASSPHRASE" in str(done.exception)


def test_rekey(desk, person):
    log_in()
    before = (desk / "state/vault.key").read_bytes()
    code, done = run("rekey", "drive.yaml")
    assert code == 0
    assert "1 sign-in encrypted anew with a key file." in done.output
    assert (desk / "state/vault.key").read_bytes() != before
    assert run("status", "drive.yaml")[0] == 0


def test_reset_gets_rid_of_what_cannot_be_opened(desk, person):
    log_in()
    (desk / "state/vault.key").unlink()
    code, done = run("reset", "drive.yaml")
    assert code == 0
    assert "myaccount.google.com" in done.output
    assert Vault(desk / "state", {}).entries() == []


def test_a_refused_sign_in(desk, person, google):
    google.authority.consent.deny = True
    code, done = log_in()
    assert code == 3
    assert "access_denied" in str(done.exception)


def test_a_missing_client_file(desk, person):
    (desk / "credentials.json").unlink()
    code, done = log_in()
    assert code == 3
    assert "OAuth client file credentials.json cannot be read" in str(done.exception)


def test_two_ways_at_once(desk):
    import click

    with pytest.raises(click.UsageError, match="choose one"):
        run("login", "drive.yaml", "--no-browser", "--device")


def test_a_source_that_needs_no_sign_in(desk):
    (desk / "photos").mkdir()
    (desk / "folder.yaml").write_text(PROFILE.format(source="folder: {path: photos}"))
    code, done = run("login", "folder.yaml")
    assert code == 3
    assert "the source folder needs no sign-in" in str(done.exception)
    code, done = run("status", "folder.yaml")
    assert code == 0
    assert "needs no sign-in" in done.output
    assert json.loads(run("status", "folder.yaml", "--json")[1].output) == {
        "profile": "drive",
        "needed": False,
        "sign_in": None,
    }


def test_the_terminal_asks_and_reads_a_line(monkeypatch, capsys):
    import io
    import sys

    import click

    monkeypatch.setattr(sys, "stdin", io.StringIO("http://127.0.0.1/?x\n"))
    screen = auth.TerminalScreen()
    assert screen.ask("Paste") == "http://127.0.0.1/?x"
    with pytest.raises(click.Abort):
        screen.ask("Paste")
    assert capsys.readouterr().out == "Paste: Paste: "


def test_the_terminal_knows_whether_there_is_a_browser(monkeypatch):
    import webbrowser

    monkeypatch.setattr(webbrowser, "open", lambda url: url == "https://accounts.google.com/")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert not auth.TerminalScreen().browse("https://accounts.google.com/")
    monkeypatch.setenv("DISPLAY", ":0")
    assert auth.TerminalScreen().browse("https://accounts.google.com/")
    assert not auth.TerminalScreen().browse("https://x.example/")
