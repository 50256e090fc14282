"""The benchmarks run: with next to nothing to do, each says its figures and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("module", "arguments", "expected"),
    [
        ("startup", "--count 1", "syncengine --help, median"),
        ("lookup", "--contents 200 --lookups 100", "64 at a time"),
        ("first_run", "--count 5 --size 20000 --rounds 1", "syncengine run: best"),
        ("second_run", "--count 5 --rounds 1", "second runs: syncengine best"),
        ("memory", "--items 5 10 --video 2", "a run over a video of 2 MiB"),
        ("crash", "--kills 2", "0 lost, 0 double, 0 half"),
        ("heic", "--count 1 --rounds 1", "images/s compared with the bare loop"),
        ("google_drive", "--gigabytes 0.01 --items 4 --layouts beside", "bytes over new members"),
        ("google_photos", "--items 4", "photos/s of the whole run"),
        ("state_rebuild", "--records 600 --rounds 1", "records from the catalog"),
        ("verify", "--count 16 --size 20000 --large 2 --large-size 20000 --rounds 1", "speed compared with sha256sum"),
    ],
)
def test_a_benchmark_runs(module: str, arguments: str, expected: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments.split()]
    environment = {**os.environ, "BENCH_DIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    assert list(tmp_path.iterdir()) == []
