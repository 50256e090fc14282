"""``syncengine trash``: what is in the trash of a profile's destination, brought back or removed for good."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

import msgspec

from syncengine.api import Destination
from syncengine.app.opening import RunSpool, begin_spool, open_destination, staging_of
from syncengine.app.renewal import open_state, rebuild_task, renew
from syncengine.app.scratch import temporary_directory
from syncengine.config.profile import Profile
from syncengine.engine import spool, trash, unlisted
from syncengine.engine.absent import AbsentDestination
from syncengine.engine.intents import Intents
from syncengine.engine.mirroring import is_undone
from syncengine.engine.papers import Papers
from syncengine.engine.ports import Progress, State
from syncengine.engine.recording import Journal
from syncengine.engine.restoring import Restored, Restorer, settle
from syncengine.engine.trash import DamagedLine, Held
from syncengine.errors import FatalError
from syncengine.state.locks import destination_lock, profile_lock
from syncengine.state.placement import default_state_directory


class InTrash(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the trash, for people.

    Args:
        id: by which it can be named.
        run: that put it there.
        name: the original name.
        path: where it was in the library.
        size: bytes of all its files.
        when: when it was put there, ISO 8601; empty when nobody knows.
        why: the reason.
    """

    id: str
    run: str
    name: str
    path: str
    size: int
    when: str
    why: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the trash, and which lines about it are damaged."""

    entries: list[InTrash]
    damaged: list[DamagedLine] = []


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """What became of something that was to be brought back: where it is now, and the problem or what to know of it."""

    id: str
    name: str
    path: str = ""
    problem: str = ""


class BroughtBack(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore has done.

    Args:
        done: what became of each.
        left: what could not be brought up to date with them.
        damaged: lines about the trash that are damaged.
    """

    done: list[Back]
    left: list[str]
    damaged: list[DamagedLine] = []


class Emptied(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed for good.

    Args:
        count: how many entries.
        size: how many bytes.
        kept: files that stay, since their entry is damaged and nothing else tells what they are: where they are.
        damaged: lines about the trash that are damaged.
    """

    count: int = 0
    size: int = 0
    kept: list[str] = []
    damaged: list[DamagedLine] = []


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are meant; all that is given must hold.

    Args:
        names: ids, paths or globs over paths and original names; any of them.
        run: the run that put them there, or the beginning of its id.
        before: put there before this moment.
    """

    names: tuple[str, ...] = ()
    run: str = ""
    before: datetime | None = None

    def takes(self, held: Held) -> bool:
        """Return whether an entry is meant. Files that no entry tells of have to be named."""
        if self.names and not any(_is_named(held, name) for name in self.names):
            return False
        if self.run and not held.run.startswith(self.run):
            return False
        when = trash.put_at(held)
        return self.before is None or (when is not None and when < self.before)


class _Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of the library is made with when there is no run."""

    destination: Destination[Any]
    state: State
    staging: Path
    albums: Literal["auto", "hardlink", "symlink", "copy", "manifest", "none"]
    papers: RunSpool
    profile: str


def list_trash(profile: Profile) -> Listed:
    """Return what is in the trash of a profile's destination, the oldest run first.

    Raises:
        FatalError: the destination cannot be read.
        ItemError: the trash leads through a link.
    """
    with ExitStack() as stack:
        destination = open_destination(profile, threading.Event(), stack, create=False)
        found = unlisted.recognised(destination, trash.contents(destination), _owner(profile))
        return Listed(entries=[_shown(held) for held in found], damaged=trash.damage(destination))


def restore_trash(profile: Profile, choice: Choice, progress: Progress) -> BroughtBack:
    """Bring entries back to the library.

    Raises:
        LockedError: the profile is running.
        FatalError: the destination or the state cannot be used; what was brought back is whole.
        ItemError: the trash leads through a link.
    """
    with _opened(profile, progress) as desk:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with closing(Journal(desk.papers.directory, desk.state, desk.profile)) as journal:
            Intents(desk.papers.directory, desk.papers.orphans)
            if desk.papers.recovering:
                settle(desk.destination, desk.state, journal, now)
            damaged = _damage(desk, choice)
            found = list(unlisted.recognised(desk.destination, trash.contents(desk.destination), _owner(profile)))
            unmended = unlisted.mend(desk.destination, Papers(desk.destination, desk.staging), found)
            wanted = [held for held in found if choice.takes(held)]
            if not choice.names:
                wanted = [held for held in wanted if held.record is not None or held.is_unaccounted]
            restorer = Restorer(desk, journal, now)
            done = restorer.restore(sorted(wanted, key=lambda held: held.run, reverse=True))
            left = unmended + restorer.finish()
        papers = Papers(desk.destination, desk.staging)
        # What a killed run has left to mend is for the next run, which knows the source.
        spool.deliver(desk.papers.directory, papers, mended=not (desk.papers.recovering or left))
        return BroughtBack(done=[_back(one) for one in done], left=left, damaged=damaged)


def empty_trash(profile: Profile, choice: Choice, progress: Progress) -> Emptied:
    """Remove entries for good, but no file that may belong to a damaged one. Raises as ``restore_trash`` does."""
    with _opened(profile, progress) as desk:
        count = size = 0
        damaged = _damage(desk, choice)
        found = unlisted.recognised(desk.destination, trash.contents(desk.destination), _owner(profile))
        wanted = [held for held in found if choice.takes(held)]
        kept = [held.files[0].trashed for held in wanted if held.is_unaccounted]
        for held in wanted:
            if not held.is_unaccounted and not is_undone(desk.destination, desk.state, held):
                size += trash.drop(desk.destination, held)
                count += 1
        for run in {held.run for held in wanted}:
            trash.tidy(desk.destination, run)
        desk.destination.flush()
        spool.deliver(desk.papers.directory, Papers(desk.destination, desk.staging), mended=not desk.papers.recovering)
        return Emptied(count=count, size=size, kept=kept, damaged=damaged)


def older_than(days: float | None) -> datetime | None:
    """Return the moment so many days ago."""
    return None if days is None else datetime.now(UTC) - timedelta(days=days)


@contextmanager
def _opened(profile: Profile, progress: Progress) -> Iterator[_Desk]:
    """Open state and destination, alone; without the source, which has no part in it."""
    directory, stop = default_state_directory(), threading.Event()
    with ExitStack() as stack:
        stack.enter_context(profile_lock(directory, profile.name))
        store = stack.enter_context(open_state(profile, directory, mend=False).store)
        destination = open_destination(profile, stop, stack, create=False)
        if isinstance(destination, AbsentDestination):
            raise FatalError(f"{destination.location} is not there", advice="mount the disk or NAS that belongs there")
        scratch = temporary_directory(stack)
        task = rebuild_task(profile, directory, store, destination, scratch=scratch, progress=progress, stop=stop)
        renew(task, directory, progress)
        staging = staging_of(destination, stack)
        stack.enter_context(destination_lock(directory, destination.identity))
        yield _Desk(
            destination=destination,
            state=store.bind(profile.name, destination.identity),
            staging=staging,
            albums=profile.layout.albums,
            papers=begin_spool(directory, profile.name, destination, staging),
            profile=profile.name,
        )


def _owner(profile: Profile) -> unlisted.Owner:
    once = any(stage.plugin.stage == "fetched" for stage in profile.dedup)
    return unlisted.Owner(profile=profile.name, plugin=profile.source.name, once=once)


def _damage(desk: _Desk, choice: Choice) -> list[DamagedLine]:
    return [line for line in trash.damage(desk.destination) if line.run.startswith(choice.run)]


def _is_named(held: Held, name: str) -> bool:
    paths = [file.path for file in held.files]
    if name in (held.entry.id, *paths):
        return True
    return any(fnmatch(text.casefold(), name.casefold()) for text in (held.entry.name, *paths[:1]))


def _shown(held: Held) -> InTrash:
    return InTrash(
        id=held.entry.id,
        run=held.run,
        name=held.entry.name,
        path=held.record.path if held.record is not None else held.files[0].path,
        size=sum(file.size for file in held.files),
        when=held.entry.when,
        why=held.entry.why,
    )


def _back(one: Restored) -> Back:
    return Back(id=one.held.entry.id, name=one.held.entry.name, path=one.path, problem=one.problem)
