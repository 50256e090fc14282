"""Runs: a profile turned into everything that a run is made of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import msgspec

from syncengine.api import LedgerLine, RunReport, Selection
from syncengine.app.copying import copy_after
from syncengine.app.opening import begin_spool, open_ends, rehearsed_spool
from syncengine.app.remembered import remember
from syncengine.app.stages import make_stages
from syncengine.config.loading import load_profile
from syncengine.config.profile import Profile
from syncengine.engine import runner
from syncengine.engine.layout import PathTemplate, recipe_of
from syncengine.engine.own_disk import own_disk
from syncengine.engine.parts import Permit, RunParts
from syncengine.engine.ports import Progress
from syncengine.engine.rebuilding.finds import FoundFiles
from syncengine.engine.recipe import Upkeep
from syncengine.engine.removals import Budget, Mirror
from syncengine.host import PluginHost
from syncengine.state.locks import destination_lock, profile_lock
from syncengine.state.placement import default_state_directory


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line adds to a profile.

    Args:
        albums: only these albums (titles, globs or ``id:``), instead of the profile's.
        limit: at most so many items are fetched.
        dry_run: decide, and do nothing.
        max_delete: instead of the profile's ``sync.max_delete``: (number, percentage), either of them ``None``.
        yes: remove whatever left the source, however much it is.
        remake: make files again whose recipe is another one now.
        relayout: move files whose path is another one now, and bring albums and metadata files up to date.
        only: permits what may be worked on, or ``None`` for everything.
        plan: the saved plan that is carried out, for people; or empty.
    """

    albums: tuple[str, ...] = ()
    limit: int | None = None
    dry_run: bool = False
    max_delete: tuple[int | None, float | None] | None = None
    yes: bool = False
    remake: bool = False
    relayout: bool = False
    only: Permit | None = None
    plan: str = ""


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
    with (
        profile_lock(default_state_directory(), profile.name),
        opened_parts(profile, host, request, progress, stop) as parts,
    ):
        report = runner.rehearse(parts) if request.dry_run else runner.run(parts)
        copy_after(report, default_state_directory())
        return report


@contextmanager
def opened_parts(
    profile: Profile, host: PluginHost, request: RunRequest, progress: Progress, stop: threading.Event
) -> Iterator[RunParts]:
    """Open everything that a run needs, and close it in the reverse order; the caller holds the profile's lock."""
    directory = default_state_directory()
    with own_disk(directory), ExitStack() as stack:
        ends = open_ends(profile, progress, stop, stack, create=not request.dry_run)
        if not request.dry_run:
            remember(directory, profile)
        identity = ends.destination.identity
        state = ends.store.bind(profile.name, identity)
        stages = make_stages(profile, ends, stop, stack)
        papers = (
            rehearsed_spool(directory, profile.name, stack)
            if request.dry_run
            else begin_spool(directory, profile.name, ends.destination, ends.staging)
        )
        yield RunParts(
            run=papers.run,
            profile=profile.name,
            source_label=profile.source.name,
            destination_label=f"{profile.destination.name} {ends.destination.location}",
            source=ends.source,
            destination=ends.destination,
            state=state,
            transforms=stages.transforms,
            deduplicators=stages.deduplicators,
            workers=stages.workers,
            reading=stages.reading,
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
            recovering=papers.recovering or ends.differs,
            orphans=FoundFiles(papers.orphans, state) if ends.store.part(identity).has_finds() else papers.orphans,
            progress=progress,
            observers=_Observers(host),
            stop=stop,
            failed=threading.Event(),
            exclusive=partial(destination_lock, directory, ends.destination.identity),
            only=request.only,
            upkeep=Upkeep(
                remake=request.remake, relayout=request.relayout, directory=directory / "profiles" / profile.name
            ),
            plan=request.plan,
            warnings=ends.warnings,
            mirror=_mirror(profile, request),
        )


def _selection(profile: Profile, request: RunRequest) -> Selection:
    return msgspec.structs.replace(profile.select, albums=request.albums) if request.albums else profile.select


def _mirror(profile: Profile, request: RunRequest) -> Mirror | None:
    """Return how removals are followed; a run that is narrowed by hand cannot tell what left the source."""
    is_narrowed = bool(request.albums) or request.limit is not None or (request.only is not None and not request.plan)
    if profile.sync.mode != "mirror" or is_narrowed:
        return None
    count, percent = request.max_delete or profile.sync.max_delete
    budget = None if request.yes else Budget(count=count, percent=percent)
    return Mirror(budget=budget, trash_days=profile.sync.trash_days)


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
