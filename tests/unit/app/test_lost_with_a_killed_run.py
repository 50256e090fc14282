"""A run that changes what is stored is killed, and the state directory is lost as well: the next run settles it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine import app
from syncengine.app import state_care, verification
from syncengine.engine import planning, relayout
from syncengine.engine.silence import Silent
from syncengine.host import PluginHost
from syncengine.state.store import ProfileState
from syncengine_plugins.destinations.filesystem import FilesystemDestination

PROFILE = """\
version: 1
name: test
source: {{folder: {{path: photos, folders_as_albums: true}}}}
dedup: [sha256]
destination: {{filesystem: {{path: backup}}}}
layout: {{path: "{layout}", metadata: [json, xmp]}}
sync: {{mode: {mode}, max_delete: 100}}
timezone: Europe/Rome
"""
PHOTOS = {f"{album}/{stem}.jpg": b"\xff\xd8\xff\xe0" + name for album, stem, name in [
    ("Rome", "IMG_20190703_142205", b"one"),
    ("Rome", "IMG_20190703_142206", b"three"),
    ("Sea", "IMG_20200101_101010", b"seven"),
    ("Sea", "VID_20180501_101010", b"nine and ten"),
]}  # fmt: skip


class Watch:
    """A watcher of verifications who looks away."""

    def planned(self, *_: Any) -> None:
        """Nobody reads it."""

    skipped = reading = checked = note = planned


class Lost:
    """A backup whose run is killed, and whose state is lost then."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.host = PluginHost()
        self.layout, self.mode = "photos/{taken:%Y}/{name}", "additive"
        for name, content in PHOTOS.items():
            path = directory / "photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def profile(self) -> Any:
        file = self.directory / "profile.yaml"
        file.write_text(PROFILE.format(layout=self.layout, mode=self.mode))
        return app.load(file, self.host)

    def run(self, **request: Any) -> Any:
        return app.run_profile(self.profile(), self.host, app.RunRequest(**request), Silent(), threading.Event())

    def run_killed(self, patched: pytest.MonkeyPatch, owner: type, method: str, at: int, **request: Any) -> None:
        """Kill a run at a call of a method; everything that it tries from there on fails."""
        calls = 0
        for name in ("place", "move", "flush", "remove", "prune", "link", "set_mtime"):
            patched.setattr(FilesystemDestination, name, self._dying(FilesystemDestination, name, lambda: calls >= at))
        original = getattr(owner, method)

        def killed(*args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls >= at:
                raise SystemExit
            return original(*args, **more)

        patched.setattr(owner, method, killed)
        with pytest.raises(SystemExit):
            self.run(**request)

    def _dying(self, owner: type, name: str, is_dead: Any) -> Any:
        original = getattr(owner, name)

        def call(*args: Any, **more: Any) -> Any:
            if is_dead():
                raise SystemExit
            return original(*args, **more)

        return call

    def lose(self) -> None:
        shutil.rmtree(self.directory / "state")

    def contents(self) -> list[bytes]:
        """Return what is in the library, sidecars left out."""
        found = (self.directory / "backup/photos").rglob("*.jpg")
        return sorted(path.read_bytes() for path in found)

    def problems(self) -> list[str]:
        """Return what ``verify`` and ``state check`` have to say."""
        request = verification.VerifyRequest()
        found = verification.verify_profile(self.profile(), request, Watch(), threading.Event())
        check = state_care.check_state(self.profile(), Silent(), threading.Event())
        return [str(finding) for finding in found.findings] + [str(one) for one in check.problems] + check.notes


@pytest.fixture(name="lost")
def make_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lost]:
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(planning, "BATCH_ITEMS", 2)
    monkeypatch.setattr(relayout, "_PAGE", 3)
    made = Lost(tmp_path)
    made.run()
    return made


QUICK = [("move", 3), ("place", 2), ("place", 5), ("flush", 2), ("prune", 2), ("commit", 1), ("commit", 2)]
#: How often a relayout calls each method.
CALLS = {"move": 8, "place": 12, "flush": 10, "remove": 8, "prune": 12, "link": 8}
MORE = [(name, at) for name, calls in CALLS.items() for at in range(1, calls + 1)]


@pytest.mark.parametrize(
    ("method", "at"),
    [*QUICK, *(pytest.param(*one, marks=pytest.mark.slow) for one in MORE if one not in QUICK)],
)
def test_a_relayout(lost: Lost, method: str, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lost.layout = "photos/{taken:%m}/{stem}-{kind}.{ext}"
    owner = ProfileState if method == "commit" else FilesystemDestination
    with monkeypatch.context() as patched:
        lost.run_killed(patched, owner, method, at, relayout=True)
    lost.lose()
    report = lost.run()
    assert (report.complete, report.bytes_read, report.outcomes["failed"]) == (True, 0, 0)
    assert lost.problems() == []
    assert lost.contents() == sorted(PHOTOS.values())
    assert lost.run().outcomes["unchanged"] == len(PHOTOS)
    lost.run(relayout=True)
    assert lost.problems() == []


@pytest.mark.parametrize(
    "at", [1, 2, 3, pytest.param(4, marks=pytest.mark.slow), pytest.param(5, marks=pytest.mark.slow)]
)
def test_a_mirror_is_undone(lost: Lost, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lost.mode = "mirror"
    aside = lost.directory / "aside"
    shutil.move(lost.directory / "photos/Sea", aside)
    with monkeypatch.context() as patched:
        lost.run_killed(patched, FilesystemDestination, "move", at)
    lost.lose()
    lost.mode = "additive"
    assert lost.run().complete
    assert lost.problems() == []
    assert lost.contents() == sorted(PHOTOS.values())
    shutil.move(aside, lost.directory / "photos/Sea")
    assert lost.run().outcomes["unchanged"] == len(PHOTOS)


def test_an_ordinary_run(lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    (lost.directory / "photos/Sea/IMG_20210101_101010.jpg").write_bytes(b"\xff\xd8\xff\xe0new")
    with monkeypatch.context() as patched:
        lost.run_killed(patched, ProfileState, "commit", 1)
    lost.lose()
    assert lost.run().complete
    assert lost.problems() == []
    assert len(lost.contents()) == len(PHOTOS) + 1


def test_what_was_found_is_in_the_catalog_and_need_not_be_found_again(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost.layout = "photos/{taken:%m}/{name}"
    with monkeypatch.context() as patched:
        lost.run_killed(patched, ProfileState, "commit", 1, relayout=True)
    lost.lose()
    rebuilt = state_care.rebuild_state(lost.profile(), Silent(), threading.Event())
    assert (rebuilt.moved, rebuilt.dropped, rebuilt.from_metadata, rebuilt.found) == (3, 0, 0, 0)
    lost.run()
    lost.lose()
    rebuilt = state_care.rebuild_state(lost.profile(), Silent(), threading.Event())
    assert (rebuilt.moved, rebuilt.contents, rebuilt.is_from_catalog) == (0, len(PHOTOS), True)


@pytest.mark.parametrize("method", ["commit", "flush"])
def test_the_run_that_settles_it_is_killed_as_well(lost: Lost, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lost.layout = "photos/{taken:%m}/{name}"
    with monkeypatch.context() as patched:
        lost.run_killed(patched, ProfileState, "commit", 1, relayout=True)
    lost.lose()
    owner = ProfileState if method == "commit" else FilesystemDestination
    with monkeypatch.context() as patched:
        lost.run_killed(patched, owner, method, 1)
    assert lost.run().complete
    assert lost.problems() == []
