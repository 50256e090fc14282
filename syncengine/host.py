"""Finds the installed plugins, loads only what is asked for, and tells observers what happens.

Plugins come in by entry points of the group ``syncengine.plugins``, named ``<kind>.<name>``; the bundled ones use the
same door. The kinds are those of ``syncengine.api.KINDS`` and ``observer``.

An observer is a module with hook implementations and no class. It is loaded when a profile names it under ``notify``
and told of that run; it takes no options. A plugin of another kind may implement the same hooks in its module and is
told when it is loaded. Hook wrappers are not called: an observer watches and changes nothing.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

import pluggy

from syncengine.api import KINDS, LedgerLine, PluginKind, PluginOptions, Registry, RunReport
from syncengine.api.hooks import PROJECT, Hooks
from syncengine.errors import PluginError

GROUP = "syncengine.plugins"
OBSERVER = "observer"

_logger = logging.getLogger("syncengine.host")


def installed() -> Iterable[EntryPoint]:
    """Return the entry points of every installed plugin."""
    return entry_points(group=GROUP)


def bundled() -> Iterable[EntryPoint]:
    """Return the entry points of the plugins that came with syncengine itself."""
    return (entry for entry in installed() if _is_bundled(entry))


class InstalledPlugin(NamedTuple):
    """One plugin that is installed, working or not.

    Args:
        kind: one of ``KINDS``, or ``observer``; what stands there for an entry point that names no known kind.
        name: as profiles write it.
        plugin: its class, or ``None`` for an observer and for a plugin that cannot be loaded.
        error: why it cannot be loaded, or ``None``.
        distribution: name and version of the package that brought it.
        builtin: it came with syncengine itself.
    """

    kind: str
    name: str
    plugin: type[Any] | None
    error: PluginError | None
    distribution: str
    builtin: bool


class GuardedHooks:
    """The hooks as the engine calls them: each observer is told, and one that fails is logged and left behind."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._manager = manager
        self._failing: set[tuple[str, int]] = set()

    def syncengine_run_started(self, *, profile: str, run: str) -> None:
        """Tell that a run of ``profile`` has begun."""
        self._tell("syncengine_run_started", {"profile": profile, "run": run})

    def syncengine_item_finished(self, *, profile: str, line: LedgerLine) -> None:
        """Tell that one item's outcome is final."""
        self._tell("syncengine_item_finished", {"profile": profile, "line": line})

    def syncengine_run_finished(self, *, profile: str, report: RunReport) -> None:
        """Tell that a run is over."""
        self._tell("syncengine_run_finished", {"profile": profile, "report": report})

    def _tell(self, hook: str, arguments: dict[str, Any]) -> None:
        # pluggy's own call ends at the first observer that raises; here the others are still told.
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            try:
                implementation.function(*(arguments[name] for name in implementation.argnames))
            except Exception:  # noqa: BLE001  # pylint: disable=broad-except  # an observer's failure never fails a run
                self._log(hook, implementation.plugin)

    def _log(self, hook: str, plugin: object) -> None:
        """Log the exception that is being handled; once with its traceback, so that 100,000 items do not repeat it."""
        observer = _name_of(plugin)
        if (hook, id(plugin)) in self._failing:
            _logger.debug("observer %s failed again in %s", observer, hook)
            return
        self._failing.add((hook, id(plugin)))
        _logger.exception("observer %s failed in %s; the run goes on without it", observer, hook)


class PluginHost:
    """Every plugin that is installed, loaded when asked for.

    Args:
        entries: where plugins are looked for, at the first question; ``bundled`` leaves third parties out, and what
            ``add_module`` brings is known besides.
    """

    def __init__(self, entries: Callable[[], Iterable[EntryPoint]] = installed) -> None:
        self._registry = Registry()
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._manager.hook.syncengine_register.call_historic(kwargs={"registry": self._registry})
        self._entries = entries
        self._found: dict[tuple[str, str], list[EntryPoint]] | None = None
        self._broken: dict[str, PluginError] = {}
        self.hook = GuardedHooks(self._manager)

    def names(self, kind: str) -> list[str]:
        """Return the names of the plugins of a kind, sorted; nothing is imported for it."""
        known = {name for found, name in self._entry_points() if found == kind}
        known.update(name for found, name, _ in self._registry if found == kind)
        return sorted(known)

    def get(self, kind: PluginKind, name: str) -> type[Any]:
        """Return the class of a plugin, importing it the first time.

        Raises:
            PluginError: no such plugin, two packages offer it, or it cannot be loaded; one line says why.
        """
        label = f"{kind}.{name}"
        if (kind, name) in self._entry_points():
            self._load(kind, name)
        plugin = self._registry.get(kind, name)
        if plugin is None and (kind, name) in self._entry_points():
            raise PluginError(label, f"{self._offers(kind, name)} registers no {kind} of that name")
        if plugin is None:
            raise PluginError(label, f"not installed (installed: {', '.join(self.names(kind)) or 'none'})")
        return _checked(label, plugin)

    def observe(self, name: str) -> None:
        """Load the observer of that name, so that ``hook`` tells it too; again is no harm.

        Raises:
            PluginError: as ``get``.
        """
        if (OBSERVER, name) not in self._entry_points():
            raise PluginError(
                f"{OBSERVER}.{name}", f"not installed (installed: {', '.join(self.names(OBSERVER)) or 'none'})"
            )
        self._load(OBSERVER, name)

    def all(self) -> list[InstalledPlugin]:
        """Load every plugin and return them sorted by kind and name, the broken ones with their error."""
        keys = set(self._entry_points()) | {(kind, name) for kind, name, _ in self._registry}
        return [self._installed(kind, name) for kind, name in sorted(keys)]

    def add_module(self, module: object) -> None:
        """Register a plugin that has no entry point: a module, or any object with hook implementations.

        Raises:
            PluginError: it fails to register.
        """
        self._register(module, _name_of(module))

    def _entry_points(self) -> dict[tuple[str, str], list[EntryPoint]]:
        """Return the entry points by kind and name; the installed packages are looked through once."""
        if self._found is None:
            self._found = {}
            for entry in self._entries():
                kind, _, name = entry.name.partition(".")
                self._found.setdefault((kind, name), []).append(entry)
        return self._found

    def _load(self, kind: str, name: str) -> None:
        """Import and register the module behind an entry point; a failure is remembered and raised again."""
        label = f"{kind}.{name}"
        if label in self._broken:
            raise self._broken[label]
        try:
            self._register(_import(label, self._only_entry(kind, name)), label)
        except PluginError as error:
            self._broken[label] = error
            raise

    def _only_entry(self, kind: str, name: str) -> EntryPoint:
        entries = self._entry_points()[kind, name]
        if len(entries) > 1:
            raise PluginError(f"{kind}.{name}", f"offered by {self._offers(kind, name)}; uninstall one of them")
        return entries[0]

    def _register(self, module: object, label: str) -> None:
        if not self._manager.is_registered(module):
            _guarded(label, lambda: self._manager.register(module), lambda: self._forget(module))

    def _forget(self, module: object) -> None:
        if self._manager.is_registered(module):
            self._manager.unregister(module)

    def _offers(self, kind: str, name: str) -> str:
        return " and ".join(_distribution(entry) for entry in self._entry_points()[kind, name])

    def _installed(self, kind: str, name: str) -> InstalledPlugin:
        entries = self._entry_points().get((kind, name), [])
        where = self._offers(kind, name) if entries else "not a package"
        builtin = len(entries) == 1 and _is_bundled(entries[0])
        plugin, error = None, None
        try:
            if kind == OBSERVER:
                self.observe(name)
            elif known := next((known for known in KINDS if known == kind), None):
                plugin = self.get(known, name)
            else:
                kinds = ", ".join((*KINDS, OBSERVER))
                error = PluginError(
                    f"{kind}.{name}".rstrip("."), f"its entry point is not <kind>.<name> (kinds: {kinds})"
                )
        except PluginError as failure:
            error = failure
        return InstalledPlugin(kind, name, plugin, error, where, builtin)


def _name_of(plugin: object) -> str:
    return str(getattr(plugin, "__name__", type(plugin).__name__))


def _import(label: str, entry: EntryPoint) -> object:
    loaded: list[object] = []
    _guarded(label, lambda: loaded.append(entry.load()), lambda: None)
    return loaded[0]


def _guarded(label: str, step: Callable[[], object], undo: Callable[[], object]) -> None:
    """Do a step that runs a plugin's own code at import or registration; whatever it raises becomes a PluginError."""
    try:
        step()
    except PluginError as error:
        undo()
        raise PluginError(label, error.reason) from error
    except (Exception, SystemExit) as error:  # pylint: disable=broad-except  # foreign code at import
        undo()
        text = " ".join(str(error).split()) or "no message"
        raise PluginError(label, f"cannot be loaded: {type(error).__name__}: {text[:200]}") from error


def _checked(label: str, plugin: type[Any]) -> type[Any]:
    missing = sorted(getattr(plugin, "__abstractmethods__", ())) if inspect.isabstract(plugin) else []
    if missing:
        raise PluginError(label, f"{plugin.__qualname__} lacks the methods {', '.join(missing)}")
    options = getattr(plugin, "Options", None)
    if not (isinstance(options, type) and issubclass(options, PluginOptions)):
        raise PluginError(label, f"{plugin.__qualname__}.Options is not a subclass of PluginOptions")
    return plugin


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unknown package"


def _is_bundled(entry: EntryPoint) -> bool:
    return entry.dist is not None and entry.dist.name == PROJECT
