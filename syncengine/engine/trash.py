"""The trash at the destination: ``.syncengine/trash/<run>/`` and below it each file under the path that it had.

What a mirror run removes has a line in ``entries.jsonl`` there, durable before the first file is moved. Whoever can
write to the destination can write such a line, so none is believed: it may name files of its own trash and paths of
the library, and nothing else. Disks damage lines as well: where one cannot be read, the files of its run that no other
line names may be its files, see ``unlisted``.
"""

from __future__ import annotations

import contextlib
import itertools
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from syncengine.api import Destination, FileStat, TargetExistsError
from syncengine.engine import catalog
from syncengine.engine.clean_text import cleaned
from syncengine.engine.layout import RESERVED_ROOTS
from syncengine.engine.metadata_file import metadata_path
from syncengine.engine.safe_names import fit
from syncengine.records import ContentRecord, StateBatch

TRASH = ".syncengine/trash"
ENTRIES = "entries.jsonl"
VERSION = 1

_MAX_NAME_BYTES = 255
_RUN_ID = "%Y%m%dT%H%M%S%fZ"
#: How a line begins; eight digits and ``_AFTER_SUM`` follow.
_SUM = b'{"sum":"'
_AFTER_SUM = b'",'
_SUM_DIGITS = 8


class Trash:
    """Moves files of the destination out of the library, by one run.

    Args:
        destination: open.
        run: id of the run; what it moves stays together.
    """

    def __init__(self, destination: Destination[Any], run: str) -> None:
        self._destination = destination
        self.directory = f"{TRASH}/{run}"
        self.entries = f"{self.directory}/{ENTRIES}"

    def put(self, path: str) -> str:
        """Move one file into the trash, never over another one; durable with the destination's next ``flush``.

        The directory that it was in stays, also when it is empty now: see ``Destination.prune``.

        Args:
            path: relative to the destination's root.

        Returns:
            Where the file is now, relative to the root.

        Raises:
            FileNotFoundError: nothing is there.
            ItemError: it cannot be moved (no file, behind a link, no permission); it is where it was.
            FatalError: the destination is gone, full or read-only.
        """
        for number in itertools.count(1):
            to = self._place(path, number)
            try:
                self._destination.move(path, to)
            except TargetExistsError:
                continue
            return to
        raise AssertionError("counting never ends")  # pragma: no cover

    def free_place(self, path: str) -> str:
        """Return where a file goes that is at ``path`` now: a name that nothing in the trash has."""
        places = (self._place(path, number) for number in itertools.count(1))
        return next(place for place in places if self._destination.stat(place) is None)

    def _place(self, path: str, number: int) -> str:
        """Return the ``number``-th name that a file may take that was at ``path``."""
        directory, slash, name = path.rpartition("/")
        own = not slash and name == ENTRIES  # This name belongs to the trash itself.
        if number > 1 or own:
            name = fit(name, f"~{number + own}", _MAX_NAME_BYTES)
        return f"{self.directory}/{directory}{slash}{name}"


class TrashedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file in the trash: the path that it had, where it is now, bytes."""

    path: str
    trashed: str
    size: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``entries.jsonl``: one content that was removed, and all that is needed to bring it back.

    Args:
        id: for people to name it by.
        name: the original name.
        when: ISO 8601 with offset.
        why: the reason.
        files: its files, the photo or video first.
        records: lines of the catalog: the content, its items and fingerprints as the state had them.
        v: version of this format.
    """

    id: str
    name: str
    when: str
    why: str
    files: tuple[TrashedFile, ...] = ()
    records: tuple[msgspec.Raw, ...] = ()
    v: int = VERSION


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the trash.

    Args:
        run: by which it was put there.
        entry: what is known of it.
        files: those of the entry's files that are in the trash.
        record: the content, as the state had it; ``None`` for a file that no entry tells of.
        fingerprints: (method, fingerprint, content).
        is_unaccounted: a file that no entry tells of, in a run one of whose entries is damaged: it may be of that one.
        remark: what a person should know when it comes back.
    """

    run: str
    entry: Entry
    files: tuple[TrashedFile, ...]
    record: ContentRecord | None = None
    fingerprints: tuple[tuple[str, bytes, bytes], ...] = ()
    is_unaccounted: bool = False
    remark: str = ""


class DamagedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is no entry: the file, the line's number from 1 on, and why."""

    file: str
    line: int
    why: str

    @property
    def run(self) -> str:
        """The run whose entries they are."""
        return self.file.split("/")[2]

    def text(self) -> str:
        """Return it for people."""
        return f"{self.file}: line {self.line:,} is damaged ({self.why})"


def entry_of(
    record: ContentRecord, files: tuple[TrashedFile, ...], batch: StateBatch, profile: str, *, why: str, when: str
) -> Entry:
    """Return the entry of a content.

    Args:
        record: the content.
        files: its files that are to be moved.
        batch: what would make the state remember it again.
        profile: whose items the batch holds.
        why: the reason.
        when: ISO 8601 with offset.
    """
    lines = catalog.encode(batch, profile).splitlines()
    return Entry(
        id=record.content.hex()[:12],
        name=cleaned(record.name),
        when=when,
        why=why,
        files=files,
        records=tuple(msgspec.Raw(line) for line in lines),
    )


def files_of(record: ContentRecord) -> tuple[str, ...]:
    """Return the paths that belong to a content, whether there is a file or not; the photo or video first."""
    paths = (record.path, record.original_path, record.sidecar_path, metadata_path(record.path))
    return tuple(dict.fromkeys(path for path in paths if path))


def contents(destination: Destination[Any]) -> Iterator[Held]:
    """Yield what is in the trash, by run and then in the order in which it was put there.

    Files that no entry tells of come last of their run. Raises ``ItemError`` when the trash leads through a link.
    """
    found = (file for file in destination.list(TRASH) if file.path.count("/") > 2)
    for run, files in itertools.groupby(found, key=_run_of):
        sizes = {file.path: file.size for file in files}
        sizes.pop(f"{TRASH}/{run}/{ENTRIES}", None)
        is_damaged = False
        for held in read_lines(destination, run):
            if isinstance(held, DamagedLine):
                is_damaged = True
                continue
            there = tuple(file for file in held.files if sizes.pop(file.trashed, None) is not None)
            if there:
                yield msgspec.structs.replace(held, files=there)
        for path, size in sizes.items():
            yield _loose(run, path, size, is_unaccounted=is_damaged)


def entries(destination: Destination[Any], run: str) -> Iterator[Held]:
    """Yield the entries of a run that can be believed, with all the files that they name, there or not."""
    return (one for one in read_lines(destination, run) if isinstance(one, Held))


def damage(destination: Destination[Any]) -> list[DamagedLine]:
    """Return the lines of all runs that are no entries. Raises ``ItemError`` when the trash leads through a link."""
    lines = (one for run in runs(destination) for one in read_lines(destination, run))
    return [one for one in lines if isinstance(one, DamagedLine)]


def read_lines(destination: Destination[Any], run: str) -> Iterator[Held | DamagedLine]:
    """Yield what each line of a run's entries says: an entry that can be believed, or that it is damaged."""
    file = f"{TRASH}/{run}/{ENTRIES}"
    with contextlib.suppress(FileNotFoundError), destination.read(file) as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield believed(run, decode(line))
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # The last: nested too deeply.
                yield DamagedLine(file=file, line=number, why=str(error))


def encode(entry: Entry) -> bytes:
    """Return the line of an entry: JSON that begins with a checksum, so that any flipped bit is noticed."""
    line = msgspec.json.encode(entry)
    return b"%b%08x%b%b\n" % (_SUM, zlib.crc32(line), _AFTER_SUM, line[1:])


def decode(line: bytes) -> Entry:
    """Return the entry of a line; one of an older version has no checksum.

    Raises:
        ValueError, msgspec.MsgspecError, RecursionError: it is none, or not as it was written.
    """
    line = line.rstrip(b"\n")
    if line.startswith(_SUM):
        begin = len(_SUM) + _SUM_DIGITS + len(_AFTER_SUM)
        rest = b"{" + line[begin:]
        if line[len(_SUM) : begin] != b"%08x%b" % (zlib.crc32(rest), _AFTER_SUM):
            raise ValueError("it does not have the checksum that it was written with")
        line = rest
    return msgspec.json.decode(line, type=Entry)


def runs(destination: Destination[Any]) -> list[str]:
    """Return the runs that have something in the trash, oldest first."""
    return sorted({_run_of(file) for file in destination.list(TRASH) if file.path.count("/") > 2})


def believed(run: str, entry: Entry) -> Held:
    """Return an entry with its records. Raises ``ValueError`` for one that this version did not write."""
    batches = [catalog.decode(bytes(line)).batch for line in entry.records]
    (record,) = [record for batch in batches for record in batch.contents]
    allowed = set(files_of(record))
    for path in allowed:
        _check_library_path(path, record)
    for file in entry.files:
        if file.path not in allowed or not file.trashed.startswith(f"{TRASH}/{run}/"):
            raise ValueError(f"{file.trashed!r} is not of this trash")
        _check_components(file.trashed)
    prints = tuple(print_ for batch in batches for print_ in batch.fingerprints if print_[2] == record.content)
    return Held(run=run, entry=entry, files=entry.files, record=record, fingerprints=prints)


def put_at(held: Held) -> datetime | None:
    """Return when it was put into the trash, or ``None`` when its entry does not say."""
    try:
        when = datetime.fromisoformat(held.entry.when)
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def drop(destination: Destination[Any], held: Held) -> int:
    """Remove the files of an entry for good; return their bytes."""
    size = 0
    for file in held.files:
        with contextlib.suppress(FileNotFoundError):
            destination.remove(file.trashed)
            size += file.size
        destination.prune(file.trashed)
    return size


def tidy(destination: Destination[Any], run: str) -> None:
    """Remove a run's entries when none of their files is in the trash any more."""
    own = f"{TRASH}/{run}/{ENTRIES}"
    if all(file.path == own for file in destination.list(f"{TRASH}/{run}")):
        with contextlib.suppress(FileNotFoundError):
            destination.remove(own)
        destination.prune(own)


def moment_of(run: str) -> str:
    """Return when a run began, ISO 8601; empty when its id does not say."""
    try:
        return datetime.strptime(run, _RUN_ID).replace(tzinfo=UTC).isoformat(timespec="seconds")
    except ValueError:
        return ""


def _run_of(file: FileStat) -> str:
    return file.path.split("/")[2]


def _check_library_path(path: str, record: ContentRecord) -> None:
    _check_components(path)
    if path != metadata_path(record.path) and path.partition("/")[0].casefold() in RESERVED_ROOTS:
        raise ValueError(f"{path!r} is no path of the library")


def _check_components(path: str) -> None:
    if "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError(f"{path!r} is no path inside the destination")


def _loose(run: str, path: str, size: int, *, is_unaccounted: bool) -> Held:
    """Return a file that no entry tells of: another command set it aside, a person put it there, or a disk failed."""
    before = path.removeprefix(f"{TRASH}/{run}/")
    file = TrashedFile(path=before, trashed=path, size=size)
    entry = Entry(
        id=sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:12],
        name=before.rpartition("/")[2],
        when=moment_of(run),
        why="its entry is damaged" if is_unaccounted else "set aside",
        files=(file,),
    )
    return Held(run=run, entry=entry, files=(file,), is_unaccounted=is_unaccounted)
