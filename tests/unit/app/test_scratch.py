from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from syncengine.app import scratch
from syncengine.app.scratch import temporary_directory

LONG_AGO = 1_600_000_000


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def made_by_a_killed_process(parent: Path) -> Path:
    script = (
        "import os; from contextlib import ExitStack; from syncengine.app.scratch import temporary_directory;"
        "print(temporary_directory(ExitStack()), flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"TMPDIR": str(parent)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    path = Path(done.stdout.strip())
    (path / "half a video").write_bytes(b"x")
    return path


def test_a_directory_goes_with_its_stack(parent: Path) -> None:
    with ExitStack() as stack:
        path = temporary_directory(stack)
        (path / "deep").mkdir()
        assert path.parent == parent
        assert path.stat().st_mode & 0o777 == 0o700
    assert list(parent.iterdir()) == []


def test_what_a_killed_process_left_is_removed_once_it_is_old(parent: Path) -> None:
    left = made_by_a_killed_process(parent)
    with ExitStack() as stack:
        temporary_directory(stack)
        assert left.is_dir()
        os.utime(left, (LONG_AGO, LONG_AGO))
        temporary_directory(stack)
        assert not left.exists()


def test_what_is_in_use_stays_however_old(parent: Path) -> None:
    with ExitStack() as stack:
        used = temporary_directory(stack)
        os.utime(used, (LONG_AGO, LONG_AGO))
        temporary_directory(stack)
        assert used.is_dir()


def test_what_only_has_a_similar_name_stays(parent: Path) -> None:
    own = parent / "syncengine-scratch-of-mine"
    own.mkdir()
    (own / "photo.jpg").write_bytes(b"x")
    link = parent / "syncengine-scratch-link"
    target = made_by_a_killed_process(parent).rename(parent / "elsewhere")
    link.symlink_to(target)
    for path in (own, target):
        os.utime(path, (LONG_AGO, LONG_AGO))
    with ExitStack() as stack:
        temporary_directory(stack)
    assert (own / "photo.jpg").exists()
    assert (target / "half a video").exists()
    assert link.is_symlink()
