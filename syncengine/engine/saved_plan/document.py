"""The form of a plan's file: JSON with one action a line, in the order of the source's listing.

Written and read line by line, so memory does not grow with the plan. The last line is a SHA-256 over all before it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from syncengine.engine.clean_text import encoded, encoded_lines
from syncengine.engine.saved_plan.actions import Action
from syncengine.engine.saved_plan.facts import FORMAT, VERSION, Head, Tail
from syncengine.errors import ConfigError, FatalError

_OPENING = b'{\n  "format": "' + FORMAT.encode() + b'",\n'
_ACTIONS = b'  "actions": [\n'
_END_OF_ACTIONS = b"  ],\n"
_DIGEST = b'  "digest": "sha256:'
_LARGEST_LINE = 1 << 24
_LARGEST_HEAD = 1 << 24


class _Form(msgspec.Struct):
    version: int


class PlanWriter:
    """Writes a plan, action by action.

    Args:
        stream: takes the bytes.
        head: stands before the actions.
    """

    def __init__(self, stream: BinaryIO, head: Head) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._encoder = msgspec.json.Encoder()
        self._separator = b""
        self._write(_opened(encoded(head)) + _ACTIONS)

    def add(self, actions: Sequence[Action]) -> None:
        """Append some actions."""
        if actions:
            lines = encoded_lines(self._encoder, actions).rstrip(b"\n")
            self._write(self._separator + b"    " + lines.replace(b"\n", b",\n    "))
            self._separator = b",\n"

    def finish(self, tail: Tail) -> str:
        """Write what stands after the actions; return the plan's digest as hex."""
        self._write((b"\n" if self._separator else b"") + _END_OF_ACTIONS + _opened(encoded(tail)).partition(b"\n")[2])
        digest = self._hash.hexdigest()
        self._stream.write(_DIGEST + digest.encode() + b'"\n}\n')
        return digest

    def _write(self, content: bytes) -> None:
        self._hash.update(content)
        self._stream.write(content)


class SavedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan's file that was found whole.

    Args:
        file: where it is, for people.
        content: where its bytes are read.
        head: what stands before the actions.
        tail: what stands after them.
        digest: SHA-256 as hex, by which the plan is known.
    """

    file: Path
    content: Path
    head: Head
    tail: Tail
    digest: str

    def lines(self) -> Iterator[bytes]:
        """Yield each action as the JSON that stands in the file."""
        with self.content.open("rb") as stream:
            for _ in _until(stream, _ACTIONS):
                pass
            for line in _until(stream, _END_OF_ACTIONS):
                yield line.strip().removesuffix(b",")

    def actions(self) -> Iterator[Action]:
        """Yield each action."""
        decoder = msgspec.json.Decoder(Action)
        return map(decoder.decode, self.lines())


def is_plan(path: Path) -> bool:
    """Return whether a file begins as plans do. Raises ``OSError``."""
    if path.exists() and not path.is_file():
        return False  # Looking into a pipe would wait for somebody to write.
    with path.open("rb") as stream:
        return stream.read(len(_OPENING)) == _OPENING


def read_plan(path: Path, content: Path | None = None) -> SavedPlan:
    """Return the plan in a file, once every byte of it was checked.

    Args:
        path: the file.
        content: a copy to read from, if that one may change meanwhile.

    Raises:
        ConfigError: there is no such file, or it is no plan.
        FatalError: it was made by a newer syncengine, it is damaged, or it was changed by hand.
    """
    try:
        if not is_plan(path):
            raise ConfigError(f"{path} is no plan; 'syncengine plan PROFILE -o {path}' makes one")
        if content is not None:
            shutil.copyfile(path, content)
        return _read(path, content or path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(path) from error


def _read(path: Path, content: Path) -> SavedPlan:
    with content.open("rb") as stream:
        return _checked(path, content, stream)


def _checked(path: Path, content: Path, stream: BinaryIO) -> SavedPlan:
    digest = hashlib.sha256()
    head = b"".join(_bounded(_hashed(_until(stream, _ACTIONS), digest)))
    closed = head.rstrip().removesuffix(b",") + b"}"
    if msgspec.json.decode(closed, type=_Form).version > VERSION:
        raise FatalError(f"{path} was made by a newer syncengine", advice="update this one, or make a new plan")
    digest.update(_ACTIONS)
    for line in _until(stream, _END_OF_ACTIONS):
        digest.update(line)
    digest.update(_END_OF_ACTIONS)
    lines = list(_bounded(iter(lambda: stream.readline(_LARGEST_LINE), b"")))
    tail, last = b"".join(lines[:-2]), b"".join(lines[-2:])
    digest.update(tail)
    if last != _DIGEST + digest.hexdigest().encode() + b'"\n}\n':
        raise _damaged(path)
    return SavedPlan(
        file=path,
        content=content,
        head=msgspec.json.decode(closed, type=Head),
        tail=msgspec.json.decode(b"{" + tail.rstrip().removesuffix(b",") + b"}", type=Tail),
        digest=digest.hexdigest(),
    )


def _opened(content: bytes) -> bytes:
    """Return an indented JSON object with its end taken off, so that more can follow."""
    return content.removesuffix(b"\n}\n") + b",\n"


def _until(stream: BinaryIO, end: bytes) -> Iterator[bytes]:
    """Yield the lines before one; a file that ends sooner ends the lines, and its digest does not hold."""
    while (line := stream.readline(_LARGEST_LINE)) not in (end, b""):
        yield line


def _hashed(lines: Iterable[bytes], digest: Any) -> Iterator[bytes]:
    for line in lines:
        digest.update(line)
        yield line


def _bounded(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines up to more than a plan's head or tail ever has; what is cut off does not keep its digest."""
    size = 0
    for line in lines:
        size += len(line)
        if size > _LARGEST_HEAD:
            return
        yield line


def _damaged(path: Path) -> FatalError:
    return FatalError(f"{path} is damaged, or was changed by hand", advice="make a new plan; nothing was done")
