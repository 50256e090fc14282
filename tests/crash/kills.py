"""Ways to end a run with SIGKILL (before a system call or one of Python's, at a moment), and to spoil its calls."""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from tests.crash.scene import PATIENCE, Done, Scene

#: System calls that change something on a disk, or make it last.
CALLS = (
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir"),
    *("mkdir", "mkdirat", "open", "openat", "creat", "write", "pwrite64", "writev", "pwritev", "pwritev2"),
    *("ftruncate", "fsync", "fdatasync", "syncfs", "msync", "utimensat", "sendfile", "copy_file_range"),
)
#: Without --seccomp-bpf: strace 6.1 delivers no signal with it.
_STRACE = ("strace", "-f", "-qq")
_FORKS = ("clone", "clone3")
_LINE = re.compile(r"(?m)^(\d+) +(.*)$")
_NEW_THREAD = re.compile(r"parent_tid=\[(\d+)\]")


class Blow(ABC):
    """One thing that happens to a run, at one moment of it."""

    @abstractmethod
    def strike(self, scene: Scene) -> Done:
        """Run the scene's profile, and let it happen if the run comes to that moment; return how the run ended."""


def was_killed(done: Done) -> bool:
    """Return whether a run was killed; else it came to its end before."""
    return done.code == -signal.SIGKILL


@dataclass(frozen=True)
class BeforeSystemCall(Blow):
    """Before the n-th call that a thread makes of one system call.

    Args:
        call: its name.
        nth: the first is 1.
    """

    call: str
    nth: int

    def strike(self, scene: Scene) -> Done:
        """Have strace do it."""
        inject = f"inject={self.call}:signal=KILL:when={self.nth}"
        return scene.run(before=[*_STRACE, "-o", "/dev/null", "-e", f"trace={self.call}", "-e", inject])


@dataclass(frozen=True)
class FailingCall(Blow):
    """The n-th call that a thread makes of one system call fails, and is not made.

    Args:
        call: its name.
        nth: the first is 1.
        error: such as ``ENOSPC``.
    """

    call: str
    nth: int
    error: str

    def strike(self, scene: Scene) -> Done:
        """Have strace do it."""
        inject = f"inject={self.call}:error={self.error}:when={self.nth}"
        quick = ["--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={self.call}", "-e", inject]
        return scene.run(before=[*_STRACE, *quick])


@dataclass(frozen=True)
class BeforePythonCall(Blow):
    """Before the n-th call of a function that changes something on a disk, counted over all threads.

    Args:
        nth: the first is 1.
    """

    nth: int

    def strike(self, scene: Scene) -> Done:
        """Have the run do it to itself."""
        return scene.run(more={"CRASH_AT": str(self.nth)})


@dataclass(frozen=True)
class AtMoment(Blow):
    """At some moment after the start.

    Args:
        seconds: of the wall clock.
    """

    seconds: float

    def strike(self, scene: Scene) -> Done:
        """Do it from outside."""
        process = scene.start()
        time.sleep(self.seconds)
        process.kill()
        out, err = process.communicate(timeout=PATIENCE)
        return Done(process.returncode, out, err)


@lru_cache
def why_no_strace() -> str:
    """Return why strace cannot be used here, or nothing."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    failing = ["--seccomp-bpf", "-e", "inject=openat:error=ENOENT:when=1+"]
    with tempfile.NamedTemporaryFile() as trace:
        for options, code in ((failing, 127), (["-e", "inject=openat:signal=KILL:when=1"], -signal.SIGKILL)):
            command = [*_STRACE, "-o", trace.name, "-e", "trace=openat", *options, "true"]
            tried = subprocess.run(command, capture_output=True, text=True, check=False)
            if tried.returncode != code:
                return f"strace cannot do here what it is needed for: {tried.stderr.strip()}"
    return ""


def system_calls(scene: Scene) -> list[BeforeSystemCall]:
    """Run a scene to its end and return every moment just before one of its calls that matter, in their order.

    strace counts each thread's calls by themselves: two threads' n-th calls of the same kind are one moment, and the
    first thread to come there decides. Those of the processes for image work are left out: they may die at any time.
    """
    trace = scene.directory / "trace"
    done = scene.run(before=[*_STRACE, "-o", str(trace), "-e", f"trace=?{',?'.join((*CALLS, *_FORKS))}"])
    assert done.code == 0, done.err
    numbers: Counter[tuple[str, str]] = Counter()
    moments: dict[BeforeSystemCall, bool] = {}
    own: set[str] = set()
    for thread, text in _LINE.findall(trace.read_text(errors="replace")):
        own.update({thread} if not own else ())
        if thread in own:
            own.update(_NEW_THREAD.findall(text))
        call, bracket, arguments = text.partition("(")
        if bracket and call in CALLS:
            numbers[thread, call] += 1
            matters = thread in own and _matters(call, arguments)
            moments.setdefault(BeforeSystemCall(call, numbers[thread, call]), matters)
    return [moment for moment, matters in moments.items() if matters]


def _matters(call: str, arguments: str) -> bool:
    if call.startswith("open"):
        return "O_CREAT" in arguments
    if call == "write":
        return not arguments.startswith(("1,", "2,"))
    return True


def python_calls(scene: Scene) -> list[BeforePythonCall]:
    """Run a scene to its end and return every moment just before one of its calls that matter, in their order."""
    count = scene.directory / "count"
    done = scene.run(more={"CRASH_COUNT": str(count)})
    assert done.code == 0, done.err
    return [BeforePythonCall(number) for number in range(1, int(count.read_text()) + 1)]


def moments(scene: Scene, chance: random.Random, wanted: int) -> list[AtMoment]:
    """Run a scene to its end and return that many moments within its time."""
    started = time.monotonic()
    done = scene.run()
    assert done.code == 0, done.err
    took = time.monotonic() - started
    return [AtMoment(chance.uniform(0.15, 1) * took) for _ in range(wanted)]
