"""What is about to be moved or replaced at the destination, written down before, so that the next run can finish it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from syncengine.engine.layout import with_suffix
from syncengine.records import ContentRecord

Role = Literal["stored", "original", "sidecar"]

#: All digits of a content's key: a name that no other content can want.
_ALL_DIGITS = 64


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One content that is about to have other files, or its files elsewhere.

    Args:
        before: the record of now.
        after: the record that it is to have.
        document: its new metadata file as it will be written, or empty when there is none to write.
    """

    before: ContentRecord
    after: ContentRecord
    document: bytes = b""


class FileOf(msgspec.Struct, frozen=True):
    """A file of a content: what it is to it, path, SHA-256."""

    role: Role
    path: str
    digest: bytes


class Step(msgspec.Struct, kw_only=True):
    """One file on its way.

    Args:
        content: whose it is.
        role: what it is to the content.
        digest: SHA-256 of its bytes.
        source: where it was before; empty for a new file.
        target: where it is to be.
        at: where it is now; empty as long as a new file is in staging.
    """

    content: bytes
    role: Role
    digest: bytes
    source: str
    target: str
    at: str

    @property
    def parking(self) -> str:
        """A name in the library at which it can wait: no other file has it, and a search finds it."""
        return with_suffix(self.target, self.content, _ALL_DIGITS)

    @property
    def is_new(self) -> bool:
        """Whether it was not there before."""
        return not self.source


def files_of(record: ContentRecord) -> list[FileOf]:
    """Return the files of a content."""
    files = [FileOf("stored", record.path, record.stored_sha256)]
    if record.original_path:
        files.append(FileOf("original", record.original_path, record.source_sha256))
    if record.sidecar_path:
        files.append(FileOf("sidecar", record.sidecar_path, record.sidecar_sha256))
    return files


def steps_of(change: Change) -> tuple[list[Step], list[str]]:
    """Return what becomes of each file of a content: the steps, and the paths of the files that have to go.

    A file whose bytes were there before is that file, whatever it is to the content now.
    """
    left = files_of(change.before)
    steps: list[Step] = []
    for wanted in files_of(change.after):
        found = _same_file(wanted, left)
        if found is not None:
            left.remove(found)
        source = found.path if found is not None else ""
        steps.append(
            Step(
                content=change.after.content,
                role=wanted.role,
                digest=wanted.digest,
                source=source,
                target=wanted.path,
                at=source,
            )
        )
    return steps, [file.path for file in left]


def _same_file(wanted: FileOf, there: list[FileOf]) -> FileOf | None:
    if wanted.role == "sidecar":
        fitting = [file for file in there if file.role == "sidecar"]
    else:
        fitting = [file for file in there if file.role != "sidecar" and file.digest == wanted.digest]
    return min(fitting, key=lambda file: (file.path != wanted.path, file.role != wanted.role), default=None)


class ChangesFile:
    """The changes that are under way, durable until they are recorded.

    Args:
        path: the file, or ``None`` to write nothing down.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def write(self, changes: Sequence[Change]) -> None:
        """Write some changes down instead of those before. Raises ``OSError`` when the state directory is full."""
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        with new.open("wb") as stream:
            stream.write(msgspec.msgpack.encode([_plain(change) for change in changes]))
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(new, self._path)
        _sync_directory(self._path.parent)

    def read(self) -> list[Change]:
        """Return the changes that were under way when a run ended; the file is whole or not there."""
        if self._path is None or not self._path.is_file():
            return []
        try:
            return msgspec.msgpack.decode(self._path.read_bytes(), type=list[Change])
        except msgspec.MsgspecError:
            return []

    def clear(self) -> None:
        """Forget them: they are recorded."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _plain(change: Change) -> Change | object:
    """Return a change as it can be encoded; the state keeps text that is no Unicode with its bytes escaped as well."""
    try:
        msgspec.msgpack.encode(change)
    except UnicodeEncodeError:
        return _escaped(msgspec.to_builtins(change, builtin_types=(bytes,)))
    return change


def _escaped(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list | tuple):
        return [_escaped(part) for part in value]
    if isinstance(value, dict):
        return {key: _escaped(part) for key, part in value.items()}
    return value


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def paths_in(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the paths that steps lead to."""
    for step in steps:
        yield step.target
