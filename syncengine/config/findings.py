"""Collects everything that is wrong with a profile, each with its place, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from syncengine.config.document import Items, Keys, Node, Path, Scalar, find, lookup, render
from syncengine.config.interpolation import expand
from syncengine.config.scalars import resolve
from syncengine.config.words import got
from syncengine.errors import ConfigError, Problem

Read = TypeVar("Read")


def value_of(node: Node) -> Any:
    """Return a node as JSON would hold it; scalars get their type here, after their variables were put in."""
    if isinstance(node, Keys):
        return {name: value_of(entry.value) for name, entry in node.entries.items()}
    if isinstance(node, Items):
        return [value_of(item) for item in node.nodes]
    return resolve(node.text) if node.plain else node.text


class Findings:
    """The problems of one document.

    Args:
        root: the document's tree.
        file: its name, for messages.
        problems: those that parsing found.
    """

    def __init__(self, root: Node, file: str, problems: Iterable[Problem] = ()) -> None:
        self.root = root
        self._file = file
        self._problems = list(problems)
        self._blamed = {problem.path for problem in self._problems}
        self._before = frozenset(self._blamed)

    def interpolate(self, environ: Mapping[str, str]) -> None:
        """Put the variables into every scalar; those that are missing are problems."""
        self._interpolate(self.root, (), environ)
        self._before = frozenset(self._blamed)

    def add(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """Add a problem.

        Args:
            path: what it is about. A value that parsing or interpolation already refused is not blamed twice.
            message: what is wrong and what is allowed.
            at_key: point at the key and not at the value.
        """
        shown = render(path)
        if shown in self._before and not at_key:
            return
        node, key = find(self.root, path)
        mark = key.mark if at_key and key is not None else node.mark
        if shown in self._blamed and any((known.path, known.message) == (shown, message) for known in self._problems):
            return
        self._blamed.add(shown)
        self._problems.append(Problem(message, file=self._file, line=mark.line, column=mark.column, path=shown))

    def read(self, path: Path, reader: Callable[[Any], Read], default: Read) -> Read:
        """Return what ``reader`` makes of the value at ``path``.

        Args:
            path: where it is.
            reader: raises ``ValueError`` with what is allowed; where that begins with ``expected``, what was there
                is added, and then the error's second argument.
            default: for a value that is not there, is null, or is already known to be wrong.
        """
        node = lookup(self.root, path)
        value = value_of(node) if node is not None else None
        if node is None or value is None or self.blames(path):
            return default
        try:
            return reader(value)
        except ValueError as error:
            message, *remark = error.args
            if message.startswith("expected"):
                message = "".join((f"{message}, {got(node, value, path)}", *remark))
            self.add(path, message)
            return default

    def blames(self, path: Path) -> bool:
        """Return whether something is wrong at ``path`` or below."""
        shown = render(path)
        return any(
            blamed is not None and (blamed == shown or blamed.startswith((shown + ".", shown + "[")))
            for blamed in self._blamed
        )

    def raise_if_any(self) -> None:
        """Raise ``ConfigError`` with every problem, in the order of the file; do nothing when all is well."""
        if self._problems:
            raise ConfigError(sorted(self._problems, key=lambda problem: (problem.line or 0, problem.column or 0)))

    def _interpolate(self, node: Node, path: Path, environ: Mapping[str, str]) -> None:
        if isinstance(node, Keys):
            for name, entry in node.entries.items():
                self._interpolate(entry.value, (*path, name), environ)
        elif isinstance(node, Items):
            for index, item in enumerate(node.nodes):
                self._interpolate(item, (*path, index), environ)
        elif "${" in node.text:
            self._expand(node, path, environ)

    def _expand(self, node: Scalar, path: Path, environ: Mapping[str, str]) -> None:
        expansion = expand(node.text, environ)
        for message in expansion.problems:
            self.add(path, message)
        node.text = expansion.text
        node.variables, node.defaulted = expansion.variables, expansion.defaulted
        node.plain = node.plain or bool(expansion.variables)
