"""Plans: what a run would do, shown, kept in a file, and carried out from there."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

import msgspec

from syncengine.api import RunReport
from syncengine.app.copying import copy_after
from syncengine.app.plan_inputs import destination_facts, head_of, profile_facts
from syncengine.app.runs import RunRequest, load, opened_parts
from syncengine.app.scratch import temporary_directory
from syncengine.config.profile import Profile
from syncengine.engine import runner
from syncengine.engine.parts import RunParts
from syncengine.engine.planning import Decisions
from syncengine.engine.ports import Progress
from syncengine.engine.saved_plan import comparing
from syncengine.engine.saved_plan.actions import Action
from syncengine.engine.saved_plan.approval import Approval
from syncengine.engine.saved_plan.document import PlanWriter, SavedPlan, is_plan, read_plan
from syncengine.engine.saved_plan.facts import Head, Tail
from syncengine.engine.saved_plan.making import Draft
from syncengine.engine.silence import Silent
from syncengine.errors import ConfigError, FatalError, InterruptedRunError
from syncengine.host import PluginHost
from syncengine.state.locks import profile_lock
from syncengine.state.placement import default_state_directory


class Planned:
    """A plan that is being made: taken decision by decision, and written as it is taken.

    Args:
        draft: decides.
        head: what the plan begins with.
        stream: where it is written, or ``None``.
    """

    def __init__(self, draft: Draft, head: Head, stream: BinaryIO | None) -> None:
        self.head = head
        self.remarks: list[str] = []
        self._draft = draft
        self._stream = stream
        self.is_whole = False

    def __iter__(self) -> Iterator[tuple[list[Action], Decisions]]:
        writer = PlanWriter(self._stream, self.head) if self._stream is not None else None
        for actions, decisions in self._draft.decisions():
            if writer is not None:
                writer.add(actions)
            yield actions, decisions
        if writer is not None:
            writer.finish(self.tail())
        self.remarks = self._draft.remarks()
        self.is_whole = True

    def tail(self) -> Tail:
        """Return the sums, once all was taken."""
        return self._draft.tail()


class Applied(msgspec.Struct, frozen=True):
    """What became of a plan: the run's account, and how many of its actions met no item."""

    report: RunReport
    unmet: int


class _Checking(Silent):
    """What is told of a check: no counts, since all is counted once more when it is done.

    Args:
        progress: of what follows.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        progress.note("looking whether the plan still fits")

    def note(self, text: str) -> None:
        """Pass on what a long step is doing."""
        self._progress.note(text)

    def say(self, text: str) -> None:
        """Pass on what a person must not miss."""
        self._progress.say(text)


@contextmanager
def planned(
    profile: Profile, host: PluginHost, request: RunRequest, progress: Progress, *, file: Path | None = None
) -> Iterator[Planned]:
    """Give what a run would do, some hundred items at a time; nothing is fetched, nothing at the destination changes.

    Args:
        profile: whose.
        host: the plugins.
        request: what the command line adds.
        progress: is told.
        file: where the plan is kept, or ``None``; it is there, whole, once all was taken and this ends.

    Raises:
        ConfigError: something else is in that place.
        LockedError: the profile is running.
        FatalError: source, destination or file cannot be used.
    """
    with (
        profile_lock(default_state_directory(), profile.name),
        _rehearsed(profile, host, request, progress, threading.Event()) as parts,
    ):
        if file is None:
            with _drafted(profile, request, parts, None) as plan:
                yield plan
            return
        _check_replaceable(file)
        with _replacing(file) as stream, _drafted(profile, request, parts, stream) as plan:
            yield plan
            if not plan.is_whole:
                raise FatalError(f"{file} was not written: the plan was not taken to its end", advice="plan again")


def apply_plan(file: Path, host: PluginHost, progress: Progress, stop: threading.Event) -> Applied:
    """Do exactly what a plan says, or nothing when anything that it was made of has changed.

    Args:
        file: the plan's.
        host: the plugins.
        progress: is told.
        stop: set when the run is to end soon.

    Raises:
        ConfigError: the file is no plan.
        FatalError: the plan is damaged, or does not fit any more (the reason names what changed); or source or
            destination cannot be used.
        LockedError: the profile is running.
        InterruptedRunError: it was stopped before anything was done.
    """
    with ExitStack() as stack:
        scratch = temporary_directory(stack)
        plan = read_plan(file, scratch / "as-given.json")
        profile = _profile_of(plan, host)
        request = RunRequest(**msgspec.structs.asdict(plan.head.options))
        stack.enter_context(profile_lock(default_state_directory(), profile.name))
        with _rehearsed(profile, host, request, _Checking(progress), stop) as parts:
            _check_actions(plan, profile, request, parts, scratch)
        approval = Approval(plan, scratch)
        request = msgspec.structs.replace(request, only=approval, plan=f"{file.absolute()} sha256:{plan.digest}")
        with opened_parts(profile, host, request, progress, stop) as parts:
            report = runner.run(parts)
        copy_after(report, default_state_directory())
        return Applied(report, approval.unmet() if report.ended == "completed" else 0)


@contextmanager
def _rehearsed(
    profile: Profile, host: PluginHost, request: RunRequest, progress: Progress, stop: threading.Event
) -> Iterator[RunParts]:
    request = msgspec.structs.replace(request, dry_run=True)
    with opened_parts(profile, host, request, progress, stop) as parts:
        yield parts


@contextmanager
def _drafted(profile: Profile, request: RunRequest, parts: RunParts, stream: BinaryIO | None) -> Iterator[Planned]:
    with ExitStack() as stack, closing(runner.account_of(parts, stack)) as account:
        yield Planned(Draft(parts, account), head_of(profile, request, parts), stream)


def _check_actions(plan: SavedPlan, profile: Profile, request: RunRequest, parts: RunParts, scratch: Path) -> None:
    """Make the plan once more, and refuse it when it came out another one."""
    if changes := comparing.destination_changes(plan.head.destination, destination_facts(profile, parts)):
        raise _refused(plan, changes)
    again = scratch / "plan.json"
    with again.open("wb") as stream, _drafted(profile, request, parts, stream) as drafted:
        for _ in drafted:
            pass
    if parts.is_ending:
        raise InterruptedRunError(f"{plan.file} was not carried out: interrupted before anything was done")
    now = read_plan(again)
    changes = comparing.action_changes(plan, now, scratch)
    changes = changes or comparing.source_changes(plan.tail.source, now.tail.source)
    if changes:
        raise _refused(plan, changes)


def _profile_of(plan: SavedPlan, host: PluginHost) -> Profile:
    """Return the profile of a plan, if it still is what it was."""
    then = plan.head.profile
    path = Path(then.path)
    try:
        profile = load(path, host)
    except ConfigError as error:
        raise _refused(plan, [f"the profile is not valid any more ({error.problems[0]})"]) from error
    if changes := comparing.profile_changes(then, profile_facts(profile)):
        raise _refused(plan, changes)
    return profile


def _refused(plan: SavedPlan, changes: list[str]) -> FatalError:
    return FatalError(
        f"{plan.file} does not fit any more, nothing was done: {'; '.join(changes)}",
        advice=f"see what is to be done now with 'syncengine plan {plan.head.profile.path} -o {plan.file}'",
    )


def _check_replaceable(file: Path) -> None:
    """Refuse to write over what is no plan."""
    try:
        mine = is_plan(file)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    if not mine:
        raise ConfigError(f"{file} is there already and is no plan; choose another name")


@contextmanager
def _replacing(file: Path) -> Iterator[BinaryIO]:
    """Give a stream whose content takes the file's place, whole, when this ends well."""
    own = file.with_name(f".{file.name}.{token_hex(4)}")
    try:
        stream = own.open("xb")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        own.replace(file)
    finally:
        own.unlink(missing_ok=True)
