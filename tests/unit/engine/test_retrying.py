"""Trying again what may pass."""

from __future__ import annotations

import threading
import time

import pytest

from syncengine.api import ItemError, RetryableError
from syncengine.engine import retrying as module
from syncengine.engine.retrying import ATTEMPTS, retrying


class Call:
    """Fails so many times, then returns."""

    def __init__(self, failures, error=None):
        self.failures = failures
        self.error = error or RetryableError("timed out")
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return "well"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.001)


@pytest.mark.parametrize("failures", range(ATTEMPTS))
def test_what_passes_within_the_tries_is_well(failures):
    call = Call(failures)
    assert retrying(call, threading.Event()) == "well"
    assert call.calls == failures + 1


def test_the_last_error_is_raised_after_a_bounded_number_of_tries():
    call = Call(100)
    with pytest.raises(RetryableError, match="timed out"):
        retrying(call, threading.Event())
    assert call.calls == ATTEMPTS


def test_what_will_not_pass_is_not_tried_again():
    call = Call(100, ItemError("damaged"))
    with pytest.raises(ItemError, match="damaged"):
        retrying(call, threading.Event())
    assert call.calls == 1


def test_another_error_ends_the_tries():
    errors = [RetryableError("timed out"), ItemError("damaged")]

    def call():
        raise errors.pop(0)

    with pytest.raises(ItemError, match="damaged"):
        retrying(call, threading.Event())
    assert errors == []


def test_the_other_side_says_how_long_to_wait():
    began = time.monotonic()
    assert retrying(Call(2, RetryableError("busy", after=0.05)), threading.Event()) == "well"
    assert 0.1 <= time.monotonic() - began < 2


def test_a_run_that_stops_waits_for_nothing():
    stop = threading.Event()
    stop.set()
    call = Call(1, RetryableError("busy", after=60))
    with pytest.raises(RetryableError):
        retrying(call, stop)
    assert call.calls == 1


def test_a_run_that_is_stopped_meanwhile_neither_waits_nor_tries_again():
    stop = threading.Event()
    calls = []

    def call():
        calls.append(None)
        if len(calls) == 2:
            stop.set()
        raise RetryableError("busy", after=0.0 if len(calls) == 1 else 60.0)

    with pytest.raises(RetryableError):
        retrying(call, stop)
    assert len(calls) == 2
