"""When a profile's schedule says that it is to run."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def due_after(schedule: str, last: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment after ``last`` at which a profile is to run.

    Args:
        schedule: a validated cron expression of five fields.
        last: an aware time, mostly the beginning of the last run.
        zone: whose wall clock the schedule means.
    """
    from cronsim import CronSim  # only what has a schedule needs it

    return next(CronSim(schedule, last.astimezone(zone)))
