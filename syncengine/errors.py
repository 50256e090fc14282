"""Every exception, grouped by what the engine does next.

===============  ==============================================================
ConfigError      stop before any work: the profile or the command line is wrong
PluginError      stop before any work: a plugin that the profile names is broken
ItemError        skip this one item, report it, try it again in the next run
RetryableError   try the same call again, a bounded number of times, then treat it as an ItemError
FatalError       stop the run cleanly: what is durable is recorded, the next run goes on from there
LockedError      stop before any work: somebody else is doing it
===============  ==============================================================

They carry fields; the words for people are put together in ``syncengine.cli.output``.
"""

from __future__ import annotations

from collections.abc import Sequence


class SyncEngineError(Exception):
    """The root of everything that syncengine raises on purpose."""


class Problem:
    """One thing that is wrong with a profile, and where.

    Args:
        message: what is wrong and what is allowed, without the place.
        file: the file as the user named it, or ``None`` for the command line.
        line: 1-based line, or ``None`` when no line fits.
        column: 1-based column.
        path: a JSON path such as ``$.transforms[0].heic-to-jpeg.quality``.
    """

    __slots__ = ("column", "file", "line", "message", "path")

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        path: str | None = None,
    ) -> None:
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.path = path

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(SyncEngineError):
    """The profile or the command line is wrong; nothing was done.

    Args:
        problems: every problem that was found, in the order of the file.
    """

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        self.problems: tuple[Problem, ...] = (Problem(problems),) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginError(SyncEngineError):
    """A plugin that the profile names cannot be loaded or broke its contract.

    Args:
        plugin: ``<kind>.<name>``.
        reason: what happened and what to do.
    """

    def __init__(self, plugin: str, reason: str) -> None:
        self.plugin = plugin
        self.reason = reason
        super().__init__(f"plugin {plugin}: {reason}")


class ItemError(SyncEngineError):
    """This item cannot be processed; the rest of the run goes on.

    Args:
        reason: what happened to the item, in one line.
        advice: what the user can do, if anything.
    """

    def __init__(self, reason: str, *, advice: str = "") -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(reason)


class RetryableError(ItemError):
    """This call failed in a way that may pass; after bounded retries it counts as an ItemError.

    Args:
        reason: what happened.
        after: seconds to wait before the next try, when the other side said so.
    """

    def __init__(self, reason: str, *, advice: str = "", after: float | None = None) -> None:
        self.after = after
        super().__init__(reason, advice=advice)


class FatalError(SyncEngineError):
    """The run cannot go on: destination gone or full, source unreachable, credentials refused, state damaged.

    Args:
        reason: what happened, to what.
        advice: what to do next.
    """

    def __init__(self, reason: str, *, advice: str = "") -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(reason)


class LockedError(SyncEngineError):
    """Another process holds the lock.

    Args:
        what: what is locked, as a person would name it.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what} is already running")


class InterruptedRunError(SyncEngineError):
    """The user or the system asked the run to stop."""
