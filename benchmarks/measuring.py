"""What all benchmarks share: a place to work in, processes that are timed and weighed, and how results are said."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Everything is made below this directory; BENCH_DIR names one on the disk that is to be measured.
BENCH = Path(os.environ.get("BENCH_DIR") or Path(__file__).resolve().parent.parent / ".bench").resolve()
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Run:
    """One finished process.

    Args:
        seconds: wall clock.
        code: exit code.
        peak: bytes of memory of the largest single process, as the kernel counted them.
        tree: bytes of the process and all its descendants together (shared pages counted once), the largest of many
            samples; 0 where it was not asked for.
        output: what it said, stdout and stderr.
    """

    seconds: float
    code: int
    peak: int
    tree: int
    output: str


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, weigh: bool = False) -> Run:
    """Run a command to its end and measure it.

    Args:
        command: the program and its arguments.
        env: added to the environment.
        weigh: sample the memory of the whole process tree; costs a little time.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        # pylint: disable=consider-using-with  # os.wait4 reaps it, so that its own usage is known
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(env or {})})
        with _weighing(process.pid, weigh) as heaviest:
            _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    return Run(took, process.returncode, usage.ru_maxrss * 1024, heaviest[0], said)


@contextmanager
def _weighing(pid: int, wanted: bool) -> Iterator[list[int]]:
    heaviest, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(_POLL_SECONDS):
            heaviest[0] = max(heaviest[0], sum(map(_proportional_size, _tree(pid))))

    watcher = threading.Thread(target=watch, daemon=True)
    if wanted:
        watcher.start()
    try:
        yield heaviest
    finally:
        done.set()
        if wanted:
            watcher.join()


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return
    for child in children.split():
        yield from _tree(int(child))


def _proportional_size(pid: int) -> int:
    """Return the process's share of memory in bytes; 0 for one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def syncengine(*arguments: str | Path, state: Path, accept: Sequence[int] = (0,), weigh: bool = False) -> Run:
    """Run the real command, with its state in a directory of the benchmark's own.

    It keeps its bytecode, as an installed package does, whatever the environment says: users do not pay for compiling.

    Raises:
        SystemExit: it ended with a code that is not in ``accept``; its output is the message.
    """
    command = Path(sys.executable).with_name("syncengine")
    if not command.exists():
        sys.exit(f"{command} is missing: install the project into this environment first (make test does)")
    done = run(
        [command, *arguments], env={"SYNCENGINE_STATE_DIR": str(state), "PYTHONDONTWRITEBYTECODE": ""}, weigh=weigh
    )
    return _accepted(done, accept)


def peer(*command: str | Path) -> Run:
    """Run another tool that must succeed."""
    return _accepted(run(command), (0,))


def _accepted(done: Run, accept: Sequence[int]) -> Run:
    if done.code not in accept:
        sys.exit(f"exit code {done.code}\n{done.output[-3000:]}")
    return done


def installed(tool: str) -> bool:
    """Return whether a tool to compare with is there, and say so when it is not."""
    if shutil.which(tool):
        return True
    print(f"  {tool} is not installed: left out")
    return False


@contextmanager
def workplace(name: str) -> Iterator[Path]:
    """Lend a directory below ``BENCH``, and remove it afterwards whatever happens."""
    BENCH.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=BENCH))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def need_space(size: int) -> None:
    """End the benchmark when fewer than ``size`` bytes are free for it."""
    BENCH.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(BENCH).free
    if free < size:
        sys.exit(f"needs {size / 1e9:.1f} GB in {BENCH}, and {free / 1e9:.1f} GB are free: choose a smaller --count")


def alternating(rounds: int, *contestants: Callable[[], float]) -> list[list[float]]:
    """Run each contestant ``rounds`` times, taking turns at going first; return the figures of each."""
    figures: list[list[float]] = [[] for _ in contestants]
    for number in range(rounds):
        order = list(range(len(contestants)))
        for index in order[number % len(order) :] + order[: number % len(order)]:
            figures[index].append(contestants[index]())
    return figures


def seconds(figures: Sequence[float]) -> str:
    """Say several timings: the best and the median."""
    return f"best {min(figures):.2f} s, median {statistics.median(figures):.2f} s of {len(figures)}"


def verdict(what: str, value: float, reach: float, *, at_least: bool, unit: str = "") -> None:
    """Print a result beside what it is meant to reach.

    Args:
        what: what the figure is.
        value: measured now.
        reach: what was set out to reach.
        at_least: more is better; otherwise less is.
        unit: of both.
    """
    good = value >= reach if at_least else value <= reach
    bound = "at least" if at_least else "at most"
    print(f"  {what}: {value:.3g}{unit} (to reach: {bound} {reach:g}{unit}) {'reached' if good else 'NOT REACHED'}")
