"""A plan that is carried out, interrupted, and gone on from."""

from __future__ import annotations

import signal
import time

import pytest


def wait_for(there) -> None:
    """Wait until something is there."""
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_an_interrupted_plan_is_gone_on_from_by_a_run(desk):
    for number in range(300):
        desk.photo(f"many/IMG_{number}.jpg", number % 256)
    desk.write("profile.yaml", desk.profile.read_text() + "execution: {bandwidth: 2000}\n")
    assert desk.run("plan", "profile.yaml", "-o", "plan.json").code == 0
    process = desk.start("apply", "plan.json")
    runs = desk.directory / "state" / "profiles" / "test" / "runs"
    wait_for(lambda: runs.is_dir() and any(runs.iterdir()))
    locked = desk.run("apply", "plan.json")
    assert (locked.code, locked.out) == (4, "")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in out
    assert "by the plan" in out
    assert "Traceback" not in err
    again = desk.run("apply", "plan.json")
    assert again.code == 3
    assert "does not fit any more, nothing was done" in again.err
    desk.write("profile.yaml", desk.profile.read_text().replace("execution: {bandwidth: 2000}\n", ""))
    report = desk.run("run", "profile.yaml", "--json").json["runs"][0]
    assert (report["complete"], report["outcomes"]["failed"]) == (True, 0)
    assert desk.run("plan", "profile.yaml", "--json").json["counts"] == {"unchanged": 303}


def test_apply_is_json_and_nothing_else(desk):
    desk.run("plan", "profile.yaml", "-o", "plan.json", "--json")
    desk.photo("late.jpg", 7)
    refused = desk.run("apply", "plan.json", "--json")
    assert (refused.code, refused.json) == (3, {"runs": [], "unmet": 0})
    assert "late.jpg is to be stored now (new)" in refused.err
    assert not (desk.directory / "backup").exists()
