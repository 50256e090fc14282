"""Repairs: what a verification found, put right under the profile's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import Destination
from syncengine.app.existing import open_existing
from syncengine.app.opening import run_id, staging_of
from syncengine.app.remembered import remembered
from syncengine.app.runs import RunRequest, opened_parts
from syncengine.config.loading import load_profile
from syncengine.config.profile import Profile
from syncengine.engine import runner
from syncengine.engine.parts import Only
from syncengine.engine.ports import Progress, State
from syncengine.engine.repairing.copies import GoodCopy, listed_copies
from syncengine.engine.repairing.parts import Refetched, Repairing
from syncengine.engine.repairing.repairer import can_be_repaired, repair
from syncengine.engine.verification.findings import Finding, Verification
from syncengine.errors import ConfigError, FatalError, ItemError, LockedError, PluginError
from syncengine.host import PluginHost
from syncengine.state.locks import destination_lock, profile_lock

#: What the ledger of a repair's run says of the items that it was not about.
RULE = "verify --repair"


class RepairRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a repair needs beside what a verification has.

    Args:
        host: for the profiles whose destinations may hold copies, and for the run that asks the source.
        progress: of that run.
        others: profiles that the command line names; those that ran on this machine come after them.
    """

    host: PluginHost
    progress: Progress
    others: tuple[Profile, ...] = ()


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Where a verification has found something.

    Args:
        profile: whose.
        directory: the state directory.
        destination: open.
        state: bound to both.
        note: is told what a long step is doing.
        stop: set when it is to end soon.
    """

    profile: Profile
    directory: Path
    destination: Destination[Any]
    state: State
    note: Callable[[str], None]
    stop: threading.Event


def repair_findings(ground: Ground, request: RepairRequest, found: Verification) -> Verification:
    """Return a verification's account with what became of each finding.

    Raises:
        FatalError: it cannot go on; what was repaired until then is.
    """
    profile, directory = ground.profile, ground.directory
    try:
        with profile_lock(directory, profile.name), ExitStack() as stack:
            elsewhere = _OtherDestinations(ground, request, stack)
            run = run_id()
            parts = Repairing(
                run=run,
                profile=profile.name,
                source_label=profile.source.name,
                destination=ground.destination,
                state=ground.state,
                staging=staging_of(ground.destination, stack),
                spool=_new_spool(directory, profile.name, run),
                albums=profile.layout.albums,
                metadata=profile.layout.metadata,
                zone=profile.zone,
                exclusive=partial(destination_lock, directory, ground.destination.identity),
                elsewhere=elsewhere,
                fetch_again=partial(_fetch_again, ground, request),
                note=ground.note,
                stop=ground.stop,
            )
            outcomes = repair(parts, [finding for finding in found.findings if can_be_repaired(finding)])
    except LockedError:
        note = f"nothing was repaired: profile {profile.name} is running; repair again when it has ended"
        return msgspec.structs.replace(found, notes=(*found.notes, note))
    except (FatalError, ItemError) as error:
        reason = f"{error.reason}; {error.advice}" if error.advice else error.reason
        return msgspec.structs.replace(found, ended="stopped", reason=f"the repair stopped: {reason}")
    rest = [finding for finding in found.findings if not can_be_repaired(finding) and not _is_moved(finding, outcomes)]
    return msgspec.structs.replace(
        found,
        findings=sorted([*outcomes, *rest], key=lambda finding: (finding.path, finding.kind)),
        intact=found.intact + sum(_is_file(finding) and finding.repaired for finding in outcomes),
        notes=(*found.notes, *elsewhere.notes),
        ended="interrupted" if ground.stop.is_set() else found.ended,
        reason="interrupted; repair again to go on from here" if ground.stop.is_set() else found.reason,
    )


def _is_file(finding: Finding) -> bool:
    return finding.file is not None and finding.file.path == finding.path


def _is_moved(finding: Finding, outcomes: list[Finding]) -> bool:
    return any(outcome.repaired and outcome.found_at == finding.path for outcome in outcomes)


def _new_spool(directory: Path, profile: str, run: str) -> Path:
    """Make the directory of a repair's own papers."""
    own = directory / "profiles" / profile / "runs" / run
    own.mkdir(parents=True, mode=0o700)
    return own


def _fetch_again(ground: Ground, request: RepairRequest, ids: frozenset[str]) -> Refetched:
    """Run the profile for some items alone, and remove nothing."""
    only = RunRequest(only=Only(ids, RULE))
    try:
        with opened_parts(ground.profile, request.host, only, request.progress, ground.stop) as parts:
            report = runner.run(msgspec.structs.replace(parts, mirror=None))
    except FatalError as error:
        return Refetched(reason=f"{error.reason}; {error.advice}" if error.advice else error.reason)
    failures = {failure["id"]: failure["reason"] for failure in report.failures}
    return Refetched(reason=report.reason, failures=failures, is_run=report.ended == "completed")


class _OtherDestinations:
    """Opens the destinations of other profiles, one after the other, as long as something is wanted.

    Args:
        ground: what is repaired.
        request: names some of them.
        stack: closes them.
    """

    def __init__(self, ground: Ground, request: RepairRequest, stack: ExitStack) -> None:
        self._ground = ground
        self._request = request
        self._stack = stack
        self.notes: list[str] = []

    def copies(self, wanted: set[bytes]) -> Iterator[GoodCopy]:
        """Yield what they should hold of the files with these SHA-256."""
        seen = {self._ground.destination.identity}
        for other in self._profiles():
            destination = self._open(other)
            if destination is None or destination.identity in seen:
                continue
            seen.add(destination.identity)
            try:
                yield from listed_copies(wanted, destination, destination.location)
            except (ItemError, FatalError, OSError) as error:
                self.notes.append(f"{destination.location} was left out: {error}")

    def _profiles(self) -> Iterator[Profile]:
        yield from self._request.others
        named = {self._ground.profile.name, *(other.name for other in self._request.others)}
        for name, path in remembered(self._ground.directory).items():
            if name in named:
                continue
            try:
                yield load_profile(path, self._request.host)
            except (ConfigError, PluginError) as error:
                reason = str(error).partition("\n")[0]
                self.notes.append(f"the destination of profile {name} was left out: {reason}")

    def _open(self, other: Profile) -> Destination[Any] | None:
        try:
            return open_existing(other, self._ground.stop, self._stack)
        except FatalError as error:
            self.notes.append(f"the destination of profile {other.name} was left out: {error}")
            return None
