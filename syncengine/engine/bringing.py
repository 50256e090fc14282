"""Bringing one item's bytes into staging, hashed on the way, and asking the source what they say."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncengine.api import Asset, ItemError
from syncengine.engine.account import Account
from syncengine.engine.parts import RunParts
from syncengine.engine.remaking import read_original
from syncengine.engine.retrying import retrying
from syncengine.engine.staging import HashingSink, bring_in, check_time
from syncengine.engine.throttle import Throttle
from syncengine.engine.work import MOVED, PAPERS_MISSING, REMAKE, Work
from syncengine.errors import RetryableError, SyncEngineError

_LOG = logging.getLogger(__name__)

#: A name in staging at which there never is a file; fetched ones are numbered.
_NOTHING_FETCHED = "nothing-fetched"


class Bringer:
    """Does for one work what its reason asks of the source; called from several threads at once.

    Args:
        parts: the run.
        account: counts the bytes.
    """

    def __init__(self, parts: RunParts, account: Account) -> None:
        self._parts = parts
        self._account = account
        self._throttle = Throttle(parts.bandwidth)
        self._numbers = itertools.count()
        self._mine = threading.local()

    def bring(self, work: Work) -> None:
        """Bring what the work needs; what is wrong with its item is written into the work.

        Raises:
            SyncEngineError: the run cannot go on.
        """
        if self._parts.is_ending:
            work.drop()
            return
        with self._border(work):
            if work.why == "metadata changed":
                work.item = self._parts.source.describe(work.item, self._parts.staging / _NOTHING_FETCHED)
                check_time(work.item, self._parts.zone)
            elif work.why == PAPERS_MISSING:
                asset = self._stage(work)
                asset.path.unlink()
                work.item = asset.item
            elif work.why != MOVED:
                self._take(work, retrying(lambda: self._stage(work), self._parts.stop))

    def take(self, work: Work, asset: Asset) -> None:
        """Go on with what somebody else has brought into staging."""
        self._account.count_fetched(asset.size)
        with self._border(work):
            self._take(work, asset)

    @contextmanager
    def _border(self, work: Work) -> Iterator[None]:
        """Write into a work what goes wrong with it, unless the run cannot go on."""
        try:
            yield
        except ItemError as error:
            if self._parts.stop.is_set() and isinstance(error, RetryableError):
                work.drop()
            else:
                work.fail(_sentence(error))
        except SyncEngineError:
            raise
        except Exception as error:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # the item's border
            _LOG.exception("the source failed on %r", work.item.id)
            work.fail(f"internal error in the source: {type(error).__name__}: {error}")

    def _take(self, work: Work, asset: Asset) -> None:
        """Go on with what is in staging now, unless the selection rejects it after all."""
        work.item = asset.item
        if work.why == REMAKE:
            work.fetched = work.asset = asset
            return
        work.rule = self._parts.select.rejects(work.item, self._parts.zone, described=True) or ""
        if work.rule:
            asset.path.unlink()
        else:
            work.fetched = work.asset = asset

    def _own_directory(self) -> Path:
        """Return this thread's directory in staging: a kernel makes files in one directory one after the other."""
        if not hasattr(self._mine, "directory"):
            self._mine.directory = self._parts.staging / f"fetch-{threading.get_native_id()}"
            self._mine.directory.mkdir(exist_ok=True)
        directory: Path = self._mine.directory
        return directory

    def _stage(self, work: Work) -> Asset:
        """Bring the bytes of an item into a new file in staging; leave nothing there when that fails."""
        item = work.item
        path = self._own_directory() / f"f{next(self._numbers)}"
        size, digest = bring_in(path, self._throttle, lambda sink: self._read(work, sink))
        try:
            if work.is_listed:
                item = self._parts.source.describe(item, path)
            check_time(item, self._parts.zone)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Asset(path=path, name=item.name, kind=item.kind, item=item, size=size, sha256=digest)

    def _read(self, work: Work, sink: HashingSink) -> None:
        if work.original_at:
            read_original(self._parts.destination, work.original_at, sink)
        else:
            self._parts.source.fetch(work.item, sink)
            self._account.count_fetched(sink.size)


def _sentence(error: ItemError) -> str:
    return f"{error.reason}; {error.advice}" if error.advice else error.reason
