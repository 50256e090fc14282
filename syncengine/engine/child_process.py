"""The processes beside the main one: how they are made, and how one settles in."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable
from multiprocessing.context import BaseContext
from typing import Final

_F_SETSIG: Final = 10  # fcntl(2); Python has no name for it
#: What a terminal or a service manager sends to all processes at once; the main process decides what follows.
_FOR_THE_PARENT: Final = (signal.SIGINT, signal.SIGTERM)


def process_context(modules: Iterable[str]) -> BaseContext:
    """Return how processes are made: never by forking this one, whose state store and threads must not be shared.

    All processes of a run come from one server, so it is asked for once, with what any of them needs.

    Args:
        modules: names of the modules that each process finds loaded already.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", *sorted(set(modules))])
    return context


def start_server(context: BaseContext) -> None:
    """Start what processes come from, deaf to signals until each of them settles in; called before any is made.

    A process that is interrupted before it knows what to do about it says so with a traceback on the terminal.
    """
    if context.get_start_method() != "forkserver":
        return
    # only with the first process
    from multiprocessing import forkserver, resource_tracker

    resource_tracker.ensure_running()  # It unblocks signals, so it comes first.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_PARENT)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def settle_in() -> None:
    """Let the parent decide when this process stops, and end with it; called once, at the process's beginning.

    A parent that kills shall not wait for what this process is at to look at its signals.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FOR_THE_PARENT)
    if sys.platform == "linux":
        _die_with_parent()


def _die_with_parent() -> None:
    """Have the system kill this process when the main process ends, even by SIGKILL and in the midst of its work.

    The usual PR_SET_PDEATHSIG looks at the process that forked, which here is the fork server and lives as long as
    its children do. The pipe to the main process tells the truth: it is closed when that one ends, and a pipe may
    send a signal of choice when that happens (F_SETSIG, fcntl(2)).
    """
    # only on Unix
    import fcntl

    parent = multiprocessing.parent_process()
    if parent is None:
        return
    pipe = int(parent.sentinel)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if not parent.is_alive():
        os.kill(os.getpid(), signal.SIGKILL)
