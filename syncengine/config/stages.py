"""Turns the stages of a profile into plugins with their options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import msgspec

from syncengine.api import PluginKind
from syncengine.config.document import Items, Keys, Node, Path, Scalar, lookup, shortened
from syncengine.config.findings import Findings, value_of
from syncengine.config.plugin_options import plugin_schema
from syncengine.config.profile import Stage
from syncengine.config.validation import judge
from syncengine.config.words import nearest
from syncengine.errors import PluginError

_PLACE = re.compile(r"^(?P<message>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>[0-9]+)\]")


class PluginCatalog(Protocol):
    """What is installed; ``syncengine.host.PluginHost`` is one."""

    def names(self, kind: str) -> list[str]:
        """Return the names of the plugins of a kind."""
        ...

    def get(self, kind: PluginKind, name: str) -> type[Any]:
        """Return the class of a plugin; raises ``PluginError``."""
        ...


class _Written(NamedTuple):
    """A stage as the profile writes it: its name, its options, and where they are."""

    name: str
    options: Keys
    path: Path
    enabled: bool


class StageReader:
    """Reads the stages of one document.

    Args:
        findings: the document, and where its problems go.
        plugins: what is installed.
    """

    def __init__(self, findings: Findings, plugins: PluginCatalog) -> None:
        self._findings = findings
        self._plugins = plugins

    def one(self, kind: PluginKind) -> Stage | None:
        """Return the stage under the key ``kind``; ``None`` when something is wrong with it."""
        written = self._written((kind,))
        if written is None:
            return None
        if not written.enabled:
            self._findings.add((*written.path, "enabled"), f"a profile needs its {kind}; it cannot be left out")
        return self._stage(kind, written)

    def listed(self, key: str, kind: PluginKind) -> tuple[Stage, ...]:
        """Return the stages in the list under ``key``, without those that are left out or wrong."""
        stages = [(written, self._stage(kind, written)) for written in self._all_written(key)]
        return tuple(stage for written, stage in stages if stage is not None and written.enabled)

    def each_once(self, key: str) -> None:
        """Add a problem for every plugin that stands twice in the list under ``key``."""
        seen: set[str] = set()
        for written in self._all_written(key):
            if written.name in seen:
                self._findings.add(written.path, f"{shortened(written.name)} is here twice", at_key=True)
            seen.add(written.name)

    def observers(self) -> tuple[str, ...]:
        """Return the names of the observers under ``notify``."""
        names: list[str] = []
        for written in self._all_written("notify"):
            if not self._is_installed("observer", written):
                continue
            if written.enabled:
                names.append(written.name)
            for option in written.options.entries:
                self._findings.add((*written.path, option), "an observer takes no options", at_key=True)
        return tuple(names)

    def _all_written(self, key: str) -> Iterator[_Written]:
        section = lookup(self._findings.root, (key,))
        for index in range(len(section.nodes) if isinstance(section, Items) else 0):
            if (written := self._written((key, index))) is not None:
                yield written

    def _written(self, path: Path) -> _Written | None:
        node = lookup(self._findings.root, path)
        if isinstance(node, Scalar) and node.text and not self._findings.blames(path):
            return _Written(node.text, Keys(mark=node.mark, entries={}), path, True)
        if not isinstance(node, Keys) or len(node.entries) != 1:
            return None  # the envelope's schema says what is wrong
        ((name, entry),) = node.entries.items()
        return self._with_options(name, entry.value, (*path, name))

    def _with_options(self, name: str, node: Node, path: Path) -> _Written | None:
        if isinstance(node, Scalar) and value_of(node) is None:
            node = Keys(mark=node.mark, entries={})
        if not isinstance(node, Keys):
            judge(self._findings, node, path, {"type": "object", "x-expected": "the plugin's options (key: value)"})
            return None
        entries = {key: entry for key, entry in node.entries.items() if key != "enabled"}
        return _Written(name, Keys(mark=node.mark, entries=entries), path, self._enabled(node, path))

    def _enabled(self, options: Keys, path: Path) -> bool:
        if (entry := options.entries.get("enabled")) is None:
            return True
        judge(self._findings, entry.value, (*path, "enabled"), {"type": "boolean"}, form=bool)
        return value_of(entry.value) is not False

    def _stage(self, kind: PluginKind, written: _Written) -> Stage | None:
        if not self._is_installed(kind, written):
            return None
        try:
            plugin = self._plugins.get(kind, written.name)
            schema = plugin_schema(kind, written.name, plugin)
        except PluginError as error:
            self._findings.add(written.path, f"the plugin {error.plugin} is broken: {error.reason}", at_key=True)
            return None
        judge(self._findings, written.options, written.path, schema, form=plugin.Options)
        if self._findings.blames(written.path):
            return None
        return self._converted(plugin, written)

    def _is_installed(self, kind: str, written: _Written) -> bool:
        installed = self._plugins.names(kind)
        if written.name in installed:
            return True
        message = f"no {kind} plugin is called {shortened(written.name)}{nearest(written.name, installed)}"
        self._findings.add(written.path, f"{message}; installed: {', '.join(installed) or 'none'}", at_key=True)
        return False

    def _converted(self, plugin: type[Any], written: _Written) -> Stage | None:
        try:
            options = msgspec.convert(value_of(written.options), plugin.Options)
        except msgspec.ValidationError as error:  # what a schema cannot say: the Struct's own __post_init__
            message, path = _placed(str(error))
            self._findings.add((*written.path, *path), message)
            return None
        return Stage(name=written.name, plugin=plugin, options=options)


def _placed(text: str) -> tuple[str, Path]:
    """Return msgspec's message and the path that it ends with."""
    match = _PLACE.match(text)
    assert match is not None  # nosec B101: every text matches
    steps = _STEP.finditer(match["path"] or "")
    return " ".join(match["message"].split()), tuple(
        int(step["index"]) if step["index"] else step["key"] for step in steps
    )
