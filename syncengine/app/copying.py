"""The copy of the state that a run leaves behind."""

from __future__ import annotations

import logging
from pathlib import Path

from syncengine.api import RunReport
from syncengine.engine.own_disk import own_disk
from syncengine.errors import FatalError
from syncengine.state.copies import keep_copy
from syncengine.state.store import StateStore

_LOG = logging.getLogger(__name__)


def copy_after(report: RunReport, directory: Path) -> None:
    """Keep a compact copy of the state, at most one a day, after a run that changed something.

    A copy that cannot be written is a warning in the log: the run is over, and well.
    """
    outcomes = ("stored", "duplicate", "updated")
    if report.dry_run or not any(report.outcomes.get(outcome, 0) for outcome in outcomes):
        return
    try:
        with own_disk(directory), StateStore.open(directory) as store:
            keep_copy(store, directory)
    except FatalError as error:
        _LOG.warning("no copy of the state could be kept: %s; %s", error.reason, error.advice)
