from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from syncengine.errors import FatalError, LockedError
from syncengine.state.locks import destination_lock, profile_lock

HOLD = """
import sys, time
from pathlib import Path
from syncengine.state.locks import profile_lock
with profile_lock(Path(sys.argv[1]), "nas"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_in_the_same_process_is_refused(tmp_path: Path) -> None:
    with profile_lock(tmp_path, "nas"):
        with pytest.raises(LockedError, match="profile nas is already running"), profile_lock(tmp_path, "nas"):
            pass
        with profile_lock(tmp_path, "usb"):
            pass
    with profile_lock(tmp_path, "nas"):
        pass


def test_a_process_that_is_killed_frees_its_lock(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LockedError), profile_lock(tmp_path, "nas"):
            pass
        process.kill()
        process.wait()
        with profile_lock(tmp_path, "nas"):
            pass


def test_an_error_inside_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(KeyError), profile_lock(tmp_path, "nas"):
        raise KeyError
    with profile_lock(tmp_path, "nas"):
        pass


@pytest.mark.parametrize("name", ["", "..", "a/b", "../../etc/passwd", "x" * 3000, "é\0\n", "nas\udce9", "CON", "*"])
def test_any_name_is_a_safe_file_name(tmp_path: Path, name: str) -> None:
    with profile_lock(tmp_path / "state", name):
        (file,) = (tmp_path / "state" / "locks").iterdir()
        assert file.parent == tmp_path / "state" / "locks"
        assert len(file.name) < 100
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_names_that_look_alike_do_not_share_a_lock(tmp_path: Path) -> None:
    with profile_lock(tmp_path, "a b"), profile_lock(tmp_path, "a-b"), profile_lock(tmp_path, "A-b"):
        pass


def test_a_directory_that_cannot_be_used_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FatalError), profile_lock(tmp_path / "file", "nas"):
        pass


HOLD_DESTINATION = """
import sys
import threading
from pathlib import Path
from syncengine.state.locks import destination_lock
with destination_lock(Path(sys.argv[1]), "disk"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_destination_is_waited_for_while_another_process_changes_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD_DESTINATION, str(tmp_path)]
    entered = threading.Event()

    def enter() -> None:
        with destination_lock(tmp_path, "disk"):
            entered.set()

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        waiting = threading.Thread(target=enter)
        waiting.start()
        assert not entered.wait(0.2)
        process.stdin.write("\n")
        process.stdin.close()
        waiting.join(timeout=20)
    assert entered.is_set()


def test_another_destination_is_not_waited_for(tmp_path: Path) -> None:
    with destination_lock(tmp_path, "disk"), destination_lock(tmp_path, "nas"), profile_lock(tmp_path, "disk"):
        pass


def test_an_error_inside_frees_the_destination(tmp_path: Path) -> None:
    with pytest.raises(KeyError), destination_lock(tmp_path, "disk"):
        raise KeyError
    with destination_lock(tmp_path, "disk"):
        pass
