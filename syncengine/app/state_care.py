"""``syncengine state``: the store made again, read as a whole, and copied."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import Destination
from syncengine.app.catalog_comparison import compare_with_catalog
from syncengine.app.opening import check_same_destination, mark_unmended, open_destination
from syncengine.app.renewal import open_state, others_locked, profiles_of, rebuild_task
from syncengine.app.scratch import temporary_directory
from syncengine.config.profile import Profile
from syncengine.engine.absent import AbsentDestination
from syncengine.engine.own_disk import own_disk
from syncengine.engine.ports import Progress
from syncengine.engine.rebuilding import Rebuilt, rebuild
from syncengine.errors import FatalError
from syncengine.state.checking import StateProblem
from syncengine.state.copies import keep_copy, new_copy
from syncengine.state.failures import StateDamagedError
from syncengine.state.locks import destination_lock, profile_lock
from syncengine.state.placement import default_state_directory
from syncengine.state.store import StateStore


class StateCheck(msgspec.Struct, kw_only=True):
    """What reading a store as a whole has shown.

    Args:
        profile: the profile that it was asked for.
        records: how many records each table has.
        problems: what is wrong, the first hundred.
        count: how many problems there are.
        notes: what is not wrong and worth knowing.
    """

    profile: str
    records: dict[str, int] = {}
    problems: list[StateProblem] = []
    count: int = 0
    notes: list[str] = []


def rebuild_state(
    profile: Profile, progress: Progress, stop: threading.Event, *, rehash: bool = False, alone: bool = False
) -> Rebuilt:
    """Make the state of a profile's destination again, for all profiles of that destination.

    A damaged store is set aside first. The destination is only read.

    Args:
        profile: whose destination.
        progress: is told.
        stop: set when it is to end soon.
        rehash: hash every file, instead of looking at its size.
        alone: a person says that no other profile backs up there.

    Raises:
        LockedError: the profile, or another one of the destination, is running.
        FatalError: the destination cannot be read, the state cannot be written, or the profile is not alone.
        InterruptedRunError: it was stopped; the next run begins again.
    """
    directory = default_state_directory()
    with own_disk(directory), ExitStack() as stack:
        stack.enter_context(profile_lock(directory, profile.name))
        destination = _existing_destination(profile, stop, stack)
        check_same_destination(directory, profile.name, destination)
        opened = open_state(profile, directory, mend=True)
        store = stack.enter_context(opened.store)
        others = profiles_of(directory, destination.identity)
        stack.enter_context(others_locked(profile.name, others, directory))
        stack.enter_context(destination_lock(directory, destination.identity))
        copied = () if opened.warnings else _copy_or_warn(store, directory)
        scratch = temporary_directory(stack)
        task = rebuild_task(
            profile, directory, store, destination, scratch=scratch, progress=progress, stop=stop, rehash=rehash
        )
        rebuilt = rebuild(msgspec.structs.replace(task, alone=alone))
        mark_unmended(directory, profile.name)
        rebuilt.warnings = [*opened.warnings, *copied, *rebuilt.warnings]
        return rebuilt


def check_state(profile: Profile, progress: Progress, stop: threading.Event) -> StateCheck:
    """Read every record of the store, and compare those of the profile's destination with its catalog.

    Raises:
        LockedError: the profile is running.
        FatalError: the state or the destination cannot be used.
    """
    directory = default_state_directory()
    found = StateCheck(profile=profile.name)
    with own_disk(directory), ExitStack() as stack:
        stack.enter_context(profile_lock(directory, profile.name))
        try:
            store = stack.enter_context(StateStore.open(directory))
        except StateDamagedError as error:
            found.problems, found.count = [StateProblem("store", error.reason, error.advice)], 1
            return found
        destination = open_destination(profile, stop, stack, create=False)
        identity = destination.identity
        names = sorted({profile.name, *profiles_of(directory, identity)})
        stack.enter_context(store.part(identity).sparingly())
        checked = store.check(identity, names)
        if store.part(identity).is_unfinished():
            what = f"what it holds of {destination.location} is not whole: a rebuilding did not come to its end"
            checked.add(StateProblem("meta", what, "the next run begins it again, or 'syncengine state rebuild'"))
        elif not checked.count and not isinstance(destination, AbsentDestination):
            scratch = temporary_directory(stack)
            task = rebuild_task(profile, directory, store, destination, scratch=scratch, progress=progress, stop=stop)
            found.notes += compare_with_catalog(task, store, names, scratch, checked)
        if isinstance(destination, AbsentDestination):
            found.notes.append(f"{destination.location} is not there: the state was not compared with its catalog")
        found.records, found.problems, found.count = checked.records, checked.problems, checked.count
    return found


def backup_state(file: Path | None) -> Path:
    """Write a compact copy of the store, which holds all profiles of this machine.

    Args:
        file: the copy; in ``copies`` of the state directory when ``None``.

    Returns:
        The copy.

    Raises:
        FatalError: it cannot be written, or the file is there already.
    """
    directory = default_state_directory()
    with own_disk(directory), StateStore.open(directory) as store:
        if file is None:
            return new_copy(store, directory)
        if file.exists():
            raise FatalError(f"{file} is there already", advice="name another file")
        if not file.absolute().parent.is_dir():
            raise FatalError(f"{file.absolute().parent} is no directory", advice="make it, or name another file")
        store.copy(file.absolute())
        return file


def _copy_or_warn(store: StateStore, directory: Path) -> tuple[str, ...]:
    try:
        keep_copy(store, directory)
    except FatalError as error:
        return (f"no copy of the state could be kept: {error.reason}",)
    return ()


def _existing_destination(profile: Profile, stop: threading.Event, stack: ExitStack) -> Destination[Any]:
    destination = open_destination(profile, stop, stack, create=False)
    if isinstance(destination, AbsentDestination):
        raise FatalError(
            f"there is nothing at {destination.location} to make the state from", advice="mount the destination"
        )
    return destination
