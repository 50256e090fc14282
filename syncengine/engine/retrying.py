"""Trying again what may pass: a bounded number of times, waiting longer each time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from syncengine.errors import RetryableError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

ATTEMPTS = 4
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0


def retrying(call: Callable[[], T], stop: threading.Event) -> T:
    """Return what ``call`` returns, trying again after a ``RetryableError``.

    Args:
        call: may be called several times.
        stop: ends a wait early, and the tries with it.

    Raises:
        RetryableError: the last try's.
    """
    try:
        return call()
    except RetryableError as error:
        return _again(call, stop, error)


def _again(call: Callable[[], T], stop: threading.Event, first: RetryableError) -> T:
    # Imported at the first failure: most runs see none, and start-up stays light.
    from tenacity import (
        Retrying,
        retry_if_exception_type,
        stop_after_attempt,
        stop_when_event_set,
        wait_random_exponential,
    )

    wait = wait_random_exponential(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.after if isinstance(error, RetryableError) else None
        return asked if asked is not None else wait(state)

    def sleep(seconds: float) -> None:
        stop.wait(seconds)

    sleep(first.after if first.after is not None else _FIRST_WAIT)
    if stop.is_set():
        raise first
    retry = Retrying(
        stop=stop_after_attempt(ATTEMPTS - 1) | stop_when_event_set(stop),
        wait=pause,
        retry=retry_if_exception_type(RetryableError),
        sleep=sleep,
        reraise=True,
    )
    return retry(call)
