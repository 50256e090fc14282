"""A first run that was killed before it recorded anything has lost no state: the next one goes on from its papers."""

from __future__ import annotations

import threading

from syncengine import app
from syncengine.engine.silence import Silent
from syncengine.errors import FatalError
from syncengine.host import PluginHost
from syncengine_plugins.destinations.filesystem import FilesystemDestination

PROFILE = """\
version: 1
name: test
source: {folder: {path: photos}}
dedup: [sha256]
destination: {filesystem: {path: backup}}
layout: {metadata: [json, xmp]}
timezone: Europe/Rome
"""


def test_it_is_not_taken_for_a_lost_state(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/IMG_20190703_142205.jpg").write_bytes(b"\xff\xd8\xff\xe0a")
    (tmp_path / "profile.yaml").write_text(PROFILE)
    host = PluginHost()
    profile = app.load(tmp_path / "profile.yaml", host)

    place = FilesystemDestination.place

    def place_no_sidecar(self, staged, path, **more):
        if path.endswith(".xmp"):
            raise FatalError("the disk is full")
        place(self, staged, path, **more)

    with monkeypatch.context() as patched:
        patched.setattr(FilesystemDestination, "place", place_no_sidecar)
        first = app.run_profile(profile, host, app.RunRequest(), Silent(), threading.Event())
    assert first.reason == "the disk is full"
    second = app.run_profile(profile, host, app.RunRequest(), Silent(), threading.Event())
    assert (second.complete, second.warnings, second.outcomes["stored"]) == (True, (), 1)
    assert len(list((tmp_path / "backup/photos").rglob("*.xmp"))) == 1
