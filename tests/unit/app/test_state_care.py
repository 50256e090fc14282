"""The state made again by commands and by runs, checked, copied; damaged stores; several profiles and destinations."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncengine import app
from syncengine.app import copying, state_care
from syncengine.app.renewal import profiles_of
from syncengine.engine import spool
from syncengine.engine.silence import Silent
from syncengine.errors import FatalError, InterruptedRunError, LockedError
from syncengine.state.copies import copies, keep_copy
from syncengine.state.failures import StateDamagedError
from syncengine.state.locks import profile_lock
from syncengine.state.scanning import pages
from syncengine.state.store import StateStore
from tests.unit.app.test_runs import Home


class Place(Home):
    """A home whose state is looked after."""

    @property
    def state(self) -> Path:
        return self.directory / "state"

    def rebuilding(self, name: str = "test", destination: str = "backup") -> Any:
        """Return a profile whose runs make a damaged state again."""
        file = self.directory / f"{name}.yaml"
        self.profile(name, destination)
        file.write_text(file.read_text() + "state: {when_damaged: rebuild}\n")
        return app.load(file, self.host)

    def rebuild(self, profile: Any = None, **how: Any) -> Any:
        return state_care.rebuild_state(profile or self.profile(), Silent(), threading.Event(), **how)

    def check(self, profile: Any = None) -> Any:
        return state_care.check_state(profile or self.profile(), Silent(), threading.Event())

    def lose(self) -> None:
        shutil.rmtree(self.state)

    def damage(self) -> None:
        file = self.state / "state.lmdb/data.mdb"
        content = bytearray(file.read_bytes())
        content[8192:] = bytes(len(content) - 8192)
        file.write_bytes(content)

    def flip(self, table: str) -> None:
        with StateStore.open(self.state) as store:
            environment = store._open_environment
            (key, value), *_ = (entry for page in pages(environment, table, b"") for entry in page)
            flipped = value[:-1] + bytes([value[-1] ^ 1])
            environment.write(lambda txn: txn.put(key, flipped, db=environment.tables[table]))

    def aside(self) -> list[Path]:
        return sorted(self.state.glob("state.lmdb.damaged-*"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    return Place(tmp_path)


def unchanged(report: Any) -> tuple[int, int, int]:
    return report.outcomes["unchanged"], report.outcomes["stored"], report.bytes_read


def test_a_lost_state_is_made_again_before_the_run_and_the_report_says_so(home: Place) -> None:
    home.run()
    home.lose()
    report = home.run()
    assert unchanged(report) == (1, 0, 0)
    assert report.warnings[0].startswith("the state knew nothing of ")
    assert home.run().warnings == ()


def test_a_dry_run_makes_it_again_as_well(home: Place) -> None:
    home.run()
    home.lose()
    assert unchanged(home.run(dry_run=True)) == (1, 0, 0)


def test_a_first_run_has_nothing_to_make_again(home: Place) -> None:
    assert home.run().warnings == ()


def test_both_profiles_of_a_destination_are_made_again_together(home: Place) -> None:
    north, south = home.profile("north"), home.profile("south")
    home.run(north)
    home.run(south)
    home.lose()
    assert len(home.run(north).warnings) == 1
    report = home.run(south)
    assert (unchanged(report), report.warnings) == ((1, 0, 0), ())


def test_a_damaged_state_stops_a_run_that_may_not_mend_it(home: Place) -> None:
    home.run()
    home.damage()
    with pytest.raises(StateDamagedError):
        home.run()
    assert home.aside() == []


def test_a_damaged_state_is_set_aside_and_made_again_where_the_profile_allows_it(home: Place) -> None:
    profile = home.rebuilding()
    home.run(profile)
    home.damage()
    with pytest.raises(StateDamagedError):
        home.run(profile, dry_run=True)
    report = home.run(profile)
    assert unchanged(report) == (1, 0, 0)
    (aside,) = home.aside()
    assert str(aside) in report.warnings[0]
    assert "made again" in report.warnings[1]
    assert home.run(profile).warnings == ()


def test_the_run_that_makes_a_state_again_brings_the_list_of_checksums_up_to_date(home: Place) -> None:
    home.run()
    (home.directory / "backup/photos/mine.jpg").write_bytes(b"put there by hand")
    home.lose()
    home.run()
    assert "  photos/mine.jpg\n" in (home.directory / "backup/metadata/checksums.sha256").read_text()


def test_the_other_destinations_profile_makes_its_part_again_by_itself(home: Place) -> None:
    mending, other = home.rebuilding("nas"), home.profile("usb", "disk")
    home.run(mending)
    home.run(other)
    home.damage()
    home.run(mending)
    report = home.run(other)
    assert unchanged(report) == (1, 0, 0)
    assert "made again" in report.warnings[0]


def test_a_damaged_state_that_another_profile_uses_is_left_alone(home: Place) -> None:
    mending = home.rebuilding("nas")
    home.run(mending)
    home.run(home.profile("usb", "disk"))
    home.damage()
    with profile_lock(home.state, "usb"), pytest.raises(LockedError, match="profile usb, which shares the state"):
        home.run(mending)
    assert home.aside() == []


def test_a_record_that_is_damaged_ends_one_run_and_is_mended_by_the_next(home: Place) -> None:
    profile = home.rebuilding()
    home.run(profile)
    home.flip("items")
    report = home.run(profile)
    assert (report.ended, "is damaged" in report.reason) == ("stopped", True)
    assert unchanged(home.run(profile)) == (1, 0, 0)
    assert len(home.aside()) == 1


def test_the_run_after_a_rebuilding_brings_the_list_of_checksums_up_to_date(home: Place) -> None:
    home.run()
    (home.directory / "backup/photos/mine.jpg").write_bytes(b"put there by hand")
    home.rebuild()
    home.run()
    assert "  photos/mine.jpg\n" in (home.directory / "backup/metadata/checksums.sha256").read_text()
    assert not list((home.state / "profiles/test/runs").iterdir())


def test_rebuilding_by_command(home: Place) -> None:
    home.run()
    rebuilt = home.rebuild()
    assert (rebuilt.contents, rebuilt.items, rebuilt.warnings) == (1, {"test": 1}, [])
    assert unchanged(home.run()) == (1, 0, 0)
    home.damage()
    rebuilt = home.rebuild()
    assert (rebuilt.contents, len(rebuilt.warnings), len(home.aside())) == (1, 1, 1)
    assert home.rebuild(rehash=True).dropped == 0


def test_a_damaged_state_of_several_profiles_is_rebuilt_by_command(home: Place) -> None:
    for name in ("north", "south"):
        home.run(home.profile(name))
    home.damage()
    assert home.rebuild(home.profile("north")).items == {"north": 1, "south": 1}


def test_rebuilding_keeps_a_copy_of_what_was_there(home: Place) -> None:
    home.run()
    for path in copies(home.state):
        path.unlink()
    home.rebuild()
    assert len(copies(home.state)) == 1


def test_nothing_is_rebuilt_from_a_destination_that_is_not_there(home: Place) -> None:
    home.run()
    (home.directory / "backup").rename(home.directory / "unmounted")
    with pytest.raises(FatalError, match="nothing at"):
        home.rebuild()
    assert home.check().count == 0
    assert not (home.directory / "backup").exists()
    (home.directory / "unmounted").rename(home.directory / "backup")
    assert unchanged(home.run()) == (1, 0, 0)


def test_a_profile_of_the_destination_that_is_running_is_waited_for(home: Place) -> None:
    home.run(home.profile("north"))
    home.run(home.profile("south"))
    with profile_lock(home.state, "south"), pytest.raises(LockedError, match="south"):
        home.rebuild(home.profile("north"))


def test_an_interrupted_rebuilding_is_begun_again_by_the_next_run(home: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    home.run()
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError):
        state_care.rebuild_state(home.profile(), Silent(), stop)
    found = home.check()
    assert (found.count, "is not whole" in found.problems[0].what) == (1, True)
    assert unchanged(home.run()) == (1, 0, 0)
    assert home.check().count == 0


def test_what_a_killed_run_had_recorded_is_read_where_it_waits(home: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    home.run()
    (catalog,) = (home.directory / "backup/metadata/catalog").iterdir()
    waiting = home.state / "profiles/test/runs" / catalog.stem
    waiting.mkdir()
    catalog.rename(waiting / spool.CATALOG)
    assert "a run was killed" in home.check().notes[0]
    rebuilt = home.rebuild()
    assert (rebuilt.catalogs, rebuilt.from_metadata, rebuilt.items) == (1, 0, {"test": 1})


def test_the_profiles_of_a_destination(home: Place) -> None:
    home.run(home.profile("a"))
    home.run(home.profile("b", "disk"))
    (home.state / "profiles/c").mkdir()
    with StateStore.open(home.state):
        identity = (home.directory / "backup/.syncengine/format.json").read_text()
    found = [name for name in "abc" if name in profiles_of(home.state, _identity(identity))]
    assert found == ["a"]


def _identity(text: str) -> str:
    document = json.loads(text)
    return str(document.get("identity") or document["id"])


def test_a_sound_state_agrees_with_the_catalog(home: Place) -> None:
    home.run()
    found = home.check()
    assert (found.problems, found.notes) == ([], [])
    assert found.records["contents"] == 1


def test_a_state_that_lacks_what_the_catalog_has(home: Place) -> None:
    home.run()
    with StateStore.open(home.state) as store:
        environment = store._open_environment
        for table in ("items", "albums"):
            (key,) = [key for page in pages(environment, table, b"") for key, _ in page]
            environment.write(lambda txn, key=key, table=table: txn.delete(key, db=environment.tables[table]))
    found = home.check()
    assert {problem.table for problem in found.problems} == {"items", "albums"}
    home.rebuild()
    assert home.check().count == 0


def test_a_state_that_knows_more_than_the_catalog_is_said_and_is_no_damage(home: Place) -> None:
    home.run()
    shutil.rmtree(home.directory / "backup/metadata/catalog")
    found = home.check()
    assert (found.count, "does not know" in found.notes[0]) == (0, True)


def test_a_record_that_cannot_be_read_is_a_problem(home: Place) -> None:
    home.run()
    home.flip("contents")
    found = home.check()
    assert (found.count, found.problems[0].table) == (1, "contents")
    home.damage()
    assert home.check().problems[0].table == "store"


def test_a_copy_by_hand(home: Place) -> None:
    home.run()
    made = state_care.backup_state(None)
    assert made in copies(home.state)
    file = home.directory / "my copy.mdb"
    assert state_care.backup_state(file) == file
    with pytest.raises(FatalError, match="there already"):
        state_care.backup_state(file)
    with pytest.raises(FatalError, match="is no directory"):
        state_care.backup_state(home.directory / "nowhere/copy.mdb")


def test_a_run_that_changed_something_leaves_a_copy_once_a_day(home: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    today = datetime(2026, 6, 1, tzinfo=UTC)
    monkeypatch.setattr(copying, "keep_copy", lambda store, directory: keep_copy(store, directory, today))
    home.run(dry_run=True)
    assert copies(home.state) == []
    home.run()
    assert len(copies(home.state)) == 1
    home.photo("b.jpg", b"b")
    home.run()
    assert len(copies(home.state)) == 1
    copies(home.state)[0].unlink()
    home.run()
    assert copies(home.state) == [], "nothing had changed"


def test_a_copy_that_cannot_be_written_is_a_warning(
    home: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise FatalError("there is no space left", advice="make room")

    monkeypatch.setattr(copying, "keep_copy", full)
    with caplog.at_level(logging.WARNING):
        assert home.run().ended == "completed"
    assert "no copy of the state could be kept: there is no space left; make room" in caplog.text
    monkeypatch.setattr(state_care, "keep_copy", full)
    assert "no copy of the state could be kept" in home.rebuild().warnings[0]
