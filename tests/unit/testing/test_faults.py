from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from syncengine.api import FatalError, ItemError, RetryableError, RunContext, Selection
from syncengine.testing.contracts import DestinationContract, SourceContract
from syncengine.testing.contracts.destination_base import content_of, everything, started, store
from syncengine.testing.faults import Fault, Faults, FaultyDestination, FaultySource
from syncengine.testing.memory import (
    MemoryDestination,
    MemoryDestinationOptions,
    MemorySource,
    MemorySourceOptions,
    MemoryStorage,
)


class TestFaultlessDestination(DestinationContract):
    """A wrapper without faults changes nothing."""

    @pytest.fixture(autouse=True)
    def _storage(self) -> None:
        self.storage = MemoryStorage()

    def make(self, tmp_path: Path) -> FaultyDestination:
        return FaultyDestination(MemoryDestination(MemoryDestinationOptions(), self.storage), Faults([]))


class TestFaultlessSource(SourceContract):
    def make(self, tmp_path: Path) -> FaultySource:
        return FaultySource(MemorySource(MemorySourceOptions(count=5)), Faults([]))


def destination(*faults: Fault) -> FaultyDestination:
    made = FaultyDestination(MemoryDestination(MemoryDestinationOptions()), Faults(faults))
    made.open()
    return made


def test_the_nth_call_fails_and_no_other() -> None:
    made = destination(Fault("commit", FatalError("full"), at=2))
    store(made, "1.jpg")
    with pytest.raises(FatalError, match="full"):
        store(made, "2.jpg")
    store(made, "3.jpg")
    assert set(everything(made)) == {"1.jpg", "3.jpg"}
    assert made.faults.calls["commit"] == 3


def test_a_fault_may_last() -> None:
    made = destination(Fault("begin", ItemError("no"), at=2, times=2))
    store(made, "1.jpg")
    for _ in range(2):
        with pytest.raises(ItemError):
            made.begin("2.jpg")
    store(made, "2.jpg")
    made = destination(Fault("begin", ItemError("no"), times=None))
    for _ in range(5):
        with pytest.raises(ItemError):
            made.begin("2.jpg")


def test_a_fault_may_come_when_the_work_is_done() -> None:
    made = destination(Fault("commit", RetryableError("answer lost"), after=True))
    with pytest.raises(RetryableError):
        started(made, "1.jpg").commit()
    assert content_of(made, "1.jpg") == b"content"


@pytest.mark.parametrize(
    "method",
    ["flush", "stat", "list", "missing", "read", "link", "move", "remove", "free_space", "place", "write", "abort"],
)
def test_each_method_can_fail(method: str, tmp_path: Path) -> None:
    made = destination(Fault(method, FatalError("on purpose"), times=None))
    (tmp_path / "staged").write_bytes(b"x")
    with pytest.raises(FatalError, match="on purpose"):
        {
            "flush": made.flush,
            "stat": lambda: made.stat("a"),
            "list": lambda: made.list(""),
            "missing": lambda: made.missing(["a"]),
            "read": lambda: made.read("a"),
            "link": lambda: made.link("a", "b", kind="hardlink"),
            "move": lambda: made.move("a", "b"),
            "remove": lambda: made.remove("a"),
            "free_space": made.free_space,
            "place": lambda: made.place(tmp_path / "staged", "a"),
            "write": lambda: made.begin("a").write(b""),
            "abort": lambda: made.begin("a").abort(),
        }[method]()


def test_open_and_close_can_fail() -> None:
    inner = MemoryDestination(MemoryDestinationOptions())
    made = FaultyDestination(inner, Faults([Fault("open", FatalError("gone")), Fault("close", OSError("gone"))]))
    with pytest.raises(FatalError):
        made.open()
    with pytest.raises(OSError, match="gone"):
        made.close()


def test_calls_are_counted_over_threads() -> None:
    made = destination(Fault("stat", ItemError("no"), at=50))

    def ask(_: int) -> bool:
        try:
            made.stat("a")
        except ItemError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(200))).count(False) == 1


def test_a_source_fails_in_the_middle_of_a_scan(tmp_path: Path) -> None:
    faults = Faults([Fault("scan", FatalError("cut"), at=3), Fault("fetch", ItemError("bad"), at=2)])
    source = FaultySource(MemorySource(MemorySourceOptions(count=5)), faults)
    source.open(RunContext(cache=tmp_path, scratch=tmp_path))
    scan = source.scan(Selection())
    seen = [next(scan), next(scan)]
    with pytest.raises(FatalError, match="cut"):
        next(scan)
    sink = bytearray()

    class Sink:
        def write(self, data: bytes | bytearray | memoryview, /) -> int:
            sink.extend(data)
            return len(data)

    source.fetch(seen[0], Sink())
    with pytest.raises(ItemError, match="bad"):
        source.fetch(seen[1], Sink())
    assert len(sink) == 1024
