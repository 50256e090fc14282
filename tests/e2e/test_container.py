"""What can be said about the container without building it: its scheduler script, and what its files promise."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent

STAND_IN = """#!/bin/sh
echo "$@" >>{said}
trap 'echo stopped >>{said}; exit 130' TERM
{then}
"""


def start(tmp_path: Path, then: str, *, seconds: int = 2) -> tuple[subprocess.Popen[str], Path]:
    """Start the scheduler, due in some seconds, with a stand-in for the command; return it and what that writes."""
    said, command = tmp_path / "said", tmp_path / "syncengine"
    command.write_text(STAND_IN.format(said=said, then=then))
    command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "RUN_AT": f"{datetime.now() + timedelta(seconds=seconds):%H:%M:%S}",
    }
    script = [ROOT / "container" / "run-daily", "run", "/profiles/nas.yaml"]
    return subprocess.Popen(script, env=environment, stdout=subprocess.PIPE, text=True), said


def wait_for(said: Path, text: str) -> None:
    deadline = time.monotonic() + 20
    while not (said.exists() and text in said.read_text()):
        assert time.monotonic() < deadline, f"never said {text!r}"
        time.sleep(0.05)


@pytest.mark.slow
def test_the_scheduler_runs_when_it_is_time_and_then_waits_for_tomorrow(tmp_path: Path) -> None:
    process, said = start(tmp_path, "exit 1")
    with process:
        wait_for(said, "run /profiles/nas.yaml")
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    tomorrow = datetime.now() + timedelta(days=1)
    assert f"{datetime.now():%Y-%m-%d}" in first or f"{tomorrow:%Y-%m-%d}" in first
    assert f"{tomorrow:%Y-%m-%d}" in second
    assert said.read_text().count("run") == 1


@pytest.mark.slow
def test_stopping_the_container_stops_the_run_and_waits_for_it(tmp_path: Path) -> None:
    process, said = start(tmp_path, "while :; do sleep 0.1; done")
    with process:
        wait_for(said, "run")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert said.read_text().endswith("stopped\n")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


def test_both_services_run_the_nas_profile_without_rights(services: dict[str, Any]) -> None:
    assert set(services) == {"backup", "scheduler"}
    for service in services.values():
        assert service["command"] == ["run", "/profiles/nas.yaml"]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service["user"].startswith("0")
    assert services["scheduler"]["profiles"] == ["scheduler"]
    assert "profiles" not in services["backup"]


def test_every_variable_of_the_profile_reaches_the_container(services: dict[str, Any]) -> None:
    wanted = set(re.findall(r"\$\{(\w+)", (ROOT / "profiles" / "nas.yaml").read_text()))
    dockerfile = (ROOT / "Dockerfile").read_text()
    for service in services.values():
        mounted = set(re.findall(r"\$\{(\w+)", " ".join(service["volumes"]))) & wanted
        assert wanted <= set(service["environment"]) | mounted
        assert all(f"{name}=/" in dockerfile for name in mounted)


def test_the_image_is_built_from_what_the_wheel_needs_and_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in dockerfile if line.startswith("USER")]
    assert users == ["1000:1000"]
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "syncengine",
        "plugins",
        "schemas",
        "profiles",
        "container",
    } <= kept
    assert all((ROOT / name).exists() for name in kept)
