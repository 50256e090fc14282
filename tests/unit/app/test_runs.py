"""The composition root: what a run is made of, and what stands before and after it."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine import app
from syncengine.app import stages
from syncengine.engine import retrying, runner
from syncengine.engine.silence import Silent
from syncengine.errors import FatalError, LockedError, PluginError, RetryableError
from syncengine.host import PluginHost
from syncengine.state.locks import profile_lock
from syncengine_plugins.destinations.filesystem import FilesystemDestination

PROFILE = """\
version: 1
name: {name}
source:
  folder: {{path: {directory}/photos, folders_as_albums: true}}
dedup: [sha256]
destination:
  filesystem: {{path: {directory}/{destination}}}
timezone: Europe/Rome
"""


class Home:
    """A directory with photos, where profiles run inside this process."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.host = PluginHost()
        self.photo("Rome/a.jpg", b"a")

    def photo(self, name: str, content: bytes) -> None:
        path = self.directory / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xd8\xff\xe0" + content)

    def profile(self, name: str = "test", destination: str = "backup") -> Any:
        """Return a profile that was read from a file."""
        file = self.directory / f"{name}.yaml"
        file.write_text(PROFILE.format(name=name, directory=self.directory, destination=destination))
        return app.load(file, self.host)

    def run(self, profile: Any = None, **request: Any) -> Any:
        """Run a profile."""
        return app.run_profile(
            profile or self.profile(), self.host, app.RunRequest(**request), Silent(), threading.Event()
        )

    def spools(self, name: str = "test") -> list[Path]:
        return sorted((self.directory / "state" / "profiles" / name / "runs").iterdir())

    def files(self, destination: str = "backup") -> set[str]:
        root = self.directory / destination
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path)


def test_a_run_leaves_no_spool_and_no_lock(home):
    assert home.run().complete
    assert home.spools() == []
    assert home.run().outcomes["unchanged"] == 1


def test_a_place_that_held_another_destination_is_refused(home):
    home.run()
    (home.directory / "backup").rename(home.directory / "unmounted")
    (home.directory / "backup").mkdir()
    with pytest.raises(FatalError, match="is not the destination that profile test used before") as failure:
        home.run()
    remembered = home.directory / "state/profiles/test/destination.json"
    assert str(remembered) in failure.value.advice
    remembered.unlink()
    assert home.run().outcomes["stored"] == 1


def test_a_destination_that_is_mounted_elsewhere_is_the_same_one(home):
    home.run()
    (home.directory / "backup").rename(home.directory / "elsewhere")
    report = home.run(home.profile(destination="elsewhere"))
    assert report.outcomes["unchanged"] == 1
    assert home.run(home.profile(destination="elsewhere")).outcomes["unchanged"] == 1


def test_what_was_remembered_of_a_destination_and_cannot_be_read_is_written_anew(home):
    home.run()
    remembered = home.directory / "state/profiles/test/destination.json"
    remembered.write_bytes(b"{")
    home.run()
    assert msgspec.json.decode(remembered.read_bytes())["location"].endswith("/backup")


def test_a_rehearsal_neither_makes_nor_remembers_a_destination(home):
    report = home.run(dry_run=True)
    assert (report.dry_run, report.outcomes["stored"]) == (True, 1)
    assert not (home.directory / "backup").exists()
    assert not (home.directory / "state/profiles/test/destination.json").exists()
    assert not (home.directory / "state/profiles/test/runs").exists()


def test_the_albums_of_the_command_line_take_the_place_of_the_profiles(home):
    home.photo("Paris/b.jpg", b"b")
    report = home.run(albums=("rome",))
    assert (report.outcomes["stored"], report.filtered) == (1, {"albums": 1})


def test_a_plan_decides_and_does_nothing(home):
    with app.planned(home.profile(), home.host, app.RunRequest(), Silent()) as plan:
        assert [action.name for actions, _ in plan for action in actions] == ["a.jpg"]
    assert not (home.directory / "backup").exists()


def killed(home, monkeypatch):
    """Run, killed before the albums and listings are written."""

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(runner, "_complete", die)
        with pytest.raises(SystemExit):
            home.run()


def test_what_a_killed_run_left_is_delivered_and_mended_by_the_next(home, monkeypatch):
    killed(home, monkeypatch)
    (left,) = home.spools()
    report = home.run()
    assert report.outcomes["unchanged"] == 1
    assert home.spools() == []
    assert {f"logs/ledger_{left.name}.jsonl", f"metadata/catalog/{left.name}.jsonl"} <= home.files()
    assert {"albums/Rome/a.jpg", "albums/Rome/album.json", "metadata/checksums.sha256"} <= home.files()


def test_a_run_that_cannot_begin_leaves_the_mending_to_the_one_after(home, monkeypatch):
    killed(home, monkeypatch)

    def broken(**_: object) -> None:
        raise PluginError("transform.x", "cannot be sent to a worker")

    with monkeypatch.context() as patched:
        patched.setattr(stages, "ImageWorkers", broken)
        with pytest.raises(PluginError):
            home.run()
    home.run()
    assert {"albums/Rome/album.json", "metadata/checksums.sha256"} <= home.files()


def test_leftovers_that_cannot_be_delivered_stay_and_the_run_does_not_begin(home, monkeypatch):
    killed(home, monkeypatch)

    def gone(self: object) -> None:
        raise FatalError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(FilesystemDestination, "flush", gone)
        with pytest.raises(FatalError, match="the disk is gone"):
            home.run()
    assert len(home.spools()) == 2
    home.run()
    assert home.spools() == []
    assert {"albums/Rome/album.json", "metadata/checksums.sha256"} <= home.files()


def test_leftovers_are_left_alone_by_a_rehearsal(home, monkeypatch):
    killed(home, monkeypatch)
    before = home.spools()
    home.run(dry_run=True)
    assert home.spools() == before


def test_calls_of_the_destination_are_tried_again(home, monkeypatch):
    monkeypatch.setattr(retrying, "_FIRST_WAIT", 0.001)
    flush, failures = FilesystemDestination.flush, [RetryableError("timed out"), RetryableError("timed out")]

    def slow(self: FilesystemDestination) -> None:
        if failures:
            raise failures.pop()
        flush(self)

    monkeypatch.setattr(FilesystemDestination, "flush", slow)
    assert home.run().complete
    assert failures == []


def test_a_profile_that_is_running_is_refused_and_its_status_says_so(home):
    home.run()
    with profile_lock(home.directory / "state", "test"):
        with pytest.raises(LockedError):
            home.run()
        assert app.status("test", 5).running
    assert not app.status("test", 5).running


def test_status_and_reports_are_newest_first(home):
    assert app.known_profiles() == []
    assert app.reports("test", 5) == []
    runs = [home.run().run for _ in range(3)]
    assert [report.run for report in app.reports("test", 2)] == [runs[2], runs[1]]
    assert [report.run for report in app.status("test", 9).runs] == runs[::-1]
    assert app.known_profiles() == ["test"]


def test_profiles_with_one_destination_know_each_others_files(home):
    home.run(home.profile("one"))
    report = home.run(home.profile("two"))
    assert (report.outcomes["duplicate"], report.bytes_written) == (1, 0)
    assert app.known_profiles() == ["one", "two"]
    assert app.reports("one", 1)[0].outcomes["stored"] == 1


def test_albums_are_listed_by_title(home):
    home.photo("Paris/b.jpg", b"b")
    home.photo("athens/c.jpg", b"c")
    assert [album.title for album in app.list_albums(home.profile())] == ["athens", "Paris", "Rome"]


def test_nothing_temporary_is_left_behind(home, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    home.run()
    home.run(dry_run=True)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("broken", ["destination.json", "catalog.jsonl", "ledger.jsonl"])
def test_a_failing_disk_under_the_state_says_what_to_do(home, monkeypatch, broken):
    real = Path.open

    def fail(path, *arguments, **more):
        if path.name == broken:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(path, *arguments, **more)

    profile = home.profile()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", fail)
        with pytest.raises(FatalError, match=f"{broken}: Input/output error") as caught:
            home.run(profile)
    assert "check the disk" in caught.value.advice
    assert home.run(profile).complete
