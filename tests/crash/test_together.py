"""Several of the real command at the same time, and what is left of one that was killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crash.damage import settle
from tests.crash.kills import AtMoment, was_killed
from tests.crash.scene import PATIENCE, Scene, Stage

pytestmark = pytest.mark.slow

_SLOWLY = "execution: {workers: 1, bandwidth: 40}"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage("folder", tmp_path)


@pytest.fixture
def scene(stage: Stage) -> Scene:
    return stage.scene()


def slow_profile(scene: Scene, name: str, profile: str = "crash") -> str:
    """Write a profile whose run takes minutes, and return its file's name."""
    text = (scene.directory / "profile.yaml").read_text().replace("name: crash", f"name: {profile}")
    (scene.directory / name).write_text(text.replace("execution: {workers: 1}", _SLOWLY))
    return name


def wait_until_it_fetches(scene: Scene) -> None:
    for _ in range(1000):
        if list(scene.backup.glob(".syncengine/tmp/*/fetch-*/f*")):
            return
        time.sleep(0.03)
    raise AssertionError("the run did not begin")


def test_one_profile_twice(scene):
    first = scene.start(profile=slow_profile(scene, "slow.yaml"))
    try:
        wait_until_it_fetches(scene)
        second = scene.run()
        assert (second.code, second.out) == (4, "")
        assert second.err == "syncengine: profile crash is already running; wait for it to end, or stop it\n"
    finally:
        first.kill()
        first.communicate(timeout=PATIENCE)


def test_what_a_killed_run_holds_is_free_at_once(stage, scene):
    first = scene.start(profile=slow_profile(scene, "slow.yaml"))
    wait_until_it_fetches(scene)
    first.kill()
    first.communicate(timeout=PATIENCE)
    assert first.returncode == -signal.SIGKILL
    assert list(scene.backup.glob(".syncengine/tmp/*.lock")) != []
    assert not settle(scene, stage.whole)


def test_a_run_leaves_the_files_of_another_one_alone(scene):
    """The one cleans up behind killed runs while the other is fetching into the same directory."""
    other = scene.start(profile=slow_profile(scene, "slow.yaml", "other"))
    try:
        wait_until_it_fetches(scene)
        fetching = list(scene.backup.glob(".syncengine/tmp/*/fetch-*/f*"))
        assert scene.run().code == 0
        assert all(path.exists() for path in fetching)
        assert other.poll() is None
    finally:
        other.kill()
        other.communicate(timeout=PATIENCE)
    assert scene.run().code == 0
    assert list((scene.backup / ".syncengine/tmp").iterdir()) == []


@pytest.mark.parametrize("seed", range(3))
def test_two_profiles_onto_one_destination_one_of_which_is_killed(stage, scene, seed):
    text = (scene.directory / "profile.yaml").read_text()
    (scene.directory / "other.yaml").write_text(text.replace("name: crash", "name: other"))
    chance = random.Random(seed)
    for _ in range(3):
        other = scene.start(profile="other.yaml")
        was_killed(AtMoment(chance.uniform(0.2, 0.6)).strike(scene))
        out, err = other.communicate(timeout=PATIENCE)
        assert other.returncode == 0, out + err
    assert scene.run().code == 0
    wanted = sorted({file.digest for path, file in stage.whole.items() if is_photo(path)})
    assert sorted(file.digest for path, file in scene.files().items() if is_photo(path)) == wanted
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "metadata/checksums.sha256"], cwd=scene.backup, check=False
    )
    assert checked.returncode == 0
    settled = scene.files()
    for profile in ("profile.yaml", "other.yaml"):
        process = scene.start(profile=profile)
        out, _ = process.communicate(timeout=PATIENCE)
        assert "nothing changed" in out
    after = {path: file for path, file in scene.files().items() if not path.startswith("logs/")}
    assert after == {path: file for path, file in settled.items() if not path.startswith("logs/")}
    assert scene.lies_around() == []


def is_photo(path: str) -> bool:
    return path.startswith("photos/") and not path.endswith(".xmp")


def test_verify_while_a_run_is_under_way(scene):
    """What is stored is found whole, what is being stored is no damage, and neither hinders the other."""
    assert scene.run().code == 0
    for number in range(40):
        path = scene.directory / f"photos/Rome/new {number}.jpg"
        path.write_bytes(b"\xff\xd8\xff\xe0" + os.urandom(20_000))
    running = scene.start()
    verified = []
    while running.poll() is None:
        verified.append(
            subprocess.run(
                [sys.executable, "-m", "syncengine", "verify", "profile.yaml", "--json"],
                cwd=scene.directory,
                env=scene.environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        )
    out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, err) == (0, ""), out
    assert verified
    for done in verified:
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["ended"] == "completed"
