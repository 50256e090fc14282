"""Many kills, one after the other, and what they have cost."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from tests.crash.damage import Damage, Files, half_files, settle
from tests.crash.kills import (
    AtMoment,
    BeforePythonCall,
    BeforeSystemCall,
    Blow,
    FailingCall,
    moments,
    python_calls,
    system_calls,
    was_killed,
    why_no_strace,
)
from tests.crash.scene import Done, Scene, Stage

#: What a disk, a full one, one that was switched to read-only, and a server that forgot a file say.
ERRORS = ("EIO", "ENOSPC", "EROFS", "ESTALE")

BlowT = TypeVar("BlowT", bound=Blow)


class Toll(msgspec.Struct):
    """What some kills have cost.

    Args:
        kills: runs that were killed; one that came to its end before does not count.
        damage: of all of them together.
        causes: the kills that did damage, and what it was.
    """

    kills: int = 0
    damage: Damage = msgspec.field(default_factory=Damage)
    causes: list[str] = []

    def add(self, other: Toll) -> None:
        """Add another toll to this one."""
        self.kills += other.kills
        self.causes += other.causes
        for ours, theirs in zip(self.damage.all(), other.damage.all(), strict=True):
            ours.extend(theirs)


class Campaign:
    """Kills runs of one library.

    Args:
        library: its name.
        directory: to work in.
        chance: decides which moments are taken.
    """

    def __init__(self, library: str, directory: Path, chance: random.Random) -> None:
        self.library = library
        self._stage = Stage(library, directory)
        self._chance = chance
        scene = self._stage.scene()
        self._before: Files = scene.files()
        self._stage.drop(scene)

    def system_calls(self, wanted: int | None = None) -> list[BeforeSystemCall]:
        """Return moments just before system calls, so many of them or all; none where there is no strace."""
        if why_no_strace():
            return []
        return self._some(system_calls(self._lent()), wanted)

    def python_calls(self, wanted: int | None = None) -> list[BeforePythonCall]:
        """Return moments just before calls of Python's, so many of them or all."""
        return self._some(python_calls(self._lent()), wanted)

    def failing_calls(self, wanted: int) -> list[Blow]:
        """Return so many system calls, each with an error that it returns; none where there is no strace."""
        return [FailingCall(one.call, one.nth, self._chance.choice(ERRORS)) for one in self.system_calls(wanted)]

    def moments(self, wanted: int) -> list[AtMoment]:
        """Return moments at random."""
        return list(moments(self._lent(), self._chance, wanted))

    def _lent(self) -> Scene:
        return self._stage.scene()

    def _some(self, blows: Sequence[BlowT], wanted: int | None) -> list[BlowT]:
        return list(blows) if wanted is None else self._chance.sample(blows, min(wanted, len(blows)))

    def chains(self, blows: Sequence[Blow]) -> Iterator[list[Blow]]:
        """Share the blows out among backups, one, two or three to each, in an order that chance decides."""
        left = self._chance.sample(blows, len(blows))
        while left:
            length = self._chance.choice((1, 1, 2, 3))
            yield left[:length]
            del left[:length]

    def suffer(self, chain: Sequence[Blow]) -> Toll:
        """Strike the runs of one backup one after the other, let it settle, and return what that has cost."""
        scene = self._stage.scene()
        toll = Toll()
        half: list[str] = []
        complaints: list[str] = []
        for blow in chain:
            done = blow.strike(scene)
            toll.kills += was_killed(done)
            half += half_files(scene, self._stage.whole, self._before)
            complaints += complaints_about(done)
        toll.damage = settle(scene, self._stage.whole)
        toll.damage.half += half
        toll.damage.other += complaints
        if toll.damage:
            toll.causes.append(f"{self.library}: {', '.join(map(str, chain))}: {toll.damage}")
        else:
            self._stage.drop(scene)
        return toll


#: A call that fails may be one by which Python reads the program itself; nothing better can be said of that.
_PROGRAM_UNREADABLE = re.compile(r"internal error: OSError: .*\.(py|pyc|so)'")


def complaints_about(done: Done) -> list[str]:
    """Return what is wrong with how a run ended that was killed, or whose calls failed."""
    if was_killed(done):
        return []
    if _PROGRAM_UNREADABLE.search(done.err):
        return []
    if done.code not in (0, 1, 3) or "internal error" in done.err:
        return [f"it ended with {done.code}: {done.err}"]
    said = [line for line in (done.err + done.out).splitlines() if " stopped after " in line or "; " in line]
    return [] if done.code != 3 or said else [f"it did not say what to do: {done.err} {done.out}"]
