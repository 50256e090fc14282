"""Plans in files: made, carried out exactly, refused when anything has moved."""

from __future__ import annotations

import json
import os
import threading

import msgspec
import pytest
from jsonschema import Draft202012Validator

from syncengine import app
from syncengine.app import saved_plans
from syncengine.config import schema_files
from syncengine.engine import runner
from syncengine.engine.saved_plan.document import read_plan
from syncengine.engine.saved_plan.facts import VERSION
from syncengine.engine.silence import Silent
from syncengine.errors import ConfigError, FatalError, InterruptedRunError, LockedError
from syncengine.host import PluginHost
from syncengine.state.locks import profile_lock

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
    """A directory with photos, where plans are made and carried out inside this process."""

    def __init__(self, directory):
        self.directory = directory
        self.host = PluginHost()
        self.file = directory / "plan.json"
        self.profile_file = directory / "test.yaml"
        self.photo("Rome/a.jpg", b"a")
        self.photo("b.jpg", b"bb")
        self.write_profile()

    def photo(self, name, content):
        path = self.directory / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xd8\xff\xe0" + content)
        return path

    def write_profile(self, text="", *, destination="backup", name="test"):
        written = PROFILE.format(name=name, directory=self.directory, destination=destination)
        self.profile_file.write_text(written + text)

    def run(self):
        profile = app.load(self.profile_file, self.host)
        return app.run_profile(profile, self.host, app.RunRequest(), Silent(), threading.Event())

    def plan(self, file=None, **request):
        profile = app.load(self.profile_file, self.host)
        made = app.planned(profile, self.host, app.RunRequest(**request), Silent(), file=file or self.file)
        with made as plan:
            return [action for actions, _ in plan for action in actions]

    def apply(self, stop=None):
        return app.apply_plan(self.file, self.host, Silent(), stop or threading.Event())

    def stored(self):
        root = self.directory / "backup" / "photos"
        return sorted(path.name for path in root.rglob("*") if path.is_file())

    def refusal(self):
        """Apply, and return the reason for which nothing was done."""
        before = sorted(self.directory.rglob("backup/**"))
        with pytest.raises(FatalError) as caught:
            self.apply()
        assert sorted(self.directory.rglob("backup/**")) == before
        return caught.value.reason


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path)


def test_a_plan_is_carried_out_and_its_report_names_it(home):
    actions = home.plan()
    assert [(action.action, action.id, action.reason, action.size) for action in actions] == [
        ("store", "b.jpg", "new", 6),
        ("store", "Rome/a.jpg", "new", 5),
    ]
    assert not (home.directory / "backup").exists()
    applied = home.apply()
    assert applied.unmet == 0
    assert applied.report.outcomes["stored"] == 2
    assert applied.report.complete
    assert applied.report.plan == f"{home.file} sha256:{read_plan(home.file).digest}"
    assert home.stored() == ["a.jpg", "b.jpg"]


def test_a_plan_keeps_its_schema(home):
    validator = Draft202012Validator(schema_files.schema("plan.schema.json"))
    home.plan(albums=("Rome",), limit=1)
    assert list(validator.iter_errors(json.loads(home.file.read_text()))) == []
    home.run()
    home.photo("Rome/a.jpg", b"changed")
    home.plan()
    assert list(validator.iter_errors(json.loads(home.file.read_text()))) == []
    (action,) = read_plan(home.file).actions()
    assert action.reason == "changed"
    assert action.path.endswith("/a.jpg")


def test_a_plan_without_actions_is_one(home):
    home.run()
    assert home.plan() == []
    assert json.loads(home.file.read_text())["actions"] == []
    assert home.apply().report.outcomes["unchanged"] == 2


def test_two_plans_of_the_same_differ_in_nothing_but_their_time(home):
    home.plan()
    other = home.directory / "other.json"
    home.plan(other)
    both = zip(home.file.read_text().splitlines(), other.read_text().splitlines(), strict=True)
    different = [line for line, second in both if line != second]
    assert {line.split('"')[1] for line in different} <= {"made", "digest"}


def test_options_of_the_plan_are_those_of_its_run(home):
    home.plan(albums=("Rome",))
    report = home.apply().report
    assert home.stored() == ["a.jpg"]
    assert report.filtered == {"albums": 1}


def test_a_limited_plan_stays_limited(home):
    home.plan(limit=1)
    assert home.apply().report.outcomes["stored"] == 1
    assert home.stored() == ["b.jpg"]


def test_it_can_only_be_carried_out_once(home):
    home.plan()
    home.apply()
    assert "there is a destination at" in home.refusal()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda home: home.photo("c.jpg", b"c"), "c.jpg is to be stored now (new)"),
        (lambda home: (home.directory / "photos/b.jpg").unlink(), "b.jpg is not to be stored any more"),
        (lambda home: home.photo("b.jpg", b"other"), "b.jpg changed"),
        (lambda home: home.photo("Rome/d.jpg", b"d"), "Rome/d.jpg is to be stored now (new)"),
        (lambda home: home.write_profile("select: {kinds: [photo]}\n"), "profile test changed: select.kinds"),
        (
            lambda home: home.write_profile("layout: {path: 'photos/{name}', albums: copy}\n"),
            "layout.albums, layout.path",
        ),
        (lambda home: home.write_profile("# a remark\n"), "was edited, although no value in it differs"),
        (lambda home: home.write_profile(name="other"), "is profile other now, and was test"),
        (lambda home: home.write_profile("surprise: 1\n"), "is not valid any more"),
        (lambda home: home.profile_file.unlink(), "is not valid any more"),
    ],
)
def test_it_is_refused_when_source_or_profile_changed(home, change, named):
    home.run()
    home.photo("b.jpg", b"newer")
    home.plan()
    change(home)
    assert named in home.refusal()


def test_it_is_refused_when_an_item_that_needs_no_work_changed_in_the_source(home):
    home.photo("notes.txt", b"")
    home.plan(albums=("Rome",))
    home.photo("b.jpg", b"other")
    assert "the source lists other items than it did" in home.refusal()


def test_more_differences_than_a_few_are_cut(home):
    home.plan()
    for number in range(5):
        home.photo(f"{number}.jpg", b"%d" % number)
    assert home.refusal().endswith(
        "0.jpg is to be stored now (new); 1.jpg is to be stored now (new); 2.jpg is to be stored now (new); and more"
    )


def test_it_is_refused_after_another_run(home):
    home.run()
    home.photo("c.jpg", b"c")
    home.plan()
    report = home.run()
    assert f"run {report.run} is the profile's last one now" in home.refusal()


def test_it_is_refused_when_another_profile_stored_something(home):
    home.run()
    home.photo("c.jpg", b"c")
    home.plan()
    mine = home.profile_file.read_bytes()
    home.write_profile(name="second")
    home.run()
    home.profile_file.write_bytes(mine)
    assert "holds 3 files of the library now, and held 2" in home.refusal()


def test_it_is_refused_at_another_destination(home):
    home.run()
    home.photo("c.jpg", b"c")
    home.plan()
    (home.directory / "backup").rename(home.directory / "old")
    assert "there is no destination at" in home.refusal()
    profile = app.load(home.profile_file, home.host)
    destination = profile.destination.make()
    destination.open(create=True)
    destination.close()
    assert "is another destination than" in home.refusal()


def test_a_variable_that_changed_is_a_profile_that_changed(home, monkeypatch):
    monkeypatch.setenv("WANTED", "Rome")
    home.write_profile('select: {albums: ["${WANTED}"]}\n')
    home.plan()
    monkeypatch.setenv("WANTED", "Paris")
    assert "profile test changed: select.albums" in home.refusal()


def test_what_only_says_how_quickly_may_change_with_the_environment(home, monkeypatch):
    monkeypatch.setenv("SPEED", "2")
    home.write_profile("execution:\n  downloads: ${SPEED}\n")
    home.plan()
    monkeypatch.setenv("SPEED", "3")
    assert home.apply().report.outcomes["stored"] == 2


def test_no_secret_and_no_digest_of_one_is_in_a_plan(home):
    class Options(msgspec.Struct):
        path: str = "x"
        api_token: str = "hush"
        nested: dict[str, str] = msgspec.field(default_factory=lambda: {"client_secret": "hush", "host": "h"})

    stage = msgspec.structs.replace(app.load(home.profile_file, home.host).source, options=Options())
    profile = msgspec.structs.replace(app.load(home.profile_file, home.host), source=stage)
    from syncengine.app.plan_inputs import profile_facts

    keys = [key for key in profile_facts(profile).settings if key.startswith("source")]
    assert keys == ["source.folder.path", "source.folder.nested.host"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text.replace('"new"', '"old"', 1), "is damaged, or was changed by hand"),
        (lambda text: text[:-40], "is damaged"),
        (lambda text: text[: len(text) // 2], "is damaged"),
        (lambda text: text + "\n", "is damaged"),
        (lambda text: text.replace('"version": 1', f'"version": {VERSION + 1}'), "was made by a newer syncengine"),
        (lambda text: text.replace('  "actions": [\n', ""), "is damaged"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(home, damage, reason):
    home.plan()
    home.file.write_text(damage(home.file.read_text()))
    assert reason in home.refusal()


def test_what_is_no_plan_is_never_written_over_and_never_carried_out(home):
    home.file.write_text("my notes")
    with pytest.raises(ConfigError, match="is there already and is no plan"):
        home.plan()
    assert home.file.read_text() == "my notes"
    with pytest.raises(ConfigError, match="is no plan"):
        home.apply()
    home.file.unlink()
    with pytest.raises(ConfigError, match="No such file"):
        home.apply()
    with pytest.raises(ConfigError, match="cannot be written"):
        home.plan(home.directory / "nowhere" / "plan.json")


def test_a_pipe_is_no_plan_and_is_not_waited_for(home):
    os.mkfifo(home.file)
    with pytest.raises(ConfigError, match="is no plan"):
        home.apply()
    with pytest.raises(ConfigError, match="is there already and is no plan"):
        home.plan()


def test_a_plan_that_is_written_over_while_it_is_carried_out_stays_what_it_was(home, monkeypatch):
    home.plan()
    moving(home, monkeypatch, lambda: home.file.write_text("something else"))
    assert home.apply().report.outcomes["stored"] == 2


def test_a_plan_that_was_not_taken_to_its_end_leaves_the_earlier_one(home):
    home.plan()
    before = home.file.read_bytes()
    profile = app.load(home.profile_file, home.host)
    with (
        pytest.raises(FatalError, match="was not written"),
        app.planned(profile, home.host, app.RunRequest(), Silent(), file=home.file),
    ):
        pass
    assert home.file.read_bytes() == before
    assert sorted(path.name for path in home.directory.glob(".plan*")) == []


def moving(home, monkeypatch, change):
    """Change the source between the check and the work."""
    carry_out = runner.run

    def late(parts):
        change()
        return carry_out(parts)

    monkeypatch.setattr(saved_plans.runner, "run", late)


def test_an_item_that_changes_between_the_check_and_the_work_is_left_alone(home, monkeypatch):
    home.plan()
    moving(home, monkeypatch, lambda: home.photo("b.jpg", b"changed meanwhile"))
    applied = home.apply()
    assert applied.report.outcomes["failed"] == 1
    assert "not as it was when the plan was made" in applied.report.failures[0]["reason"]
    assert applied.unmet == 0
    assert home.stored() == ["a.jpg"]


def test_an_item_that_comes_between_the_check_and_the_work_is_not_in_the_plan(home, monkeypatch):
    home.plan()
    moving(home, monkeypatch, lambda: home.photo("c.jpg", b"c"))
    report = home.apply().report
    assert report.filtered == {"not in the plan": 1}
    assert home.stored() == ["a.jpg", "b.jpg"]


def test_an_item_that_leaves_between_the_check_and_the_work_is_reported(home, monkeypatch):
    home.plan()
    moving(home, monkeypatch, (home.directory / "photos" / "b.jpg").unlink)
    applied = home.apply()
    assert applied.unmet == 1
    assert any("1 actions of the plan met no item" in warning for warning in applied.report.warnings)
    assert home.stored() == ["a.jpg"]


def test_it_does_not_begin_while_the_profile_runs_or_when_it_is_to_stop(home):
    home.plan()
    with profile_lock(home.directory / "state", "test"), pytest.raises(LockedError):
        home.apply()
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError):
        home.apply(stop)
    assert not (home.directory / "backup").exists()


def removing(home):
    """A mirror whose photo b.jpg left the source."""
    home.write_profile("sync: {mode: mirror, max_delete: 1}\n")
    home.run()
    (home.directory / "photos" / "b.jpg").unlink()


def test_what_a_mirror_removes_is_in_the_plan_and_done(home):
    removing(home)
    (action,) = home.plan()
    assert (action.action, action.id, action.reason) == ("remove", "b.jpg", "left the source")
    applied = home.apply()
    assert (applied.report.removed, applied.unmet) == (1, 0)
    assert home.stored() == ["a.jpg"]


def test_what_leaves_after_the_check_is_not_removed(home, monkeypatch):
    home.write_profile("sync: {mode: mirror, max_delete: 5}\n")
    home.photo("c.jpg", b"c")
    home.run()
    (home.directory / "photos" / "b.jpg").unlink()
    home.plan()
    moving(home, monkeypatch, (home.directory / "photos" / "c.jpg").unlink)
    assert home.apply().report.removed == 1
    assert home.stored() == ["a.jpg", "c.jpg"]


def test_a_budget_that_is_passed_is_said_and_nothing_is_planned(home):
    removing(home)
    home.write_profile("sync: {mode: mirror, max_delete: 0}\n")
    profile = app.load(home.profile_file, home.host)
    with app.planned(profile, home.host, app.RunRequest(), Silent(), file=home.file) as plan:
        assert [action for actions, _ in plan for action in actions] == []
        assert "mirror: nothing was removed: 1 of 2 stored files left the source" in plan.remarks[0]
    assert [action.action for action in home.plan(yes=True)] == ["remove"]
    assert home.apply().report.removed == 1


def test_what_lies_by_another_layout_is_named_and_moved_when_asked_for(home):
    home.run()
    home.write_profile("layout: {path: 'photos/{kind}/{name}'}\n")
    profile = app.load(home.profile_file, home.host)
    with app.planned(profile, home.host, app.RunRequest(), Silent()) as plan:
        assert [action for actions, _ in plan for action in actions] == []
        assert plan.remarks == ["2 files lie by another layout and stay there; run with --relayout to move them"]
    moves = {action.name: (action.action, action.to) for action in home.plan(relayout=True)}
    assert moves == {"a.jpg": ("move", "photos/photo/a.jpg"), "b.jpg": ("move", "photos/photo/b.jpg")}
    applied = home.apply()
    assert (applied.unmet, applied.report.outcomes["unchanged"], applied.report.maintained) == (0, 2, 2)
    assert {path.parent.name for path in (home.directory / "backup" / "photos").rglob("*.jpg")} == {"photo"}
    assert home.plan(relayout=True) == []
