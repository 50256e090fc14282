"""The border to a source: whatever it raises that its contract does not know becomes an error that the run can bear."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from syncengine.api import Album, Inventory, ItemReader, MediaItem, RunContext, Selection, Sink, Source
from syncengine.errors import FatalError, ItemError, SyncEngineError

_LOG = logging.getLogger(__name__)
_LONGEST_REASON = 500
_ADVICE = "the log has the traceback; please report it to the maker of the plugin"


class GuardedSource(Source[Any]):
    """A source whose accidents end one item, or the listing, and never the account of the run.

    Args:
        inner: does the work; may be open already.
        redact: takes the secrets out of a text; what an unexpected error says goes into reports and ledgers.
    """

    def __init__(self, inner: Source[Any], redact: Callable[[str], str]) -> None:
        super().__init__(inner.options)
        self._inner, self._redact = inner, redact
        self.reads_local_disk = inner.reads_local_disk  # type: ignore[misc]  # the inner one's class says so

    def open(self, context: RunContext) -> None:
        """See ``Source``."""
        self._inner.open(context)

    def close(self) -> None:
        """See ``Source``."""
        self._inner.close()

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """See ``Source``; after an accident nobody knows what else there is, so the listing ends."""
        try:
            with self._border("listing the library"):
                yield from self._inner.scan(select)
        except _AccidentError as error:
            raise FatalError(error.reason, advice=error.advice) from error

    def inventory(self) -> Inventory:
        """See ``Source``; raises ``ItemError`` after an accident."""
        with self._border("adding up the library"):
            return self._inner.inventory()

    def albums(self) -> Iterator[Album]:
        """See ``Source``; raises ``ItemError`` after an accident."""
        with self._border("listing the albums"):
            yield from self._inner.albums()

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """See ``Source``."""
        with self._border(f"fetching {item.id!r}"):
            self._inner.fetch(item, into)

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """See ``Source``."""
        with self._border(f"describing {item.id!r}"):
            return self._inner.describe(item, path)

    def reader(self) -> ItemReader | None:
        """See ``Source``; after an accident there is none, and the source reads its items itself."""
        try:
            with self._border("making a reader"):
                return self._inner.reader()
        except ItemError:
            return None

    @property
    def lets_go(self) -> bool:
        """See ``Source``."""
        return self._inner.lets_go

    def release_verified(self, run_started: datetime) -> list[str]:
        """See ``Source``; raises ``ItemError`` after an accident."""
        with self._border("letting go of what was verified"):
            return self._inner.release_verified(run_started)

    @contextmanager
    def _border(self, doing: str) -> Iterator[None]:
        try:
            yield
        except SyncEngineError:
            raise
        except Exception as error:
            _LOG.exception("the source failed while %s", doing)
            text = self._redact(" ".join(str(error).split())[:_LONGEST_REASON])
            raise _AccidentError(
                f"internal error in the source: {type(error).__name__}: {text}", advice=_ADVICE
            ) from error


class _AccidentError(ItemError):
    """Something that the contract does not know."""
