"""The report of a run: its account, what the source says of its listing, and whether the two agree."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Literal

import msgspec

from syncengine.api import Inventory, RunReport
from syncengine.engine.account import Account
from syncengine.engine.clean_text import cleaned
from syncengine.engine.parts import RunParts
from syncengine.engine.reconciling import Reconciliation, reconcile
from syncengine.errors import FatalError, ItemError

Ended = Literal["completed", "stopped", "interrupted"]


class Clock:
    """When a run began, and how long it has taken; it starts when it is made."""

    def __init__(self) -> None:
        self.started = now()
        self._start = time.monotonic()

    def seconds(self) -> float:
        """Return how long the run has taken, to the millisecond."""
        return round(time.monotonic() - self._start, 3)


def now() -> str:
    """Return the time, ISO 8601 with offset, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def inventory_of(parts: RunParts, account: Account) -> Inventory:
    """Return what the source says of its listing, once that was read to its end."""
    if not account.read_to_end:
        return Inventory(complete=False)
    try:
        return parts.source.inventory()
    except (FatalError, ItemError) as error:
        return Inventory(complete=False, missing=(f"the source's totals: {error}",))


def report_of(parts: RunParts, account: Account, clock: Clock, ended: Ended, reason: str) -> RunReport:
    """Return the report of a run that is over.

    Args:
        parts: the run.
        account: closed.
        clock: started with the run.
        ended: how it ended.
        reason: why it did not complete, and what to do; or empty.
    """
    inventory = inventory_of(parts, account)
    account.warn((*parts.warnings, *inventory.warnings))
    reconciled = Reconciliation()
    if ended == "completed" and account.read_to_end:
        reconciled = reconcile(account.listed, account.outcomes, inventory)
    report = RunReport(
        run=parts.run,
        profile=parts.profile,
        source=parts.source_label,
        destination=parts.destination_label,
        started=clock.started,
        finished=now(),
        ended=ended,
        reason=reason,
        listed=account.listed,
        outcomes=dict(account.outcomes),
        complete=ended == "completed" and account.is_complete(inventory) and not reconciled.disagreements,
        missing=(*inventory.missing, *account.unread),
        inventory=dict(inventory.counts),
        partial=inventory.partial,
        sums=dict(inventory.sums),
        reconciled=reconciled.agrees,
        disagreements=reconciled.disagreements,
        bytes_read=account.bytes_read,
        bytes_written=account.bytes_written,
        duplicates=dict(account.duplicates),
        near_duplicates=account.near_duplicates,
        filtered=dict(account.filtered_by),
        failures=tuple(account.failures),
        warnings=tuple(account.warnings),
        seconds=clock.seconds(),
        plan=parts.plan,
        maintained=account.maintained,
        albums=account.albums,
        removed=account.removals.count if not account.removals.refused else 0,
        removals=tuple(account.removals.first),
        removal_refused=account.removals.refused,
        trash_emptied=account.removals.emptied,
    )
    return msgspec.convert(cleaned(msgspec.to_builtins(report)), RunReport)
