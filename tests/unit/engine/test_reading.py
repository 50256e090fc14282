from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from syncengine.api import Asset, ItemReader, MediaItem
from syncengine.engine import reading as reading_module
from syncengine.engine import reading_process
from syncengine.engine.child_process import process_context
from syncengine.engine.reading import ReadingProcesses
from tests.unit.engine.readers import Lost, Scripted, Unsendable, content, listed

ENOUGH = 385
ROOT = Path(__file__).parents[3]


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    directory = tmp_path / "staging"
    directory.mkdir()
    return directory


Maker = Callable[..., ReadingProcesses]


@pytest.fixture
def make(staging: Path) -> Iterator[Maker]:
    made: list[ReadingProcesses] = []

    def processes(reader: ItemReader | None, is_ending: Callable[[], bool] = lambda: False) -> ReadingProcesses:
        reading = ReadingProcesses(
            lambda: reader,
            processes=2,
            context=process_context([reading_process.__name__]),
            zone=ZoneInfo("Europe/Rome"),
            staging=staging,
            is_ending=is_ending,
        )
        made.append(reading)
        return reading

    yield processes
    for reading in made:
        reading.close()


def started(reading: ReadingProcesses) -> ReadingProcesses:
    for _ in range(600):
        if reading.are_ready_for(ENOUGH):
            return reading
        time.sleep(0.05)
    raise AssertionError("the processes did not start")


def brought(reading: ReadingProcesses, *names: str) -> list[Asset | None]:
    items = [listed(name) for name in names]
    return reading.finish(reading.begin(items), len(items))


def files(staging: Path) -> list[Path]:
    return [path for path in staging.rglob("*") if path.is_file()]


def test_bytes_are_brought_hashed_and_described(make: Maker, staging: Path) -> None:
    (asset,) = brought(started(make(Scripted())), "fine.jpg")
    assert asset is not None
    assert asset.path.read_bytes() == content("fine.jpg")
    assert asset.path.is_relative_to(staging)
    assert (asset.name, asset.size, asset.sha256) == ("fine.jpg", 320, sha256(content("fine.jpg")).digest())
    assert asset.item.description == "320 bytes"
    assert asset.item == msgspec.structs.replace(listed("fine.jpg"), description="320 bytes", taken=asset.item.taken)


def test_many_chunks_bring_every_item_in_its_place(make: Maker, staging: Path) -> None:
    reading = started(make(Scripted()))
    chunks = [[listed(f"fine.{chunk}-{number}.jpg") for number in range(9)] for chunk in range(20)]
    begun = [reading.begin(chunk) for chunk in chunks]
    for chunk, future in zip(chunks, begun, strict=True):
        for item, asset in zip(chunk, reading.finish(future, len(chunk)), strict=True):
            assert asset is not None
            assert (asset.item.id, asset.path.read_bytes()) == (item.id, content(item.name))
    assert len(files(staging)) == 180


@pytest.mark.parametrize("accident", ["gone", "broken", "noisy", "unclear", "absurd", "nested"])
def test_whatever_is_odd_is_left_to_the_main_process(make: Maker, staging: Path, accident: str) -> None:
    first, odd, last = brought(started(make(Scripted())), "fine.1.jpg", f"{accident}.jpg", "fine.2.jpg")
    assert odd is None
    assert first is not None
    assert last is not None
    assert sorted(files(staging)) == sorted([first.path, last.path])


def test_a_process_that_dies_costs_no_more_than_time(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    reading = started(make(Scripted()))
    assert brought(reading, "fine.jpg", "crash.jpg") == [None, None]
    assert "the main process does alone" in caplog.text
    assert not reading.are_ready_for(ENOUGH)
    caplog.clear()
    assert brought(reading, "fine.jpg") == [None]
    assert caplog.text == ""


def test_few_items_start_no_process(make: Maker) -> None:
    asked: list[int] = []

    class Asked(Scripted):
        def __reduce__(self) -> str:
            asked.append(1)
            raise TypeError

    reading = make(Asked())
    assert not reading.are_ready_for(ENOUGH - 1)
    assert asked == []
    assert not reading.are_ready_for(ENOUGH)
    assert asked == [1]


def test_nobody_waits_for_the_start(make: Maker) -> None:
    assert not make(Scripted()).are_ready_for(ENOUGH)


def test_without_a_reader_there_is_nothing_to_start(make: Maker) -> None:
    reading = make(None)
    assert not reading.are_ready_for(ENOUGH)
    reading.close()


@pytest.mark.parametrize("error", [TypeError("no"), ValueError("no"), RecursionError("no")])
def test_a_reader_that_cannot_be_sent_is_told_and_not_used(
    make: Maker, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    reading = make(Unsendable(error))
    assert not reading.are_ready_for(ENOUGH)
    assert not reading.are_ready_for(ENOUGH)
    assert [record.getMessage() for record in caplog.records] == ["the source cannot be read in other processes"]


def test_an_item_that_cannot_be_sent_is_left_to_the_main_process(make: Maker) -> None:
    reading = started(make(Scripted()))
    for locator in (lambda: None, Unsendable(ValueError("no"))):
        items = [listed("fine.jpg"), msgspec.structs.replace(listed("fine.2.jpg"), locator=locator)]
        assert reading.finish(reading.begin(items), 2) == [None, None]
    assert brought(reading, "fine.jpg") != [None]


def test_a_reader_that_is_lost_on_its_way_is_told_and_not_used(
    make: Maker, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    reading = started(make(Lost()))
    assert brought(reading, "fine.jpg") == [None]
    assert not reading.are_ready_for(ENOUGH)
    assert "it is not installed here" in caplog.text
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), EOFError(), ImportError("no sem_open")])
def test_processes_that_cannot_be_started_are_told_and_not_used(
    make: Maker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def start(context: object) -> None:
        raise error

    monkeypatch.setattr(reading_module, "start_server", start)
    reading = started(make(Scripted()))
    assert brought(reading, "fine.jpg", "fine.2.jpg") == [None, None]
    assert not reading.are_ready_for(ENOUGH)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    reading.close()


def test_a_stop_waits_for_no_more_than_the_items_at_hand(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    reading = started(make(Scripted(), stop.is_set))
    begun = [reading.begin([listed(f"slow.{chunk}-{number}.jpg") for number in range(20)]) for chunk in range(6)]
    stop.set()
    assets = [asset for future in begun for asset in reading.finish(future, 20)]
    assert len(assets) == 120
    assert sum(asset is not None for asset in assets) < 20  # all of them take half a minute in two processes
    assert caplog.text == ""


def test_closing_forgets_what_was_not_begun(make: Maker) -> None:
    reading = started(make(Scripted()))
    begun = [reading.begin([listed(f"slow.{number}.jpg")]) for number in range(20)]
    assert reading.finish(begun[0], 1) != [None]
    reading.close()
    assert reading.finish(begun[-1], 1) == [None]
    assert brought(reading, "fine.jpg") == [None]


KILLED = """
    import sys, time
    from pathlib import Path
    from zoneinfo import ZoneInfo
    from syncengine.engine import reading_process
    from syncengine.engine.child_process import process_context
    from syncengine.engine.reading import ReadingProcesses
    from tests.unit.engine.readers import Scripted, listed


    if __name__ == "__main__":
        reading = ReadingProcesses(
            Scripted, processes=2, context=process_context([]), zone=ZoneInfo("UTC"), staging=Path(sys.argv[1]),
            is_ending=lambda: False,
        )
        while not reading.are_ready_for(385):
            time.sleep(0.05)
        for number in range(1000):
            reading.begin([listed(f"slow.{number}.jpg")])
        print("begun", flush=True)
        time.sleep(60)
"""


def test_processes_end_with_a_main_process_that_is_killed(tmp_path: Path, staging: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text(textwrap.dedent(KILLED))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")])}
    with subprocess.Popen(
        [sys.executable, str(script), str(staging)], stdout=subprocess.PIPE, text=True, env=environment
    ) as main:
        assert main.stdout is not None
        assert main.stdout.readline() == "begun\n"
        assert eventually(lambda: len(list(staging.iterdir())) == 2)  # one may be quick and answer for both
        readers = [int(path.name.removeprefix("read-")) for path in staging.iterdir()]
        main.send_signal(signal.SIGKILL)
        main.wait()
        assert eventually(lambda: not any(is_alive(pid) for pid in readers))


def eventually(holds: Callable[[], bool]) -> bool:
    for _ in range(200):
        if holds():
            return True
        time.sleep(0.05)
    return False


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_log_stays_quiet_when_all_is_well(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        brought(started(make(Scripted())), "fine.jpg")
    assert caplog.records == []


def test_items_are_the_ones_that_were_asked_for(make: Maker) -> None:
    item: MediaItem = msgspec.structs.replace(listed("fine.jpg"), raw={"a": [1]}, locator=("x", 1))
    reading = started(make(Scripted()))
    (asset,) = reading.finish(reading.begin([item]), 1)
    assert asset is not None
    assert (asset.item.raw, asset.item.locator) == ({"a": [1]}, ("x", 1))
