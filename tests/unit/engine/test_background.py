"""Parts of the pipeline that run ahead."""

from __future__ import annotations

import threading

import pytest

from syncengine.engine.background import InBackground
from syncengine.engine.sorted_lines import SortedLines
from syncengine.engine.throttle import Throttle


def test_elements_come_in_order_from_another_thread():
    seen = []

    def produce():
        for number in range(20):
            seen.append(threading.current_thread())
            yield number

    assert list(InBackground(produce(), ahead=2, name="x")) == list(range(20))
    assert threading.current_thread() not in seen


def test_an_error_arrives_where_it_is_reached():
    def produce():
        yield 1
        raise ValueError("broken")

    elements = iter(InBackground(produce(), ahead=2, name="x"))
    assert next(elements) == 1
    with pytest.raises(ValueError, match="broken"):
        next(elements)


def test_the_producer_waits_for_its_consumer_and_is_closed_with_it():
    made, closed = [], threading.Event()

    def produce():
        try:
            for number in range(1000):
                made.append(number)
                yield number
        finally:
            closed.set()

    background = InBackground(produce(), ahead=2, name="x")
    elements = iter(background)
    assert next(elements) == 0
    background.close()
    assert closed.is_set()
    assert len(made) <= 5


def test_more_lines_than_memory_holds_come_back_sorted(tmp_path, monkeypatch):
    monkeypatch.setattr("syncengine.engine.sorted_lines._RUN", 7)
    lines = SortedLines(tmp_path)
    for number in range(100):
        lines.add(b"%05d\n" % (number * 37 % 100))
    assert list(lines) == [b"%05d\n" % number for number in range(100)]
    lines.close()


def test_a_throttle_keeps_the_rate(monkeypatch):
    now, slept = [100.0], []
    monkeypatch.setattr("syncengine.engine.throttle.time.monotonic", lambda: now[0])
    monkeypatch.setattr("syncengine.engine.throttle.time.sleep", slept.append)
    throttle = Throttle(1000)
    throttle.take(500)
    throttle.take(500)
    throttle.take(1)
    assert slept == [0.5, 1.0]
    Throttle(None).take(10**12)
    assert slept == [0.5, 1.0]
