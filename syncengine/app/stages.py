"""What is done to each file between source and destination, and the processes that do it."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from typing import Any

import msgspec

from syncengine.api import Deduplicator, Transform
from syncengine.app.opening import Ends
from syncengine.config.profile import Profile
from syncengine.engine import image_process, reading_process
from syncengine.engine.child_process import process_context
from syncengine.engine.reading import ReadingProcesses
from syncengine.engine.workers import ImageWorkers

#: So many open files has every system but one that was told otherwise.
_LEAST_DESCRIPTORS = 128


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """The plugins between the two ends, and where what they do is done.

    Args:
        transforms: in order.
        deduplicators: in order.
        workers: for image work.
        reading: processes that read the source, or ``None`` where it is read in this one only.
    """

    transforms: tuple[Transform[Any], ...]
    deduplicators: tuple[Deduplicator[Any], ...]
    workers: ImageWorkers
    reading: ReadingProcesses | None


def make_stages(profile: Profile, ends: Ends, stop: threading.Event, stack: ExitStack) -> Stages:
    """Make what stands between the two ends; processes start when they are needed.

    Args:
        profile: names the plugins and says how much may be done at once.
        ends: open.
        stop: set when the run is to end soon.
        stack: ends the processes.

    Raises:
        PluginError: a plugin cannot be sent to another process.
    """
    transforms = tuple(stage.make() for stage in profile.transforms)
    deduplicators = tuple(stage.make() for stage in profile.dedup)
    context = process_context(_modules(profile, transforms, deduplicators))
    cores = len(os.sched_getaffinity(0))
    readers = min(profile.execution.downloads, cores)
    workers = ImageWorkers(
        workers=profile.execution.workers or cores,
        transforms=transforms,
        deduplicators=deduplicators,
        timeout=profile.execution.item_timeout,
        memory=profile.execution.item_memory,
        context=context,
    )
    stack.callback(workers.kill)
    reading = ReadingProcesses(
        ends.source.reader,
        processes=readers,
        context=context,
        zone=profile.zone,
        staging=ends.staging,
        is_ending=stop.is_set,
    )
    return Stages(
        transforms=transforms,
        deduplicators=deduplicators,
        workers=workers,
        # Only one process can keep to a number of bytes per second, and one reader alone is no faster elsewhere.
        reading=reading if profile.execution.bandwidth is None and readers > 1 and _has_descriptors() else None,
    )


def _has_descriptors() -> bool:
    """Return whether this process may open enough for processes beside what the run itself needs."""
    # only on Unix
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return allowed == resource.RLIM_INFINITY or allowed >= _LEAST_DESCRIPTORS


def _modules(
    profile: Profile, transforms: tuple[Transform[Any], ...], deduplicators: tuple[Deduplicator[Any], ...]
) -> list[str]:
    """Return the modules that the processes will need, so that each finds them loaded."""
    decoding = [deduplicator for deduplicator in deduplicators if deduplicator.decodes]
    images = [type(plugin).__module__ for plugin in (*transforms, *decoding)]
    modules = ["pebble", image_process.__name__, *images] if images else []
    if profile.source.plugin.reads_local_disk:
        modules += [reading_process.__name__, profile.source.plugin.__module__]
    return modules
