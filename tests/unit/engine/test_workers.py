from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, wait
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import Asset, FatalError, Kind, MediaItem, PluginError, PluginOptions
from syncengine.engine import image_process
from syncengine.engine import workers as workers_module
from syncengine.engine.child_process import process_context
from syncengine.engine.workers import ImageWorkers
from tests.unit.engine.misbehaving import FirstBytes, LastBytes, Lost, Obedient, Plain, Unsendable

OPTIONS = PluginOptions()
ROOT = Path(__file__).parents[3]


def make_asset(directory: Path, name: str, data: bytes = b"hello") -> Asset:
    path = directory / f"fetched-{name}"
    path.write_bytes(data)
    item = MediaItem(id=name, name=name, kind=Kind.PHOTO, content_token="t", raw={"a": 1}, locator=lambda: None)
    return Asset(path=path, name=name, kind=Kind.PHOTO, item=item, size=len(data), sha256=sha256(data).digest())


def make_workers(**changes: object) -> ImageWorkers:
    arguments: dict[str, object] = {
        "workers": 2,
        "transforms": [Obedient(OPTIONS)],
        "deduplicators": [FirstBytes(OPTIONS), Plain(OPTIONS), LastBytes(OPTIONS)],
        "timeout": 60.0,
        "memory": 1 << 30,
        "context": process_context([image_process.__name__, "pebble"]),
    }
    return ImageWorkers(**(arguments | changes))  # type: ignore[arg-type]  # the defaults above have the right types


@pytest.fixture(scope="module")
def shared() -> Iterator[ImageWorkers]:
    with make_workers() as made:
        yield made


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    directory = tmp_path / "staging"
    directory.mkdir()
    return directory


def eventually(holds: Callable[[], bool]) -> bool:
    for _ in range(200):
        if holds():
            return True
        time.sleep(0.05)
    return False


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_new_file_is_beside_and_the_item_is_whole(shared: ImageWorkers, tmp_path: Path, staging: Path) -> None:
    asset = make_asset(tmp_path, "upper.jpg")
    worked = shared.submit(asset, staging).result(30)
    (made,) = worked.assets
    assert made.path.read_bytes() == b"HELLO"
    assert (made.size, made.sha256, made.name) == (5, sha256(b"HELLO").digest(), "made.out")
    assert made.item is asset.item
    assert list(staging.iterdir()) == [made.path]
    assert made.path.suffix == ".out"
    assert worked.fingerprints == {"first-fetched": b"hell", "first-final": b"HELL"}
    assert worked.failure == ""


def test_many_items_may_share_a_directory(shared: ImageWorkers, tmp_path: Path, staging: Path) -> None:
    assets = [make_asset(tmp_path, "upper.jpg", f"data {number}".encode()) for number in range(1)]
    assets += [make_asset(tmp_path, f"upper.{number}.jpg", f"data {number}".encode()) for number in range(30)]
    futures = [shared.submit(asset, staging) for asset in assets]
    made = [future.result(30).assets[0] for future in futures]
    assert [asset.path.read_bytes() for asset in made[1:]] == [f"DATA {number}".encode() for number in range(30)]
    assert len(set(staging.iterdir())) == 31


def test_what_needs_nothing_stays_where_it_is(shared: ImageWorkers, tmp_path: Path, staging: Path) -> None:
    asset = make_asset(tmp_path, "notes.txt")
    assert shared.submit(asset, staging).result(30).assets == (asset,)
    assert list(staging.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("refuse", "cannot decode: it is a sandwich"),
        ("stumble", "internal error in transform Obedient: TypeError: unsupported operand"),
        ("crash", "the image decoder crashed (signal 11)"),
        ("leave", "the image decoder ended its process (exit status 3)"),
        ("quit", "image work ended its process: exit status 4"),
        ("eat", "needed more than 1 GB of memory"),
        ("absent", "transform Obedient did not leave a file in its working directory"),
    ],
)
def test_a_bad_item_is_a_result_and_leaves_nothing_behind(
    shared: ImageWorkers, tmp_path: Path, staging: Path, name: str, failure: str
) -> None:
    asset = make_asset(tmp_path, f"{name}.jpg")
    worked = shared.submit(asset, staging).result(30)
    assert worked.failure == failure
    assert worked.assets == (asset,)
    assert list(staging.iterdir()) == []
    assert shared.submit(make_asset(tmp_path, "upper.jpg"), staging).result(30).failure == ""


def test_a_hanging_item_costs_its_time_and_no_other_item(tmp_path: Path, staging: Path) -> None:
    with make_workers(timeout=0.6) as workers:
        workers.submit(make_asset(tmp_path, "same.jpg"), staging).result(30)
        hanging = workers.submit(make_asset(tmp_path, "hang.jpg"), staging)
        others = [workers.submit(make_asset(tmp_path, f"upper.{number}.jpg"), staging) for number in range(20)]
        assert [other.result(30).failure for other in others] == [""] * 20
        assert hanging.result(30).failure == "image work took longer than 0.6 s"
        assert len(list(staging.iterdir())) == 20


def test_a_decoder_that_hears_no_signal_is_ended_at_once(tmp_path: Path, staging: Path) -> None:
    with make_workers(timeout=0.3) as workers:
        workers.submit(make_asset(tmp_path, "same.jpg"), staging).result(30)
        begin = time.monotonic()
        worked = workers.submit(make_asset(tmp_path, "deaf.jpg"), staging).result(30)
    assert worked.failure == "image work took longer than 0.3 s"
    assert time.monotonic() - begin < 2.5


def test_crashes_cost_only_the_items_that_crash(tmp_path: Path, staging: Path) -> None:
    with make_workers(timeout=5) as workers:
        names = [f"{'crash' if number % 5 == 2 else 'upper'}.{number}.jpg" for number in range(15)]
        futures = {name: workers.submit(make_asset(tmp_path, name), staging) for name in names}
        failed = [name for name, future in futures.items() if future.result(60).failure]
    assert failed == [name for name in names if name.startswith("crash")]


@pytest.mark.parametrize("name", ["full", "fatal"])
def test_what_ends_the_run_is_raised(shared: ImageWorkers, tmp_path: Path, staging: Path, name: str) -> None:
    with pytest.raises(FatalError) as caught:
        shared.submit(make_asset(tmp_path, f"{name}.jpg"), staging).result(30)
    assert caught.value.advice
    assert list(staging.iterdir()) == []


def test_a_staging_directory_that_is_gone_ends_the_run(shared: ImageWorkers, tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="cannot write"):
        shared.submit(make_asset(tmp_path, "upper.jpg"), tmp_path / "gone").result(30)


def test_what_a_worker_logs_is_logged_here(
    shared: ImageWorkers, tmp_path: Path, staging: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        shared.submit(make_asset(tmp_path, "stumble.jpg"), staging).result(30)
    (error,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert error.getMessage().startswith("stumble.jpg: ")
    assert "Traceback" in error.getMessage()
    assert [record.levelname for record in caplog.records if "wobbly" in record.getMessage()] == ["DEBUG"]


def test_a_plugin_that_cannot_be_sent_is_named_at_once() -> None:
    with pytest.raises(PluginError, match="Unsendable"):
        make_workers(transforms=[Unsendable(OPTIONS)])


def test_a_plugin_that_cannot_be_received_ends_the_run(tmp_path: Path, staging: Path) -> None:
    with (
        make_workers(transforms=[Lost(OPTIONS)]) as workers,
        pytest.raises(FatalError, match="not installed here"),
    ):
        workers.submit(make_asset(tmp_path, "upper.jpg"), staging).result(30)


def test_a_pool_whose_idle_workers_were_killed_is_made_again(tmp_path: Path, staging: Path) -> None:
    with make_workers(workers=1) as workers:
        for _ in range(3):
            worked = workers.submit(make_asset(tmp_path, "pid.jpg"), staging).result(30)
            os.kill(int(worked.assets[0].name), signal.SIGKILL)
            time.sleep(0.3)
        assert workers.submit(make_asset(tmp_path, "upper.jpg"), staging).result(30).failure == ""


def test_a_pool_that_breaks_under_its_items_begins_again_with_them(
    tmp_path: Path, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_module, "_LOOK_EVERY", 0.05)
    with make_workers() as workers:
        workers.submit(make_asset(tmp_path, "same.jpg"), staging).result(30)
        futures = [workers.submit(make_asset(tmp_path, f"slow.{number}.jpg"), staging) for number in range(6)]
        pool: Any = workers._pool
        pool._pool_manager.worker_manager.pool_channel.reader.close()  # as when the system takes it away
        assert [future.result(30).failure for future in futures] == [""] * 6
    assert len(list(staging.iterdir())) == 6


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_pool_that_falls_silent_is_noticed(tmp_path: Path, staging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_silent(timeout: float) -> None:
        raise SystemExit  # ends the pool's thread and nothing else

    monkeypatch.setattr(workers_module, "_LOOK_EVERY", 0.05)
    with make_workers() as workers:
        workers.submit(make_asset(tmp_path, "same.jpg"), staging).result(30)
        pool: Any = workers._pool
        pool._pool_manager.process_next_message = fall_silent
        assert workers.submit(make_asset(tmp_path, "upper.jpg"), staging).result(30).failure == ""


def test_processes_that_never_start_end_the_run(tmp_path: Path, staging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_process, "start_worker", _cannot_start)
    workers = make_workers(workers=1)
    try:
        with pytest.raises(FatalError, match="again and again"):
            workers.submit(make_asset(tmp_path, "upper.jpg"), staging).result(60)
    finally:
        workers.kill()


def _cannot_start(plugins: bytes, memory: int) -> None:
    os._exit(7)


def test_processes_are_replaced_after_so_many_items(
    tmp_path: Path, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_module, "_ITEMS_PER_PROCESS", 3)
    with make_workers(workers=1) as workers:
        futures = [workers.submit(make_asset(tmp_path, f"pid.{number}.jpg"), staging) for number in range(7)]
        pids = [future.result(30).assets[0].name for future in futures]
    assert [len(set(pids[:3])), len(set(pids[3:6])), len(set(pids))] == [1, 1, 3]


def test_closing_finishes_what_was_submitted(tmp_path: Path, staging: Path) -> None:
    workers = make_workers()
    futures = [workers.submit(make_asset(tmp_path, f"upper.{number}.jpg"), staging) for number in range(20)]
    workers.close()
    assert all(future.done() for future in futures)
    workers.close()
    assert workers.submit(make_asset(tmp_path, "upper.jpg"), staging).cancelled()


def test_closing_without_an_item_starts_nothing() -> None:
    with make_workers() as workers:
        assert workers._pool is None


def test_killing_drops_what_is_under_way_at_once(tmp_path: Path, staging: Path) -> None:
    workers = make_workers()
    pid = int(workers.submit(make_asset(tmp_path, "pid.jpg"), staging).result(30).assets[0].name)
    names = ["hang.1.jpg", "hang.2.jpg", *(f"upper.{number}.jpg" for number in range(50))]
    futures = [workers.submit(make_asset(tmp_path, name), staging) for name in names]
    assert eventually(lambda: len(list(staging.glob("*/half"))) == 2)
    begin = time.monotonic()
    workers.kill()
    assert time.monotonic() - begin < 3
    assert not wait(futures, timeout=1).not_done
    with pytest.raises(CancelledError):
        futures[0].result(1)
    assert not is_running(pid)
    assert len(list(staging.iterdir())) == 1
    workers.kill()


def test_an_error_inside_the_with_block_kills(tmp_path: Path, staging: Path) -> None:
    def interrupted() -> None:
        with make_workers() as workers:
            workers.submit(make_asset(tmp_path, "hang.jpg"), staging)
            raise KeyError

    begin = time.monotonic()
    with pytest.raises(KeyError):
        interrupted()
    assert time.monotonic() - begin < 10


MAIN = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.unit.engine.test_workers import make_asset, make_workers

if __name__ == "__main__":
    staging = Path(sys.argv[2])
    workers = make_workers(workers=2)
    print(workers.submit(make_asset(staging, "pid.jpg"), staging).result(30).assets[0].name, flush=True)
    workers.submit(make_asset(staging, "hang.jpg"), staging)
    while not list(staging.glob("*/half")):
        time.sleep(0.01)
    print("hanging", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_the_main_process(tmp_path: Path, how: signal.Signals) -> None:
    script = tmp_path / "main.py"
    script.write_text(textwrap.dedent(MAIN))
    command = [sys.executable, str(script), str(ROOT), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert process.stdout.readline() == "hanging\n"
        server = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        children = [int(child) for child in Path(f"/proc/{server}/task/{server}/children").read_text().split()]
        assert pid in children
        assert len(children) == 2
        process.send_signal(how)
        process.wait()
    assert eventually(lambda: not any(map(is_running, [server, *children])))
