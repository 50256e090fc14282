"""Ends a run with a clear sentence where it cannot go on without an answer of Google's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from syncengine.api import FatalError, ItemError
from syncengine_plugins.sources.google_drive_takeout.byte_ranges import StoppingError

LATER = "run again later; what is stored stays"


@contextmanager
def clean_stop(doing: str) -> Iterator[None]:
    """Turn what concerns one request into the end of the run.

    Args:
        doing: what is under way, such as ``looking for archives in Google Drive``.

    Raises:
        FatalError: the request failed for good, or too often.
        StoppingError: the run is asked to end, which is no failure.
    """
    try:
        yield
    except StoppingError:
        raise
    except ItemError as error:
        raise FatalError(f"{doing}: {error.reason}", advice=error.advice or LATER) from None
