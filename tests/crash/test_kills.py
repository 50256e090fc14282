"""The real command, killed with SIGKILL at any moment; then nothing is lost, nothing double, nothing half.

A sample that changes with nothing but this file; ``python -m benchmarks.crash`` does it some hundred times.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign
from tests.crash.damage import half_files, settle
from tests.crash.kills import BeforePythonCall, Blow, why_no_strace
from tests.crash.libraries import LIBRARIES
from tests.crash.scene import Scene, Stage

pytestmark = pytest.mark.slow

_SEED = 20191116


@pytest.fixture(params=LIBRARIES)
def campaign(request: pytest.FixtureRequest, tmp_path: Path) -> Campaign:
    return Campaign(request.param, tmp_path, random.Random(_SEED))


def assert_no_damage(campaign: Campaign, kills: Sequence[Blow], at_least: int) -> None:
    """Fail unless so many runs were killed, and that has cost nothing."""
    tolls = [campaign.suffer(chain) for chain in campaign.chains(kills)]
    assert [cause for toll in tolls for cause in toll.causes] == []
    assert sum(toll.kills for toll in tolls) >= at_least


@pytest.mark.skipif(bool(why_no_strace()), reason=why_no_strace())
def test_killed_before_a_system_call(campaign):
    assert_no_damage(campaign, campaign.system_calls(6), 2)


def test_killed_before_a_call_of_python(campaign):
    assert_no_damage(campaign, campaign.python_calls(6), 2)


def test_killed_at_some_moment(campaign):
    assert_no_damage(campaign, campaign.moments(4), 0)


def test_killed_again_and_again_a_little_later_each_time(tmp_path):
    campaign = Campaign("folder that grew", tmp_path, random.Random(_SEED))
    count = len(campaign.python_calls())
    assert_no_damage(campaign, [BeforePythonCall(count * step // 9) for step in range(1, 9)], 3)


def test_no_process_outlives_a_killed_run(tmp_path):
    stage = Stage("folder", tmp_path)
    scene = stage.scene()
    process = scene.start(more={"CRASH_MARK": str(scene.directory)})
    _wait_for(lambda: len(_processes(scene)) > 2)
    process.kill()
    process.communicate(timeout=60)
    _wait_for(lambda: not _processes(scene))
    assert process.returncode == -signal.SIGKILL
    assert not settle(scene, stage.whole)


def _wait_for(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.03)
    raise AssertionError("waited for half a minute")


def _processes(scene: Scene) -> list[int]:
    """Return the processes of a scene that was marked."""
    mark = f"CRASH_MARK={scene.directory}".encode()
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and mark in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                found.append(int(name))
        except OSError:
            continue  # It ended, or belongs to somebody else.
    return found


def test_each_kind_of_damage_is_found(tmp_path):
    stage = Stage("folder", tmp_path)
    scene = stage.scene()
    before = scene.files()
    assert scene.run().code == 0
    photos = sorted((scene.backup / "photos/2019/05").glob("IMG_*.jpg"))
    (scene.backup / "photos/2019/05/again.jpg").write_bytes(photos[0].read_bytes())
    (scene.backup / "photos/2019/05/cut.jpg").write_bytes(photos[1].read_bytes()[:100])
    (scene.backup / "metadata/photos/2019/05/empty.jpg.json").write_bytes(b"{")
    half = ["photos/2019/05/cut.jpg", "metadata/photos/2019/05/empty.jpg.json"]
    assert half_files(scene, stage.whole, before) == half
    (scene.directory / "photos/Rome/IMG_0001.jpg").unlink()
    photos[2].write_bytes(b"flipped")
    damage = settle(scene, stage.whole)
    name = f"photos/2019/05/{photos[0].name}"
    assert sorted(damage.double) == sorted([name, "photos/2019/05/again.jpg"])
    assert damage.lost == [f"photos/2019/05/{photos[2].name}"]
    assert {"photos/2019/05/cut.jpg", f"photos/2019/05/{photos[2].name}: FAILED"} <= set(damage.half)
    assert "photos/2019/05/again.jpg is not as without a crash" in damage.other
