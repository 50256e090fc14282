"""What ought to be at the destination, by the state's word, in the order of the paths and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from syncengine.engine.ports import State
from syncengine.engine.sorted_lines import SortedLines
from syncengine.records import ContentRecord

Role = Literal["stored", "original", "sidecar"]

_ROLES: dict[str, Role] = {"stored": "stored", "original": "original", "sidecar": "sidecar"}


class RecordedFile(msgspec.Struct, frozen=True, gc=False):
    """One file that the state knows at the destination.

    Args:
        path: relative to the destination's root.
        size: bytes; ``None`` where only the hash is recorded.
        sha256: 32 bytes.
        content: key of the content that it belongs to.
        role: the stored photo or video, its untouched original, or its XMP sidecar.
        profile: the profile that stored it.
    """

    path: str
    size: int | None
    sha256: bytes
    content: bytes
    role: Role
    profile: str

    def line(self) -> bytes:
        """Return it as one line that sorts by path; two lines are equal when nothing about the file changed."""
        size = "" if self.size is None else str(self.size)
        fields = (self.path, size, self.sha256.hex(), self.content.hex(), self.role, self.profile)
        return "\0".join(map(_escaped, fields)).encode("utf-8", "surrogateescape") + b"\n"


def file_of(line: bytes) -> RecordedFile:
    """Return what a line says. Raises ``ValueError`` when it is none."""
    text = line.decode("utf-8", "surrogateescape").rstrip("\n")
    path, size, digest, content, role, profile = map(unescaped, text.split("\0"))
    return RecordedFile(
        path,
        int(size) if size else None,
        bytes.fromhex(digest),
        bytes.fromhex(content),
        _ROLES[role],
        profile,
    )


def files_of(record: ContentRecord) -> Iterator[RecordedFile]:
    """Yield every file that belongs to a content, the stored one first."""
    content, profile = record.content, record.profile
    yield RecordedFile(record.path, record.stored_size, record.stored_sha256, content, "stored", profile)
    if record.original_path:
        yield RecordedFile(record.original_path, record.source_size, record.source_sha256, content, "original", profile)
    if record.sidecar_path:
        yield RecordedFile(record.sidecar_path, None, record.sidecar_sha256, content, "sidecar", profile)


class RecordedFiles:
    """All recorded files of a destination, as they were when it was asked for; a context manager.

    Args:
        state: bound to the destination.
        scratch: directory for temporary files.
    """

    def __init__(self, state: State, scratch: Path) -> None:
        self.count = 0
        self._lines = SortedLines(scratch)
        for record in state.all_contents():
            for file in files_of(record):
                self._lines.add(file.line())
                self.count += 1

    def __iter__(self) -> Iterator[bytes]:
        """Yield the line of each file by path; one pass at a time, as often as it is wanted."""
        return iter(self._lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()


class SortedPaths:
    """Paths in any order, with a word about each, given back sorted in the order of ``RecordedFile.line``.

    Args:
        scratch: directory for temporary files.
    """

    def __init__(self, scratch: Path) -> None:
        self._lines = SortedLines(scratch)

    def add(self, path: str, word: str = "") -> None:
        """Take a path."""
        self._lines.add(f"{_escaped(path)}\0{word}\n".encode("utf-8", "surrogateescape"))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for line in self._lines:
            path, _, word = line.decode("utf-8", "surrogateescape").rstrip("\n").partition("\0")
            yield unescaped(path), word

    def without(self, known: SortedPaths) -> Iterator[tuple[str, str]]:
        """Yield what is in here and not in ``known``; holds two lines in memory."""
        others = (line.partition(b"\0")[0] for line in known.lines())
        other = next(others, None)
        for line in self._lines:
            path, _, word = line.partition(b"\0")
            while other is not None and other < path:
                other = next(others, None)
            if other != path:
                yield unescaped(path.decode("utf-8", "surrogateescape")), word.decode().rstrip("\n")

    def lines(self) -> Iterable[bytes]:
        """Return the sorted lines."""
        return self._lines

    def close(self) -> None:
        """Remove the temporary files."""
        self._lines.close()


def merged_out(lines: Iterable[bytes], done: SortedLines) -> Iterator[tuple[bytes, bool]]:
    """Yield each of some sorted lines, and whether exactly that line is in ``done`` as well."""
    with closing(done):
        others = iter(done)
        other = next(others, None)
        for line in lines:
            while other is not None and other < line:
                other = next(others, None)
            yield line, other == line


def _escaped(text: str) -> str:
    """Return text without line feeds and zeros: a name that somebody else gave a file may hold the first."""
    if "\\" not in text and "\n" not in text and "\0" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\0", "\\0")


def unescaped(text: str) -> str:
    """Return what ``_escaped`` was given."""
    if "\\" not in text:
        return text
    parts = text.split("\\\\")
    return "\\".join(part.replace("\\n", "\n").replace("\\0", "\0") for part in parts)
