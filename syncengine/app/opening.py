"""Opening what a command works on: state, source, destination, and the papers of what is under way."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import CounterStore, Destination, RunContext, Source
from syncengine.app.renewal import open_state, rebuild_task, renew
from syncengine.app.scratch import temporary_directory
from syncengine.config.interpolation import environment
from syncengine.config.profile import Profile
from syncengine.engine import spool
from syncengine.engine.absent import AbsentDestination
from syncengine.engine.guarded_source import GuardedSource
from syncengine.engine.intents import Intents, Orphans, read_orphans
from syncengine.engine.papers import Papers
from syncengine.engine.ports import Progress
from syncengine.engine.steady_destination import SteadyDestination
from syncengine.errors import FatalError
from syncengine.security.redaction import redact
from syncengine.security.vault import Vault
from syncengine.state.placement import default_state_directory
from syncengine.state.store import StateStore


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reads from, writes to and remembers in, open; and what a person should know of how it was found."""

    store: StateStore
    source: Source[Any]
    destination: Destination[Any]
    staging: Path
    warnings: tuple[str, ...] = ()
    #: The state was made again, so albums and lists may not say what is there.
    differs: bool = False


class RunSpool(msgspec.Struct, frozen=True, kw_only=True):
    """This run's own papers, and what runs before it left that were killed."""

    run: str
    directory: Path
    recovering: bool
    orphans: Orphans


def open_ends(
    profile: Profile, progress: Progress, stop: threading.Event, stack: ExitStack, *, create: bool = True
) -> Ends:
    """Open state, source and destination; a state that knows nothing of a library that is there is made again first.

    Args:
        profile: whose.
        progress: is told what the source is doing.
        stop: set when it is to end soon.
        stack: closes everything.
        create: make the destination when it is missing, and remember which one it is; a rehearsal does not.
    """
    directory = default_state_directory()
    state = open_state(profile, directory, mend=create and profile.rebuild_damaged_state)
    store = stack.enter_context(state.store)
    source = open_source(profile, directory, stack, progress, stop, counters=store.counters())
    destination = open_destination(profile, stop, stack, create=create)
    if create:
        check_same_destination(directory, profile.name, destination)
    scratch = temporary_directory(stack)
    task = rebuild_task(profile, directory, store, destination, scratch=scratch, progress=progress, stop=stop)
    renewed = renew(task, directory, progress)
    return Ends(
        store=store,
        source=source,
        destination=destination,
        staging=staging_of(destination, stack),
        warnings=(*state.warnings, *renewed.warnings),
        differs=renewed.differs,
    )


def begin_spool(directory: Path, profile: str, destination: Destination[Any], staging: Path) -> RunSpool:
    """Make a run's spool, and bring what killed runs left to the destination.

    The own spool comes first: should the delivery fail, the next run still sees that there is something to mend.
    """
    run = run_id()
    spools = directory / "profiles" / profile / "runs"
    before = spool.leftovers(spools)
    orphans = read_orphans(before)
    own = spools / run
    own.mkdir(parents=True, mode=0o700)
    if orphans:
        Intents(own, orphans)  # Handed on before the spools that hold them are gone.
    for leftover in before:
        spool.deliver(leftover, Papers(destination, staging))
    return RunSpool(run=run, directory=own, recovering=bool(before), orphans=orphans)


def mark_unmended(directory: Path, profile: str) -> None:
    """Have the next run bring albums and lists at the destination up to date, as after a run that was killed."""
    (directory / "profiles" / profile / "runs" / run_id()).mkdir(parents=True, mode=0o700)


def rehearsed_spool(directory: Path, profile: str, stack: ExitStack) -> RunSpool:
    """Return a spool that goes with the rehearsal; what killed runs left stays for the next run."""
    before = spool.leftovers(directory / "profiles" / profile / "runs")
    own = temporary_directory(stack)
    return RunSpool(run=run_id(), directory=own, recovering=bool(before), orphans=read_orphans(before))


def open_source(
    profile: Profile,
    directory: Path,
    stack: ExitStack,
    progress: Progress,
    stop: threading.Event,
    *,
    counters: CounterStore | None = None,
) -> Source[Any]:
    """Open a profile's source; ``stack`` closes it. Raises ``FatalError`` when it cannot be reached."""
    source: Source[Any] = stack.enter_context(profile.source.make())
    cache = directory / "profiles" / profile.name / "cache" / profile.source.name
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    source.open(
        RunContext(
            cache=cache,
            scratch=temporary_directory(stack),
            zone=profile.zone,
            profile=profile.name,
            bandwidth=profile.execution.bandwidth,
            downloads=profile.execution.downloads,
            tick=progress.note,
            say=progress.say,
            stopping=stop.is_set,
            counters=counters,
            credentials=Vault(directory, environment(profile.file)).of(profile.name),
        )
    )
    return GuardedSource(source, redact)


def open_destination(profile: Profile, stop: threading.Event, stack: ExitStack, *, create: bool) -> Destination[Any]:
    """Open a profile's destination; ``stack`` closes it.

    Returns:
        The destination; one that holds nothing where there is none yet and ``create`` is false.

    Raises:
        FatalError: it cannot be used.
    """
    destination: Destination[Any] = SteadyDestination(profile.destination.make(), stop)
    stack.callback(destination.close)
    try:
        destination.open(create=create)
    except FatalError:
        if create:
            raise
        return AbsentDestination(destination.location)
    return destination


class _KnownDestination(msgspec.Struct, frozen=True):
    location: str
    identity: str


def check_same_destination(directory: Path, profile: str, destination: Destination[Any]) -> None:
    """Refuse a place that held another destination before: most likely a disk that is not mounted."""
    file = directory / "profiles" / profile / "destination.json"
    now = _KnownDestination(destination.location, destination.identity)
    try:
        before = msgspec.json.decode(file.read_bytes(), type=_KnownDestination)
    except (FileNotFoundError, msgspec.MsgspecError):
        before = now
    if before.location == now.location and before.identity != now.identity:
        raise FatalError(
            f"{now.location} is not the destination that profile {profile} used before",
            advice=f"mount the disk or NAS that belongs there; for a new backup in that place, remove {file}",
        )
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_bytes(msgspec.json.encode(now))


def staging_of(destination: Destination[Any], stack: ExitStack) -> Path:
    """Return where files are written before they are placed: at the destination itself, when it is local."""
    local = destination.staging()
    return local if local is not None else temporary_directory(stack)


def run_id() -> str:
    """Return an id that sorts by time and is unique on this machine."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
