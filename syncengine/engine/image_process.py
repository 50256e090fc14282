"""What crosses to a worker process and back, and how a worker process begins and does one item.

What crosses is bytes, packed and unpacked here, so that nothing a plugin makes can break the pool's own messages.
"""

from __future__ import annotations

import logging
import os
import pickle  # nosec B403  # between our own processes only
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from syncengine.engine.child_process import settle_in
from syncengine.engine.image_work import AnyDeduplicator, AnyTransform, Worked, work_on
from syncengine.errors import FatalError, PluginError
from syncengine.model import Asset

Plugins = tuple[tuple[AnyTransform, ...], tuple[AnyDeduplicator, ...]]

#: What follows the working directory's name in the name of the file that was made there.
MADE = "-made"

_MOST_RECORDS = 20
_MEMORY_TAKEN = Path("/proc/self/statm")  # proc_pid_statm(5): the first number is pages of address space
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Reply(msgspec.Struct, frozen=True):
    """What a worker sends back.

    Args:
        worked: the outcome, or ``None`` when the run cannot go on.
        fatal: reason and advice, when it cannot.
        log: level, logger and text of what was logged meanwhile.
    """

    worked: Worked | None
    fatal: tuple[str, str] = ("", "")
    log: tuple[tuple[int, str, str], ...] = ()


def pack_plugins(transforms: tuple[AnyTransform, ...], deduplicators: tuple[AnyDeduplicator, ...]) -> bytes:
    """Return the plugins as bytes. Raises ``PluginError`` for one that cannot be sent to another process."""
    for plugin in (*transforms, *deduplicators):
        try:
            pickle.dumps(plugin)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            kind = type(plugin)
            raise PluginError(
                f"{kind.__module__}.{kind.__qualname__}", f"cannot be sent to a worker: {error}"
            ) from error
    return pickle.dumps((transforms, deduplicators))


def pack_task(asset: Asset, workdir: Path) -> bytes:
    """Return an asset as bytes, without the source's own notes, which may be large or not picklable."""
    item = msgspec.structs.replace(asset.item, raw=None, locator=None)
    return pickle.dumps((msgspec.structs.replace(asset, item=item), workdir))


def unpack_reply(packed: bytes, asset: Asset) -> Worked:
    """Return the outcome, with the whole item put back. Raises ``FatalError`` when the run cannot go on."""
    reply: Reply = pickle.loads(packed)  # nosec B301  # made by our own worker process
    for level, name, text in reply.log:
        logging.getLogger(name).log(level, "%s: %s", asset.name, text)
    if reply.worked is None:
        reason, advice = reply.fatal
        raise FatalError(reason, advice=advice)
    assets = tuple(msgspec.structs.replace(made, item=asset.item) for made in reply.worked.assets)
    return msgspec.structs.replace(reply.worked, assets=assets)


class _Collector(logging.Handler):
    """Keeps the log records of one item; the main process logs them, where the handlers are."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[tuple[int, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record as text, with its traceback."""
        if len(self.records) < _MOST_RECORDS:
            level = logging.DEBUG if record.name == "py.warnings" else record.levelno
            self.records.append((level, record.name, self.format(record)))

    def drain(self) -> tuple[tuple[int, str, str], ...]:
        """Return what was kept and forget it."""
        kept = tuple(self.records)
        self.records.clear()
        return kept


class _Worker:
    """What one worker process has for all of its items.

    Args:
        plugins: the transforms and deduplicators, packed.
        memory: bytes that one item may use beyond what the process has taken before it.
    """

    def __init__(self, plugins: bytes, memory: int) -> None:
        self._packed = plugins
        self._plugins: Plugins | None = None
        self.memory = memory
        self.collector = _Collector()

    @property
    def plugins(self) -> Plugins:
        """The plugins, unpacked at their first use, when the environment is ready for what they import."""
        if self._plugins is None:
            self._plugins = pickle.loads(self._packed)  # nosec B301  # made by our own parent process
        return self._plugins


_worker: Final[list[_Worker]] = []  # a process is one worker; the pool has no other way to hand it to the tasks


def start_worker(plugins: bytes, memory: int) -> None:
    """Get this process ready; called once, before its first item."""
    for name in _ONE_THREAD:
        os.environ[name] = "1"  # there are as many workers as cores already
    settle_in()
    _worker[:] = [_Worker(plugins, memory)]
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(_worker[0].collector)


def work_here(packed: bytes) -> bytes:
    """Do the work on one item.

    Args:
        packed: the asset, and where a directory for this item alone may be made.

    Returns:
        A packed ``Reply``. A new file is beside that directory, which is gone.
    """
    worker = _worker[0]
    asset, workdir = pickle.loads(packed)  # nosec B301  # made by our own parent process
    plugins = worker.plugins
    try:
        with _memory_limit(worker.memory):
            worked = work_on(asset, *plugins, workdir)
        reply = Reply(_kept(worked, asset, workdir))
    except MemoryError:
        reply = Reply(Worked(assets=(asset,), failure=f"needed more than {worker.memory / (1 << 30):.3g} GB of memory"))
    except SystemExit as error:
        reply = Reply(Worked(assets=(asset,), failure=f"image work ended its process: exit status {error.code}"))
    except FatalError as error:
        reply = Reply(None, (error.reason, error.advice))
    finally:
        shutil.rmtree(workdir, ignore_errors=True)
    return pickle.dumps(msgspec.structs.replace(reply, log=worker.collector.drain()))


def _kept(worked: Worked, asset: Asset, workdir: Path) -> Worked:
    """Move a new file out of the working directory, named after that directory, whose name is unique."""
    final = worked.assets[0]
    if final.path == asset.path:
        return worked
    target = workdir.with_name(workdir.name + MADE + final.path.suffix)
    final.path.rename(target)
    return msgspec.structs.replace(worked, assets=(msgspec.structs.replace(final, path=target),))


@contextmanager
def _memory_limit(beyond: int) -> Iterator[None]:
    """Let this process take so many bytes more than it has now."""
    if sys.platform != "linux":
        yield
        return
    # only on Unix
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(_MEMORY_TAKEN.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    limit = taken + beyond
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
