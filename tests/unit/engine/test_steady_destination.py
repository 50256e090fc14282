"""Calls of a destination that are tried again."""

from __future__ import annotations

import threading

import pytest

from syncengine.api import FatalError, RetryableError
from syncengine.engine import retrying
from syncengine.engine.steady_destination import SteadyDestination
from syncengine.testing.contracts import DestinationContract
from syncengine.testing.faults import Fault, Faults, FaultyDestination
from syncengine.testing.memory import MemoryDestination, MemoryDestinationOptions, MemoryStorage

CALLS = {
    "open": lambda it, _: it.open(),
    "flush": lambda it, _: it.flush(),
    "missing": lambda it, _: it.missing(path for path in ("there", "not there")),
    "list": lambda it, _: list(it.list("")),
    "free_space": lambda it, _: it.free_space(),
    "place": lambda it, staged: it.place(staged, "new"),
    "begin": lambda it, _: it.begin("new"),
    "stat": lambda it, _: it.stat("there"),
    "read": lambda it, _: it.read("there").read(),
    "link": lambda it, _: it.link("there", "link", kind="hardlink"),
    "move": lambda it, _: it.move("there", "elsewhere"),
    "set_mtime": lambda it, _: it.set_mtime("there", 1.0),
    "remove": lambda it, _: it.remove("there"),
}
OF_THE_RUN = {"open", "flush", "missing", "list", "free_space"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(retrying, "_FIRST_WAIT", 0.0001)


@pytest.fixture
def inner():
    made = MemoryDestination(MemoryDestinationOptions(capacity=1000))
    made.open()
    upload = made.begin("there")
    upload.write(b"content")
    upload.commit(mtime=5.0)
    return made


@pytest.fixture
def staged(tmp_path):
    path = tmp_path / "staged"
    path.write_bytes(b"new")
    return path


class TestSteadyDestination(DestinationContract):
    """It keeps the contract of all destinations."""

    @pytest.fixture(autouse=True)
    def _storage(self):
        self.storage = MemoryStorage()

    def make(self, tmp_path):
        return SteadyDestination(MemoryDestination(MemoryDestinationOptions(), self.storage), threading.Event())


def steady(inner, method, times):
    faults = Faults([Fault(method, RetryableError("timed out", advice="wait"), times=times)])
    return SteadyDestination(FaultyDestination(inner, faults), threading.Event()), faults


@pytest.mark.parametrize("method", CALLS)
def test_each_call_is_tried_again_and_does_what_it_should(inner, staged, method):
    destination, faults = steady(inner, method, times=2)
    outcome = CALLS[method](destination, staged)
    assert faults.calls[method] == 3
    expected = {"missing": {"not there"}, "read": b"content", "free_space": 1000 - len(b"content")}
    if method in expected:
        assert outcome == expected[method]
    if method == "stat":
        assert outcome.size == len(b"content")
    if method == "place":
        assert inner.read("new").read() == b"new"


@pytest.mark.parametrize("method", CALLS)
def test_the_last_failure_is_the_runs_or_the_files(inner, staged, method):
    destination, faults = steady(inner, method, times=None)
    with pytest.raises(FatalError if method in OF_THE_RUN else RetryableError, match="timed out") as failure:
        CALLS[method](destination, staged)
    assert failure.value.advice == "wait"
    assert faults.calls[method] == retrying.ATTEMPTS


def test_a_failure_of_the_run_without_advice_gets_some(inner):
    faults = Faults([Fault("flush", RetryableError("timed out"), times=None)])
    with pytest.raises(FatalError) as failure:
        SteadyDestination(FaultyDestination(inner, faults), threading.Event()).flush()
    assert failure.value.advice


def test_what_it_is_and_can_do_is_what_the_inner_one_is_and_can_do(inner):
    destination = SteadyDestination(inner, threading.Event())
    assert destination.identity == inner.identity
    assert destination.location == inner.location
    assert destination.capabilities == inner.capabilities
    assert destination.staging() is None
    destination.close()
