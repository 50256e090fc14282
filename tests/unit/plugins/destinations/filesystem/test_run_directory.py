from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions, run_directory
from syncengine_plugins.destinations.filesystem.run_directory import RunDirectory, clean, machine

_OTHER_MACHINE = {"boot": "another boot", "host": "another host"}


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    made = tmp_path / "tmp"
    made.mkdir()
    return made


def left_by(temporary: Path, owner: Any, *, age: float = 0.0) -> Path:
    run = temporary / "1-dead"
    run.mkdir()
    (run / "half.jpg").write_bytes(b"half")
    lock = temporary / "1-dead.lock"
    lock.write_text(owner if isinstance(owner, str) else json.dumps(owner))
    os.utime(lock, (time.time() - age, time.time() - age))
    return run


def test_a_run_directory_is_private_and_its_own(temporary: Path) -> None:
    first, second = RunDirectory(str(temporary)), RunDirectory(str(temporary))
    assert first.path != second.path
    assert Path(first.path).stat().st_mode & 0o777 == 0o700
    first.close()
    second.close()
    second.close()
    assert list(temporary.iterdir()) == []


def test_a_live_run_is_never_touched(temporary: Path) -> None:
    alive = RunDirectory(str(temporary))
    (Path(alive.path) / "in flight").write_bytes(b"x")
    assert clean(str(temporary)) == []
    assert (Path(alive.path) / "in flight").exists()
    alive.close()


def test_a_killed_run_is_cleaned_up(root: Path) -> None:
    script = (
        "import sys, os\n"
        "from syncengine_plugins.destinations.filesystem import *\n"
        "d = FilesystemDestination(FilesystemOptions(path=sys.argv[1]))\n"
        "d.open()\n"
        "d.begin('photos/a.jpg').write(b'half')\n"
        "print(d.staging(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        staging = Path(process.stdout.readline().strip())
        live = FilesystemDestination(FilesystemOptions(path=str(root)))
        live.open()
        assert any(staging.iterdir())
        live.close()
        assert any(staging.iterdir()), "another run's close leaves a live run alone"
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    after = FilesystemDestination(FilesystemOptions(path=str(root)))
    after.open()
    assert not staging.exists()
    assert not list(root.glob("photos/*"))
    after.close()


def test_what_this_machine_left_is_dead(temporary: Path) -> None:
    run = left_by(temporary, machine())
    assert clean(str(temporary)) == ["1-dead"]
    assert not run.exists()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("owner", [_OTHER_MACHINE, "", "not json", "[]"])
def test_what_another_machine_left_is_dead_after_a_day(temporary: Path, owner: Any) -> None:
    run = left_by(temporary, owner, age=3600)
    assert clean(str(temporary)) == []
    assert run.exists()
    os.utime(temporary / "1-dead.lock", (time.time() - 90_000, time.time() - 90_000))
    assert clean(str(temporary)) == ["1-dead"]


def test_a_directory_without_a_lock_belongs_to_nobody(temporary: Path) -> None:
    (temporary / "2-lost/sub").mkdir(parents=True)
    (temporary / "stray").write_bytes(b"x")
    assert clean(str(temporary)) == ["2-lost", "stray"]
    assert list(temporary.iterdir()) == []


def test_cleaning_follows_no_link(temporary: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "photo.jpg").write_bytes(b"precious")
    (temporary / "3-planted").symlink_to(outside)
    run = left_by(temporary, machine())
    (run / "planted").symlink_to(outside)
    clean(str(temporary))
    assert (outside / "photo.jpg").read_bytes() == b"precious"
    assert list(temporary.iterdir()) == []


def test_without_locks_age_alone_tells(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    alive = RunDirectory(str(temporary))
    assert clean(str(temporary)) == []
    old = time.time() - 90_000
    os.utime(f"{alive.path}.lock", (old, old))
    assert clean(str(temporary)) == [Path(alive.path).name]
    alive.close()


def test_a_lock_lost_to_a_cleaner_is_taken_again(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = run_directory._lock
    lost: list[str] = []

    def slow(fd: int) -> bool:
        if not lost:
            lost.extend(path.name for path in temporary.iterdir())
            (temporary / lost[0]).unlink()
        return real(fd)

    monkeypatch.setattr(run_directory, "_lock", slow)
    run = RunDirectory(str(temporary))
    assert len(lost) == 1
    assert Path(run.path).is_dir()
    assert Path(run.path + ".lock").exists()
    run.close()


def test_a_long_run_shows_that_it_is_alive(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory(str(temporary))
    os.utime(f"{run.path}.lock", (1e9, 1e9))
    run.stay_alive()
    assert os.stat(f"{run.path}.lock").st_mtime == 1e9
    later = time.monotonic() + 3600
    monkeypatch.setattr(time, "monotonic", lambda: later)
    run.stay_alive()
    assert os.stat(f"{run.path}.lock").st_mtime > 1.7e9
    run.close()


def test_a_lock_that_cannot_be_written_is_not_left(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            RunDirectory(str(temporary))
    assert list(temporary.iterdir()) == []


def test_an_empty_lock_without_a_directory_goes_after_a_minute(temporary: Path) -> None:
    lock = temporary / "4-killed.lock"
    lock.touch()
    assert clean(str(temporary)) == []
    os.utime(lock, (time.time() - 70, time.time() - 70))
    assert clean(str(temporary)) == ["4-killed"]
    assert list(temporary.iterdir()) == []
