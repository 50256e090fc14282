"""Waiting, and not waiting any longer."""

from __future__ import annotations

import threading
import time

from syncengine_plugins.google.clock import Clock


def test_a_wait_lasts_as_long_as_it_should():
    begun = time.monotonic()
    Clock().wait(0.05)
    assert time.monotonic() - begun >= 0.05


def test_a_wait_ends_when_the_run_is_asked_to_end():
    stop = threading.Event()
    stop.set()
    begun = time.monotonic()
    Clock().for_run(stop.is_set).wait(60)
    assert time.monotonic() - begun < 5


def test_no_time_is_no_wait():
    begun = time.monotonic()
    Clock().wait(-1)
    assert time.monotonic() - begun < 1


def test_a_clock_of_a_test_stays():
    class Other(Clock):
        pass

    other = Other()
    assert other.for_run(lambda: True) is other
