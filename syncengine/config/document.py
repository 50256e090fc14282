"""Turns YAML text into a tree of nodes that know where they stand, and refuses what a profile has no use for.

Aliases, anchors, tags, merge keys, several documents and duplicate keys are refused: each makes a file say something
else than what its reader sees. PyYAML gives the events; what they mean is decided here, so that its YAML 1.1 typing
(``no`` is false, ``2:30`` is 150) never comes into play.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import yaml

from syncengine.errors import ConfigError, Problem

MAX_DEPTH = 32
MAX_NODES = 10_000

_WORD = re.compile(r"[A-Za-z0-9_-]{1,60}")

#: A step of a path into the document: a key or an index.
Path = tuple[str | int, ...]


class Mark(NamedTuple):
    """A place in the file, 1-based."""

    line: int
    column: int


class Scalar(msgspec.Struct, kw_only=True):
    """A single value as written.

    Args:
        mark: where it begins.
        text: without quotes, escapes resolved; after interpolation, what it became.
        plain: written without quotes, so that its text decides its type.
        variables: the variables that were put into it.
        defaulted: each of them took its default.
    """

    mark: Mark
    text: str
    plain: bool = False
    variables: tuple[str, ...] = ()
    defaulted: bool = False


class Items(msgspec.Struct, kw_only=True):
    """A YAML sequence."""

    mark: Mark
    nodes: list[Node]


class Entry(NamedTuple):
    """One key with its value."""

    key: Scalar
    value: Node


class Keys(msgspec.Struct, kw_only=True):
    """A YAML mapping; ``entries`` by key, in the file's order."""

    mark: Mark
    entries: dict[str, Entry]


Node = Scalar | Items | Keys


class Document(NamedTuple):
    """A parsed file.

    Args:
        root: its one value.
        problems: what was refused on the way; the tree is whole all the same.
    """

    root: Node
    problems: list[Problem]


def parse(text: str, file: str) -> Document:
    """Return the tree of a YAML text.

    Args:
        text: the file's content.
        file: its name, for messages.

    Raises:
        ConfigError: the text is no YAML, has no content, or is too deep or too long.
    """
    composer = _Composer(text, file)
    try:
        root = composer.compose()
    except yaml.MarkedYAMLError as error:
        composer.problems.append(_syntax_problem(error, text, file))
    except yaml.reader.ReaderError as error:
        composer.problems.append(_character_problem(error, text, file))
    except (OverflowError, ValueError):  # PyYAML lets them out for "\\UFFFFFFFF"
        composer.problems.append(Problem("not valid YAML: a \\U escape that is no character", file=file))
    else:
        return Document(root, composer.problems)
    raise ConfigError(composer.problems)


def render(path: Path) -> str:
    """Return a path as messages show it, on one line: ``$.transforms[0].heic-to-jpeg``."""
    return "$" + "".join(f".{step}" if _is_word(step) else f"[{shortened(step)}]" for step in path)


def shortened(key: str | int) -> str:
    """Return a key as messages show it: in quotes, on one line, not too long."""
    return repr(key if isinstance(key, int) else key[:60])


def find(root: Node, path: Path) -> tuple[Node, Scalar | None]:
    """Return the node at ``path``, and its key when it is a mapping's value; the nearest one above when missing."""
    node, key = root, None
    for step in path:
        if isinstance(node, Keys) and isinstance(step, str) and step in node.entries:
            key, node = node.entries[step]
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
            key, node = None, node.nodes[step]
        else:
            break
    return node, key


def lookup(root: Node, path: Path) -> Node | None:
    """Return the node at ``path``, or ``None`` when there is none."""
    node: Node | None = root
    for step in path:
        if isinstance(node, Keys) and isinstance(step, str):
            entry = node.entries.get(step)
            node = entry.value if entry is not None else None
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
            node = node.nodes[step]
        else:
            return None
    return node


def _is_word(step: str | int) -> bool:
    return isinstance(step, str) and _WORD.fullmatch(step) is not None


class _Composer:
    def __init__(self, text: str, file: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._file = file
        self._count = 0
        self._depth = 0
        self.problems: list[Problem] = []

    def compose(self) -> Node:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._refuse(_mark(event), (), "a second document begins here; a profile is one document")
                    break
                root = self._node(next(self._events), ())
        if root is None:
            message = "nothing but comments; a profile needs at least version, source and destination"
            raise ConfigError([Problem(message, file=self._file)])
        return root

    def _node(self, event: yaml.Event, path: Path) -> Node:
        mark = _mark(event)
        self._count += 1
        if self._count > MAX_NODES or self._depth > MAX_DEPTH:
            limit = f"{MAX_NODES} values" if self._count > MAX_NODES else f"{MAX_DEPTH} levels"
            raise ConfigError([*self.problems, self._problem(mark, path[:1], f"more than {limit}; this is no profile")])
        self._check_properties(event, mark, path)
        if isinstance(event, yaml.CollectionStartEvent):
            self._depth += 1
            inside = self._keys if isinstance(event, yaml.MappingStartEvent) else self._items
            node: Node = inside(mark, path)
            self._depth -= 1
            return node
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(mark=mark, text=event.value, plain=event.style is None)
        return Scalar(mark=mark, text="")  # an alias, already refused

    def _items(self, mark: Mark, path: Path) -> Items:
        nodes: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            nodes.append(self._node(event, (*path, len(nodes))))
        return Items(mark=mark, nodes=nodes)

    def _keys(self, mark: Mark, path: Path) -> Keys:
        keys = Keys(mark=mark, entries={})
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, path)
            name = key.text if isinstance(key, Scalar) else "?"
            value = self._node(next(self._events), (*path, name))
            if not isinstance(key, Scalar):
                self._refuse(key.mark, path, "a key must be a plain word (is a value with { or [ lacking its quotes?)")
            elif name == "<<" and key.plain:
                self._refuse(key.mark, path, "merge keys (<<) are not allowed; write the options out")
            elif name in keys.entries:
                first = keys.entries[name].key.mark.line
                self._refuse(
                    key.mark, (*path, name), f"the key {shortened(name)} is here twice (first on line {first})"
                )
            else:
                keys.entries[name] = Entry(key, value)
        return keys

    def _check_properties(self, event: yaml.Event, mark: Mark, path: Path) -> None:
        if isinstance(event, yaml.AliasEvent):
            message = (
                f"the alias '*{str(event.anchor)[:40]}' is not allowed; write the value out (or quote it if it is text)"
            )
            self._refuse(mark, path, message)
        elif (anchor := getattr(event, "anchor", None)) is not None:
            message = (
                f"the anchor '&{anchor[:40]}' is not allowed; aliases do not exist here (or quote it if it is text)"
            )
            self._refuse(mark, path, message)
        if (tag := getattr(event, "tag", None)) is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(mark, path, f"the tag '{shown[:40]}' is not allowed (quote the value if it is text)")

    def _refuse(self, mark: Mark, path: Path, message: str) -> None:
        self.problems.append(self._problem(mark, path, message))

    def _problem(self, mark: Mark, path: Path, message: str) -> Problem:
        return Problem(message, file=self._file, line=mark.line, column=mark.column, path=render(path))


def _mark(event: yaml.Event) -> Mark:
    assert event.start_mark is not None  # nosec B101: the parser sets it on every event
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    message = " ".join(part for part in (error.problem, error.context) if part) or "nothing that can be read"
    message = message.replace("'<stream end>'", "the end of the file").replace("'<block end>'", "the end of a block")
    lines = text.splitlines()
    written = lines[line] if line < len(lines) else ""
    if "'\\t'" in message or "\t" in written[: len(written) - len(written.lstrip())]:
        message = "a tab cannot indent or begin a value in YAML; use spaces"
    elif "mapping values are not allowed" in message:
        message = "a second ': ' on one line; put text that holds ': ' in quotes"
    elif "${" in written:
        message += "; ${...} needs quotes inside { } and [ ]"
    return Problem(f"not valid YAML: {message}", file=file, line=line + 1, column=column + 1)


def _character_problem(error: yaml.reader.ReaderError, text: str, file: str) -> Problem:
    before = text[: error.position]
    line, column = before.count("\n") + 1, error.position - before.rfind("\n")
    return Problem(f"the control character {error.character:#04x} is not allowed", file=file, line=line, column=column)
