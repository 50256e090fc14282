"""The composition root: builds a run from a profile. The only module that knows every part."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import (
    Album,
    CounterStore,
    Deduplicator,
    Destination,
    LedgerLine,
    RunContext,
    RunReport,
    Selection,
    Source,
    Transform,
)
from syncengine.config.interpolation import environment
from syncengine.config.loading import load_profile
from syncengine.config.profile import Profile
from syncengine.engine import runner, spool
from syncengine.engine.absent import AbsentDestination
from syncengine.engine.account import Account
from syncengine.engine.intents import Orphans, read_orphans
from syncengine.engine.layout import PathTemplate, recipe_of
from syncengine.engine.papers import Papers
from syncengine.engine.parts import RunParts
from syncengine.engine.planning import Decisions, decide_all
from syncengine.engine.ports import Progress
from syncengine.engine.silence import Silent
from syncengine.engine.steady_destination import SteadyDestination
from syncengine.engine.workers import ImageWorkers
from syncengine.errors import FatalError, LockedError
from syncengine.host import PluginHost
from syncengine.security.vault import Vault
from syncengine.state.locks import destination_lock, profile_lock
from syncengine.state.placement import default_state_directory
from syncengine.state.store import StateStore


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line adds to a profile.

    Args:
        albums: only these albums (titles, globs or ``id:``), instead of the profile's.
        limit: at most so many items are fetched.
        dry_run: decide, and do nothing.
    """

    albums: tuple[str, ...] = ()
    limit: int | None = None
    dry_run: bool = False


class ProfileStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What ``syncengine status`` shows of a profile.

    Args:
        profile: its name.
        runs: the newest accounts, newest first.
        running: a run is under way.
    """

    profile: str
    runs: tuple[RunReport, ...]
    running: bool


def load(path: Path, host: PluginHost) -> Profile:
    """Return a profile, validated, with its observers loaded.

    Raises:
        ConfigError: with every problem.
        PluginError: an observer is broken.
    """
    profile = load_profile(path, host)
    for observer in profile.observers:
        host.observe(observer)
    return profile


def run_profile(
    profile: Profile, host: PluginHost, request: RunRequest, progress: Progress, stop: threading.Event
) -> RunReport:
    """Run a profile once and return its account.

    Raises:
        LockedError: it is running already.
        FatalError: it could not begin; once it has begun, the report says why it stopped.
    """
    with _parts(profile, host, request, progress, stop) as parts:
        return runner.rehearse(parts) if request.dry_run else runner.run(parts)


@contextmanager
def planned(
    profile: Profile, host: PluginHost, request: RunRequest, progress: Progress
) -> Iterator[Iterator[Decisions]]:
    """Give what a run would decide, some hundred items at a time; nothing is fetched or written."""
    request = msgspec.structs.replace(request, dry_run=True)
    with (
        _parts(profile, host, request, progress, threading.Event()) as parts,
        closing(Account(parts.spool / spool.LEDGER, progress)) as account,
    ):
        yield decide_all(parts, account)


def list_albums(profile: Profile) -> list[Album]:
    """Return the source's albums, sorted by title.

    Raises:
        FatalError: the source cannot be reached.
    """
    with ExitStack() as stack:
        source = _open_source(profile, default_state_directory(), stack, Silent(), threading.Event())
        return sorted(source.albums(), key=lambda album: (album.title.casefold(), album.id))


def reports(profile: str, limit: int) -> list[RunReport]:
    """Return the newest accounts of a profile, newest first; empty when it never ran."""
    directory = default_state_directory()
    with StateStore.open(directory) as store:
        return store.bind(profile, "").runs(limit)


def status(profile: str, limit: int) -> ProfileStatus:
    """Return what is known of a profile's runs."""
    return ProfileStatus(
        profile=profile, runs=tuple(reports(profile, limit)), running=_is_running(default_state_directory(), profile)
    )


def known_profiles() -> list[str]:
    """Return the names of the profiles that ever ran here, sorted."""
    directory = default_state_directory() / "profiles"
    return sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []


def _is_running(directory: Path, profile: str) -> bool:
    try:
        with profile_lock(directory, profile):
            return False
    except LockedError:
        return True


class _Ends(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reads from, writes to and remembers in, open."""

    store: StateStore
    source: Source[Any]
    destination: Destination[Any]
    staging: Path


class _Stages(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to each file between the two ends."""

    transforms: tuple[Transform[Any], ...]
    deduplicators: tuple[Deduplicator[Any], ...]
    workers: ImageWorkers


class _Spool(msgspec.Struct, frozen=True, kw_only=True):
    """This run's own papers, and what runs before it left that were killed."""

    run: str
    directory: Path
    recovering: bool
    orphans: Orphans


@contextmanager
def _parts(
    profile: Profile, host: PluginHost, request: RunRequest, progress: Progress, stop: threading.Event
) -> Iterator[RunParts]:
    """Open everything that a run needs, and close it in the reverse order."""
    directory = default_state_directory()
    with ExitStack() as stack:
        stack.enter_context(profile_lock(directory, profile.name))
        ends = _open_ends(profile, request, progress, stop, stack)
        stages = _make_stages(profile, stack)
        papers = _begin_spool(directory, profile, request, ends, stack)
        yield RunParts(
            run=papers.run,
            profile=profile.name,
            source_label=profile.source.name,
            destination_label=f"{profile.destination.name} {ends.destination.location}",
            source=ends.source,
            destination=ends.destination,
            state=ends.store.bind(profile.name, ends.destination.identity),
            transforms=stages.transforms,
            deduplicators=stages.deduplicators,
            workers=stages.workers,
            select=_selection(profile, request),
            limit=request.limit,
            template=PathTemplate(profile.layout.path, profile.zone),
            zone=profile.zone,
            albums=profile.layout.albums,
            metadata=profile.layout.metadata,
            recipe=_recipe(profile),
            downloads=profile.execution.downloads,
            bandwidth=profile.execution.bandwidth,
            staging=ends.staging,
            spool=papers.directory,
            recovering=papers.recovering,
            orphans=papers.orphans,
            progress=progress,
            observers=_Observers(host),
            stop=stop,
            failed=threading.Event(),
            exclusive=partial(destination_lock, directory, ends.destination.identity),
        )


def _open_ends(
    profile: Profile, request: RunRequest, progress: Progress, stop: threading.Event, stack: ExitStack
) -> _Ends:
    """Open state, source and destination. A rehearsal makes no destination, and remembers none."""
    directory = default_state_directory()
    store = stack.enter_context(StateStore.open(directory))
    source = _open_source(profile, directory, stack, progress, stop, counters=store.counters())
    destination = _open_destination(profile, stop, stack, create=not request.dry_run)
    if not request.dry_run:
        _check_same_destination(directory, profile.name, destination)
    return _Ends(store=store, source=source, destination=destination, staging=_staging(destination, stack))


def _make_stages(profile: Profile, stack: ExitStack) -> _Stages:
    """Make the plugins between the two ends, and the processes that image work will run in."""
    transforms = tuple(stage.make() for stage in profile.transforms)
    deduplicators = tuple(stage.make() for stage in profile.dedup)
    workers = ImageWorkers(
        workers=profile.execution.workers or len(os.sched_getaffinity(0)),
        transforms=transforms,
        deduplicators=deduplicators,
        timeout=profile.execution.item_timeout,
        memory=profile.execution.item_memory,
    )
    stack.callback(workers.kill)
    return _Stages(transforms=transforms, deduplicators=deduplicators, workers=workers)


def _begin_spool(directory: Path, profile: Profile, request: RunRequest, ends: _Ends, stack: ExitStack) -> _Spool:
    """Make this run's spool, and bring what killed runs left to the destination.

    The own spool comes first: should the delivery fail, the next run still sees that there is something to mend.
    """
    run = _run_id()
    spools = directory / "profiles" / profile.name / "runs"
    before = spool.leftovers(spools)
    orphans = read_orphans(before)
    if request.dry_run:
        own = _temporary(stack)
    else:
        own = spools / run
        own.mkdir(parents=True, mode=0o700)
        for leftover in before:
            spool.deliver(leftover, Papers(ends.destination, ends.staging))
    return _Spool(run=run, directory=own, recovering=bool(before), orphans=orphans)


def _selection(profile: Profile, request: RunRequest) -> Selection:
    return msgspec.structs.replace(profile.select, albums=request.albums) if request.albums else profile.select


def _open_source(
    profile: Profile,
    directory: Path,
    stack: ExitStack,
    progress: Progress,
    stop: threading.Event,
    *,
    counters: CounterStore | None = None,
) -> Source[Any]:
    source: Source[Any] = stack.enter_context(profile.source.make())
    cache = directory / "profiles" / profile.name / "cache" / profile.source.name
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    source.open(
        RunContext(
            cache=cache,
            scratch=_temporary(stack),
            zone=profile.zone,
            profile=profile.name,
            bandwidth=profile.execution.bandwidth,
            tick=progress.note,
            say=progress.say,
            stopping=stop.is_set,
            counters=counters,
            credentials=Vault(directory, environment(profile.file)).of(profile.name),
        )
    )
    return source


def _open_destination(profile: Profile, stop: threading.Event, stack: ExitStack, *, create: bool) -> Destination[Any]:
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


def _check_same_destination(directory: Path, profile: str, destination: Destination[Any]) -> None:
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


def _staging(destination: Destination[Any], stack: ExitStack) -> Path:
    local = destination.staging()
    return local if local is not None else _temporary(stack)


def _temporary(stack: ExitStack) -> Path:
    path = Path(tempfile.mkdtemp(prefix="syncengine-"))
    stack.callback(shutil.rmtree, path, ignore_errors=True)
    return path


def _run_id() -> str:
    """Return an id that sorts by time and is unique on this machine."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def _recipe(profile: Profile) -> str:
    return recipe_of([(stage.name, msgspec.to_builtins(stage.options)) for stage in profile.transforms])


class _Observers:
    """Tells the host's observers."""

    def __init__(self, host: PluginHost) -> None:
        self._hook = host.hook

    def run_started(self, profile: str, run: str) -> None:
        self._hook.syncengine_run_started(profile=profile, run=run)

    def item_finished(self, profile: str, line: LedgerLine) -> None:
        self._hook.syncengine_item_finished(profile=profile, line=line)

    def run_finished(self, profile: str, report: RunReport) -> None:
        self._hook.syncengine_run_finished(profile=profile, report=report)
