"""Where a repair looks for copies, and what it says of places that it cannot look at."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from syncengine import app
from syncengine.app import repair
from syncengine.app.remembered import remember, remembered
from syncengine.app.repair import RepairRequest
from syncengine.app.verification import VerifyRequest, verify_profile
from syncengine.cli.verify_progress import Tally
from syncengine.engine.silence import Silent
from syncengine.errors import FatalError
from tests.unit.app.test_runs import Home


@pytest.fixture
def home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with one photo that was backed up to two places, and is away now; one of the backups is damaged."""
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    made = Home(tmp_path)
    for name, destination in (("test", "backup"), ("other", "elsewhere")):
        assert made.run(made.profile(name, destination)).complete
    (tmp_path / "photos").rename(tmp_path / "away")
    photo(made).write_bytes(b"")
    return made


def photo(home: Home, destination: str = "backup") -> Any:
    return next((home.directory / destination / "photos").rglob("a.jpg"))


def repaired(home: Home, *others: Any) -> Any:
    request = RepairRequest(host=home.host, progress=Silent(), others=others)
    return verify_profile(home.profile(), VerifyRequest(), Tally(), threading.Event(), request)


def test_a_profile_that_ran_here_is_found_again(home):
    assert {name: path.name for name, path in remembered(home.directory / "state").items()} == {
        "test": "test.yaml",
        "other": "other.yaml",
    }
    found = repaired(home)
    assert (found.is_proof, found.notes, found.intact) == (True, (), 1)


def test_a_dry_run_is_not_remembered(home):
    (home.directory / "away").rename(home.directory / "photos")
    home.run(home.profile("third", "third"), dry_run=True)
    assert "third" not in remembered(home.directory / "state")


def test_what_is_remembered_wrongly_is_left_out(home):
    (home.directory / "state/profiles/other/profile.json").write_text("{")
    assert set(remembered(home.directory / "state")) == {"test"}
    assert remembered(home.directory / "nowhere") == {}


def test_a_profile_is_written_down_once(home):
    file = home.directory / "state/profiles/test/profile.json"
    before = file.stat().st_mtime_ns
    remember(home.directory / "state", home.profile())
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda home: (home.directory / "other.yaml").unlink(), "the destination of profile other was left out: "),
        (lambda home: (home.directory / "other.yaml").write_text("version: 2"), "the destination of profile other"),
        (lambda home: (home.directory / "elsewhere").rename(home.directory / "unmounted"), "was left out: "),
    ],
    ids=["no profile", "a wrong profile", "no destination"],
)
def test_a_place_that_cannot_be_looked_at_is_said(home, spoil, said):
    spoil(home)
    found = repaired(home)
    assert not found.is_proof
    assert any(said in note for note in found.notes)
    assert photo(home).read_bytes() == b""


def test_a_profile_that_is_named_comes_first_and_once(home):
    found = repaired(home, home.profile("other", "elsewhere"))
    assert [finding.repair for finding in found.findings] == [
        f"from {photo(home).relative_to(home.directory / 'backup')} of {home.directory / 'elsewhere'}"
    ]
    assert app.reports("test", 5)[0].run == app.reports("test", 5)[-1].run  # No run was made for it.


def test_a_profile_of_the_same_destination_holds_nothing_else(home):
    (home.directory / "elsewhere").rename(home.directory / "unmounted")
    assert not repaired(home, home.profile("other", "backup")).is_proof


def test_a_repair_that_cannot_go_on_keeps_what_was_found(home, monkeypatch):
    def full(parts: Any, findings: Any) -> Any:
        raise FatalError("the destination is full", advice="make room")

    monkeypatch.setattr(repair, "repair", full)
    found = repaired(home)
    assert (found.ended, found.reason) == ("stopped", "the repair stopped: the destination is full; make room")
    assert [finding.repaired for finding in found.findings] == [False]


def test_what_could_not_be_repaired_is_said_with_the_reason_of_the_run(home):
    (home.directory / "elsewhere").rename(home.directory / "unmounted")
    (finding,) = repaired(home).findings
    assert finding.repair.startswith("not repaired: ")
    assert "photos" in finding.repair
