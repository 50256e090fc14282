"""Two runs of a profile, compared by their ledgers at the destination."""

from __future__ import annotations

import threading

import pytest

from syncengine import app
from syncengine.engine.silence import Silent
from syncengine.errors import ConfigError, FatalError
from syncengine.host import PluginHost

PROFILE = """\
version: 1
name: test
source:
  folder: {{path: {directory}/photos}}
destination:
  filesystem: {{path: {directory}/backup}}
"""


class Home:
    """A profile that ran three times: a and b; b changed, c new; a gone."""

    def __init__(self, directory):
        self.directory = directory
        self.photos = directory / "photos"
        self.photos.mkdir()
        self.profile_file = directory / "test.yaml"
        self.profile_file.write_text(PROFILE.format(directory=directory))
        self.profile = app.load(self.profile_file, PluginHost())
        self.first = self.run(a=b"a", b=b"b")
        self.second = self.run(b=b"other", c=b"c")
        (self.photos / "a.jpg").unlink()
        self.third = self.run()

    def run(self, **photos):
        for name, content in photos.items():
            (self.photos / f"{name}.jpg").write_bytes(b"\xff\xd8\xff\xe0" + content)
        return app.run_profile(self.profile, PluginHost(), app.RunRequest(), Silent(), threading.Event())

    def since(self, wanted, run=None):
        return app.compare_runs(self.profile, app.reports("test", 100), run or self.third, wanted)

    def ledger(self, report):
        return self.directory / "backup" / "logs" / f"ledger_{report.run}.jsonl"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    return Home(tmp_path)


def test_since_the_run_before(home):
    found = home.since("last")
    assert (found.since, found.run) == (home.second.run, home.third.run)
    assert found.counts == {"gone": 1}
    assert [item.name for item in found.items["gone"]] == ["a.jpg"]
    assert found.remarks == ()


def test_since_a_run_by_its_id(home):
    found = home.since(home.first.run)
    assert found.counts == {"new": 1, "changed": 1, "gone": 1}
    assert home.since(home.first.run, run=home.second).counts == {"new": 1, "changed": 1}


def test_since_a_day(home):
    with pytest.raises(ConfigError, match="no run is from before that day; the first is"):
        home.since(home.first.started[:10])
    with pytest.raises(ConfigError, match="no earlier run has that id"):
        home.since("29990101")
    assert home.since("2999-12-31").since == home.second.run
    with pytest.raises(ConfigError, match="that is no date"):
        home.since("2999-13-31")


def test_a_ledger_that_is_gone_is_said_to_be_so(home):
    home.ledger(home.second).unlink()
    found = home.since(home.first.run)
    assert found.counts == {"new": 1, "gone": 1}
    assert f"the ledger of run {home.second.run} is not at the destination" in found.remarks[0]
    home.ledger(home.first).unlink()
    with pytest.raises(FatalError, match="cannot be compared"):
        home.since(home.first.run)


def test_a_damaged_ledger_is_refused(home):
    home.ledger(home.second).write_text("{]\n")
    with pytest.raises(FatalError, match="is damaged"):
        home.since("last")


def test_the_first_run_has_none_before_it(home):
    with pytest.raises(ConfigError, match="there is no earlier run"):
        home.since("last", run=home.first)
