"""Letting a source go of what was verified: only after a whole run, and a whole verification without a finding."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import msgspec

from syncengine.api import CounterStore, RunReport
from syncengine.app.opening import open_source
from syncengine.app.proof import Proof
from syncengine.config.profile import Profile
from syncengine.engine.silence import Silent
from syncengine.errors import FatalError, ItemError, LockedError
from syncengine.model import Outcome
from syncengine.state.locks import profile_lock


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A verification that found everything intact, with the last run before it.

    Args:
        proof: what it left.
        run: the last run when it began.
        counters: for the source.
        stop: set when it is to end soon.
    """

    proof: Proof
    run: RunReport | None
    counters: CounterStore
    stop: threading.Event


def release(profile: Profile, directory: Path, verified: Verified) -> list[str]:
    """Let the profile's source go of what its last run has listed; return what was done or why nothing was.

    Args:
        profile: whose.
        directory: the state directory.
        verified: why it may.
    """
    run = verified.run
    if not profile.source.make().lets_go:
        return []
    if run is None or verified.proof.run != run.run:
        return ["the source keeps everything: the last run was not complete, or another one has run since"]
    if run.outcomes.get(Outcome.FAILED) or run.filtered:
        return [f"the source keeps everything: run {run.run} did not store all that it listed"]
    if profile.sync.mode != "additive":
        return ["the source keeps everything: what leaves it would leave the backup as well (sync.mode: mirror)"]
    return _release(profile, directory, verified, datetime.fromisoformat(run.started))


def _release(profile: Profile, directory: Path, verified: Verified, started: datetime) -> list[str]:
    try:
        with profile_lock(directory, profile.name), ExitStack() as stack:
            source = open_source(profile, directory, stack, Silent(), verified.stop, counters=verified.counters)
            return source.release_verified(started)
    except LockedError:
        return ["the source keeps everything for now: the profile is running"]
    except (FatalError, ItemError) as error:
        return [f"the source could not let go of anything: {error}"]
