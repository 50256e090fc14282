"""System calls of the real command that fail: it says what to do, and goes on from there once they work again."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys

import pytest

from tests.crash.campaign import Campaign
from tests.crash.damage import settle
from tests.crash.kills import FailingCall, why_no_strace
from tests.crash.libraries import LIBRARIES, jpeg
from tests.crash.scene import PATIENCE, Stage

pytestmark = pytest.mark.slow

needs_strace = pytest.mark.skipif(bool(why_no_strace()), reason=why_no_strace())


@needs_strace
@pytest.mark.parametrize("library", LIBRARIES)
def test_any_call_that_fails_costs_nothing_in_the_end(tmp_path, library):
    campaign = Campaign(library, tmp_path, random.Random(7))
    tolls = [campaign.suffer(chain) for chain in campaign.chains(campaign.failing_calls(6))]
    assert [cause for toll in tolls for cause in toll.causes] == []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage("folder", tmp_path_factory.mktemp("stage"))


@needs_strace
@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (FailingCall("syncfs", 1, "EIO"), "reports a read or write error", "check the disk"),
        (FailingCall("renameat2", 4, "ENOSPC"), "is full", "free some space there"),
        (FailingCall("renameat2", 4, "EROFS"), "is read-only", "mount it writable"),
        (FailingCall("utimensat", 1, "ESTALE"), "went away", "mount it again"),
        (FailingCall("fdatasync", 2, "EIO"), "the state in", "check the disk"),
        (FailingCall("fdatasync", 2, "ENOSPC"), "no space left for the state", "free some space"),
        (FailingCall("writev", 2, "ENOSPC"), "no space left for the state", "free some space"),
        (FailingCall("mkdir", 1, "EROFS"), "the state in", "SYNCENGINE_STATE_DIR"),
    ],
    ids=str,
)
def test_it_says_what_failed_and_what_to_do(stage, call, error, words):
    scene = stage.scene()
    done = call.strike(scene)
    assert done.code == 3
    (line,) = [line for line in (done.out + done.err).splitlines() if error in line]
    assert words in line
    assert not settle(scene, stage.whole)


def test_a_file_that_is_too_large_for_the_file_system_costs_itself_alone(stage):
    scene = stage.scene()
    large = scene.directory / "photos/large.jpg"
    large.write_bytes(jpeg(77) + bytes(3 << 20))
    limited = scene.run(before=["prlimit", f"--fsize={2 << 20}"])
    assert (limited.code, limited.err) == (1, "")
    assert "large.jpg" in limited.out
    assert not list(scene.backup.rglob("*large*"))
    large.unlink()
    assert not settle(scene, stage.whole)


_ON_A_SMALL_DISK = """\
set -e
mount -t tmpfs -o size=80k none state
code=0; "$@" || code=$?
mount -o remount,size=64m state
code2=0; "$@" || code2=$?
echo codes $code $code2
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_a_disk_that_is_too_small_for_the_state(stage):
    scene = stage.scene()
    (scene.directory / "state").mkdir()
    unshared = ["unshare", "--mount", "--map-root-user", "sh", "-c", _ON_A_SMALL_DISK, "sh"]
    done = subprocess.run(
        [*unshared, sys.executable, "-m", "syncengine", "run", "profile.yaml"],
        cwd=scene.directory,
        env=scene.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    assert "codes 3 0" in done.stdout, done.stdout + done.stderr
