"""Where plugins put their classes, and where the engine finds them by kind and name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from syncengine.api.deduplicator import Deduplicator
from syncengine.api.destination import Destination
from syncengine.api.plugin import Plugin
from syncengine.api.source import Source
from syncengine.api.transform import Transform
from syncengine.errors import PluginError

PluginKind = Literal["source", "transform", "dedup", "destination"]
KINDS: tuple[PluginKind, ...] = ("source", "transform", "dedup", "destination")

_BASES: dict[PluginKind, type[Plugin[Any]]] = {
    "source": Source,
    "transform": Transform,
    "dedup": Deduplicator,
    "destination": Destination,
}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


class Registry:
    """Plugin classes by kind and name."""

    def __init__(self) -> None:
        self._classes: dict[tuple[PluginKind, str], type[Plugin[Any]]] = {}

    def add(self, kind: PluginKind, name: str, plugin: type[Plugin[Any]]) -> None:
        """Make a plugin known.

        Args:
            kind: one of ``KINDS``.
            name: as profiles write it: lower-case letters, digits, ``-``.
            plugin: a class that keeps the kind's contract.

        Raises:
            PluginError: the name is taken or not a name, or the class is not of that kind.
        """
        label = f"{kind}.{name}"
        if kind not in _BASES:
            raise PluginError(label, f"no such kind of plugin (there are {', '.join(KINDS)})")
        if not _NAME.fullmatch(name):
            raise PluginError(label, "a name has lower-case letters, digits and '-', and begins with a letter")
        if not (isinstance(plugin, type) and issubclass(plugin, _BASES[kind])):
            raise PluginError(label, f"{plugin!r} is not a {_BASES[kind].__name__}")
        taken = self._classes.get((kind, name))
        if taken is not None and taken is not plugin:
            raise PluginError(label, f"the name is taken by {taken.__module__}.{taken.__qualname__}")
        self._classes[kind, name] = plugin

    def get(self, kind: PluginKind, name: str) -> type[Plugin[Any]] | None:
        """Return the class, or ``None`` when nobody registered it."""
        return self._classes.get((kind, name))

    def __iter__(self) -> Iterator[tuple[PluginKind, str, type[Plugin[Any]]]]:
        """Yield (kind, name, class), sorted."""
        for kind, name in sorted(self._classes):
            yield kind, name, self._classes[kind, name]
