"""A library that is read in processes gives the same backup as one that is read in threads."""

from __future__ import annotations

import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine import app
from syncengine.app import stages
from syncengine.engine import reading
from syncengine.engine.silence import Silent
from syncengine.host import PluginHost
from syncengine.testing.sample_library import make_sample_library

PROFILE = """\
version: 1
name: test
source:
  {source}: {{path: {directory}/library}}
dedup: [sha256]
destination:
  filesystem: {{path: {directory}/{name}}}
timezone: Europe/Rome
layout: {{metadata: [json, xmp]}}
{execution}
"""


class Patient(reading.ReadingProcesses):
    """Waits until the processes are there, and counts what they brought."""

    brought = 0
    missed = 0

    def are_ready_for(self, count: int) -> bool:
        while not super().are_ready_for(max(count, 385)):
            time.sleep(0.01)
        return count > 0

    def finish(self, begun: Any, count: int) -> Any:
        assets = super().finish(begun, count)
        type(self).missed += assets.count(None)
        type(self).brought += count - assets.count(None)
        return assets


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> type[Patient]:
    class Counting(Patient):
        pass

    monkeypatch.setattr(stages, "ReadingProcesses", Counting)
    return Counting


def run(directory: Path, monkeypatch: pytest.MonkeyPatch, source: str, name: str, execution: str = "") -> Any:
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(directory / f"{name}-state"))
    file = directory / f"{name}.yaml"
    file.write_text(PROFILE.format(source=source, directory=directory, name=name, execution=execution))
    host = PluginHost()
    return app.run_profile(app.load(file, host), host, app.RunRequest(), Silent(), threading.Event())


def tree(root: Path, run_id: str) -> dict[str, tuple[bytes, int]]:
    """Return the content of all that a run made for good, with its id taken out, and the mtime of photos."""
    found = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root)).replace(run_id, "RUN")
        if path.is_file() and not name.startswith((".syncengine", "logs/", "metadata/catalog/")):
            content = path.read_bytes().replace(run_id.encode(), b"RUN")
            is_paper = path.suffix in (".json", ".xmp", ".sha256")
            found[name] = (content, 0 if is_paper else path.stat().st_mtime_ns)
    return found


@pytest.mark.parametrize("source", ["folder", "takeout"])
def test_the_backup_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient: type[Patient], source: str
) -> None:
    sample = make_sample_library(tmp_path / "library")
    if source == "folder":
        for part in sample.parts:
            with zipfile.ZipFile(part) as archive:
                archive.extractall(tmp_path / "library")
    beside = run(tmp_path, monkeypatch, source, "backup-a")
    assert patient.brought > 10
    brought, missed = patient.brought, patient.missed
    here = run(tmp_path, monkeypatch, source, "backup-b", "execution: {bandwidth: 1GB}")
    assert (patient.brought, patient.missed) == (brought, missed)
    assert beside.outcomes == here.outcomes
    assert beside.bytes_read == here.bytes_read
    a, b = tree(tmp_path / "backup-a", beside.run), tree(tmp_path / "backup-b", here.run)
    assert a.keys() == b.keys()
    assert {name for name in a if a[name] != b[name]} == set()
    assert msgspec.to_builtins(beside.failures) == msgspec.to_builtins(here.failures)
