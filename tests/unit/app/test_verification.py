"""A profile's verification inside this process: what it is asked, what it refuses, what it leaves."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from syncengine import app
from syncengine.api import Selection
from syncengine.app import verification
from syncengine.app.proof import proof_of
from syncengine.app.state_care import rebuild_state
from syncengine.app.verification import VerifyRequest, verify_profile
from syncengine.cli.verify_progress import Tally
from syncengine.engine.silence import Silent
from syncengine.errors import ConfigError, FatalError, InterruptedRunError, LockedError
from syncengine.state.locks import profile_lock
from syncengine_plugins.sources.folder import FolderSource
from tests.unit.app.test_runs import Home


@pytest.fixture
def home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with one photo that was backed up."""
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    made = Home(tmp_path)
    assert made.run().complete
    return made


def verify(home: Home, **request: Any) -> Any:
    return verify_profile(home.profile(), VerifyRequest(**request), Tally(), threading.Event())


def test_a_clean_verification_leaves_a_proof(home):
    assert proof_of("test") is None
    found = verify(home)
    proof = proof_of("test")
    assert found.is_proof
    assert (proof.files, proof.verified) == (1, found.started)
    assert proof.run == app.reports("test", 1)[0].run


def test_the_proof_of_a_run_that_was_not_complete_names_no_run(home):
    home.photo("b.jpg", b"b")
    stop = threading.Event()
    stop.set()
    app.run_profile(home.profile(), home.host, app.RunRequest(), Silent(), stop)
    verify(home)
    assert proof_of("test").run == ""


@pytest.mark.parametrize("request_", [{"sample": "100%"}, {"since": "30d"}])
def test_a_part_is_no_proof(home, request_):
    assert verify(home, **request_).findings == []
    assert proof_of("test") is None


def test_no_run_before_a_rebuilding_that_missed_files_proves_anything(home):
    home.photo("b.jpg", b"b")
    home.run()
    (photo,) = (path for path in home.files() if path.startswith("photos/") and path.endswith("b.jpg"))
    (home.directory / "backup" / photo).unlink()
    rebuild_state(home.profile(), Silent(), threading.Event())
    assert not app.reports("test", 1)[0].complete
    verify(home)
    assert getattr(proof_of("test"), "run", "") == ""
    run = home.run()
    verify(home)
    assert proof_of("test").run == run.run


def test_half_a_state_is_not_verified(home):
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError):
        rebuild_state(home.profile(), Silent(), stop)
    with pytest.raises(FatalError, match="is not whole"):
        verify(home)


def test_two_selections_at_once_make_no_sense(home):
    with pytest.raises(ConfigError, match="cannot be used together"):
        verify(home, sample="5%", since="1d")


def test_it_goes_on_beside_a_run_but_not_beside_another_of_the_same_profile(home):
    with profile_lock(home.directory / "state", "test"):
        assert verify(home).is_proof
    with profile_lock(home.directory / "state", "test (verify)"), pytest.raises(LockedError):
        verify(home)


def test_where_nothing_is_recorded_nothing_is_called_well(home):
    (home.directory / "backup2").mkdir()
    with pytest.raises(FatalError, match="nothing is recorded"):
        verify_profile(home.profile("new", "backup2"), VerifyRequest(), Tally(), threading.Event())
    (home.directory / "backup").rename(home.directory / "unmounted")
    (home.directory / "backup").mkdir()
    with pytest.raises(FatalError):
        verify(home)


def test_a_full_disk_of_the_state_directory_is_said(home, monkeypatch):
    def full(parts: Any) -> Any:
        raise OSError(28, "No space left on device", "verify.jsonl")

    monkeypatch.setattr(verification, "verify", full)
    with pytest.raises(FatalError, match=r"verify\.jsonl: No space left"):
        verify(home)


def test_runs_without_an_end_are_seen_where_they_go_to_the_same_destination(home):
    assert verify(home).notes == ()
    (home.directory / "backup/metadata/checksums.sha256").unlink()
    unfinished = home.directory / "state/profiles/test/runs/20260101T000000Z"
    unfinished.mkdir()
    found = verify(home)
    assert (found.findings, len(found.notes)) == ([], 1)
    unfinished.rmdir()
    assert [finding.kind.value for finding in verify(home).findings] == ["checksums"]


class Releasing(FolderSource):
    """Lets go of something, and says when it was asked."""

    lets_go = True
    error: Exception | None = None

    def release_verified(self, run_started: Any) -> list[str]:
        if self.error is not None:
            raise self.error
        return [f"let go of {len(list(self.scan(Selection())))} since {run_started.isoformat()}"]


def releasing(profile: Any, **changes: Any) -> Any:
    stage = msgspec.structs.replace(profile.source, plugin=type("Source", (Releasing,), changes))
    return msgspec.structs.replace(profile, source=stage)


def verify_with(home: Home, profile: Any) -> str:
    found = verify_profile(profile, VerifyRequest(), Tally(), threading.Event())
    assert found.is_proof
    assert len(found.notes) <= 1
    return "".join(found.notes)


def test_after_a_whole_run_and_a_clean_verification_the_source_may_let_go(home):
    (run,) = app.reports("test", 1)
    assert verify_with(home, releasing(home.profile())) == f"let go of 1 since {run.started}"
    assert verify_with(home, home.profile()) == ""
    assert verify_with(home, releasing(home.profile(), lets_go=False)) == ""


def test_it_does_not_after_a_run_that_left_something_out(home):
    profile = releasing(home.profile())
    home.photo("b.jpg", b"b")
    home.run(profile, limit=0)
    note = verify_with(home, profile)
    assert "did not store all that it listed" in note


def test_it_does_not_where_leaving_the_source_means_leaving_the_backup(home):
    profile = releasing(home.profile())
    profile = msgspec.structs.replace(profile, sync=msgspec.structs.replace(profile.sync, mode="mirror"))
    note = verify_with(home, profile)
    assert "mirror" in note


def test_it_does_not_beside_a_run_nor_after_a_later_one(home):
    profile = releasing(home.profile())
    with profile_lock(home.directory / "state", "test"):
        note = verify_with(home, profile)
    assert "is running" in note

    class Running(Tally):
        def planned(self, files: int, size: int) -> None:
            home.run()

    found = verify_profile(profile, VerifyRequest(), Running(), threading.Event())
    assert found.notes == ("the source keeps everything: the last run was not complete, or another one has run since",)


def test_a_source_that_fails_to_let_go_costs_nothing(home):
    note = verify_with(home, releasing(home.profile(), error=FatalError("signed out")))
    assert note == "the source could not let go of anything: signed out"


def test_what_was_found_damaged_keeps_everything(home):
    next((home.directory / "backup/photos").rglob("a.jpg")).write_bytes(b"")
    found = verify_profile(releasing(home.profile()), VerifyRequest(), Tally(), threading.Event())
    assert (found.is_proof, found.notes) == (False, ())
