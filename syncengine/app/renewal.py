"""The state as a run finds it: opened; set aside when it is damaged; made again where it knows nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import Destination
from syncengine.config.profile import Profile
from syncengine.engine import spool
from syncengine.engine.amendments import Amendments
from syncengine.engine.layout import recipe_of
from syncengine.engine.ports import Progress
from syncengine.engine.rebuilding import RebuildTask, Rebuilt, needs_rebuilding, rebuild
from syncengine.engine.recipe import Upkeep
from syncengine.errors import LockedError
from syncengine.state.failures import StateDamagedError
from syncengine.state.locks import destination_lock, profile_lock
from syncengine.state.setting_aside import set_aside
from syncengine.state.store import StateStore


class OpenedState(msgspec.Struct, frozen=True, kw_only=True):
    """The state, and what a person should know of how it was found."""

    store: StateStore
    warnings: tuple[str, ...] = ()


class _Remembered(msgspec.Struct, frozen=True):
    """What a profile remembers of its destination."""

    identity: str


def open_state(profile: Profile, directory: Path, *, mend: bool) -> OpenedState:
    """Open the store; a damaged one is set aside for a new one, if that is allowed.

    Args:
        profile: whose lock is held.
        directory: the state directory.
        mend: a damaged store may be set aside, the profile allowing it.

    Raises:
        StateDamagedError: it is damaged, and stays where it is.
        LockedError: it is damaged, and another profile is using it.
        FatalError: it cannot be used.
    """
    try:
        return OpenedState(store=StateStore.open(directory))
    except StateDamagedError as error:
        if not mend:
            raise
        with others_locked(profile.name, profiles_here(directory), directory):
            aside = set_aside(directory)
        what = f"{error.reason}; it was set aside as {aside}, and is made again from the destination"
        return OpenedState(store=StateStore.open(directory), warnings=(what,))


class Renewed(msgspec.Struct, frozen=True):
    """What a person should know of a state that was made again, and whether albums and lists may not say what is there.

    They may not whenever it was: with the state it is lost what a run that was killed had begun to change.
    """

    warnings: tuple[str, ...] = ()
    differs: bool = False


def renew(task: RebuildTask, directory: Path, progress: Progress) -> Renewed:
    """Make the state again where it knows nothing of a destination that holds a library, or only a part of it.

    Args:
        task: the rebuilding.
        directory: the state directory.
        progress: is told in one line.

    Returns:
        What was found; nothing where nothing had to be done.
    """
    if not needs_rebuilding(task):
        return Renewed(differs=task.amendments.are_waiting)
    with destination_lock(directory, task.destination.identity):
        if not needs_rebuilding(task):  # another profile of the destination has done it meanwhile
            return Renewed()
        rebuilt = rebuild(task)
    said = f"the state knew nothing of {task.destination.location} and was made again: {summary(rebuilt)}"
    progress.say(said)
    return Renewed((said, *rebuilt.warnings), differs=True)


def summary(rebuilt: Rebuilt) -> str:
    """Return what a rebuilding found, in one line."""
    items = sum(rebuilt.items.values())
    parts = [f"{rebuilt.contents:,} files and {items:,} items"]
    if rebuilt.from_metadata:
        parts.append(f"{rebuilt.from_metadata:,} files from their metadata files")
    if rebuilt.moved:
        parts.append(f"{rebuilt.moved:,} files elsewhere than the catalog says")
    if rebuilt.found:
        parts.append(f"{rebuilt.found:,} files that nothing tells about, by their hashes")
    if rebuilt.dropped:
        parts.append(f"{rebuilt.dropped:,} files are missing or others")
    return f"{', '.join(parts)}, in {rebuilt.seconds:.1f} s"


def rebuild_task(
    profile: Profile,
    directory: Path,
    store: StateStore,
    destination: Destination[Any],
    *,
    scratch: Path,
    progress: Progress,
    stop: threading.Event,
    rehash: bool = False,
) -> RebuildTask:
    """Return what there is to rebuild for a profile.

    Args:
        profile: the profile.
        directory: the state directory.
        store: open.
        destination: open.
        scratch: a directory for temporary files.
        progress: is told.
        stop: set when it is to end soon.
        rehash: hash every file.
    """
    identity = destination.identity
    profiles = profiles_of(directory, identity)
    stages = tuple((stage.name, msgspec.to_builtins(stage.options)) for stage in profile.transforms)
    first = profile.layout.path.partition("/")[0]
    return RebuildTask(
        profile=profile.name,
        plugin=profile.source.name,
        profiles=tuple(profiles),
        once=any(stage.plugin.stage == "fetched" for stage in profile.dedup),
        stages=stages,
        recipe=recipe_of(list(stages)),
        root="" if "{" in first else first,
        zone=profile.zone,
        destination=destination,
        part=store.part(identity),
        state=lambda name: store.bind(name, identity),
        scratch=scratch,
        spools=tuple(_spools(directory, profiles)),
        recovering=any(_leftovers(directory, name) for name in profiles),
        rehash=rehash,
        progress=progress,
        stop=stop,
        amendments=Amendments(Upkeep(directory=directory / "profiles" / profile.name).amendments_file(identity)),
    )


def profiles_here(directory: Path) -> list[str]:
    """Return the names of the profiles that ever ran here, sorted."""
    profiles = directory / "profiles"
    return sorted(path.name for path in profiles.iterdir()) if profiles.is_dir() else []


def profiles_of(directory: Path, identity: str) -> list[str]:
    """Return the names of the profiles that ran last with a destination, sorted."""
    return [name for name in profiles_here(directory) if _destination_of(directory, name) == identity]


@contextmanager
def others_locked(profile: str, names: list[str], directory: Path) -> Iterator[None]:
    """Hold the locks of some profiles but the own one, which is held already.

    Raises:
        LockedError: one of them is running.
    """
    with ExitStack() as stack:
        for name in names:
            if name != profile:
                try:
                    stack.enter_context(profile_lock(directory, name))
                except LockedError:
                    raise LockedError(f"profile {name}, which shares the state,") from None
        yield


def _destination_of(directory: Path, profile: str) -> str:
    try:
        file = directory / "profiles" / profile / "destination.json"
        return msgspec.json.decode(file.read_bytes(), type=_Remembered).identity
    except (OSError, msgspec.MsgspecError):
        return ""


def _spools(directory: Path, profiles: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield the catalogs of killed runs that are not at the destination yet."""
    for name in profiles:
        for leftover in _leftovers(directory, name):
            if (leftover / spool.CATALOG).is_file():
                yield leftover.name, leftover / spool.CATALOG


def _leftovers(directory: Path, profile: str) -> list[Path]:
    return spool.leftovers(directory / "profiles" / profile / "runs")
