"""Holding the records against the files: whose file is not where its record says, and which files no record covers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import groupby, islice
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

from syncengine.api import FileStat, ItemError
from syncengine.engine.hashing import digest_of
from syncengine.engine.layout import RESERVED_ROOTS
from syncengine.engine.listings import stored_files
from syncengine.engine.rebuilding.displaced import Displaced
from syncengine.engine.rebuilding.task import RebuildTask, Rebuilt
from syncengine.engine.sorted_lines import SortedLines
from syncengine.records import ContentRecord

_AT_ONCE = 20_000
_HASHING_THREADS = 2
_FILE, _RECORD = b"f", b"r"
_STORED, _BESIDE = b"s", b"b"


class Uncovered:
    """Files that no record covers, kept on disk: there may be as many as there are photos."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0
        #: Paths at which another file was recorded; that was said already.
        self.claimed: set[str] = set()

    def add(self, file: FileStat) -> None:
        """Keep one."""
        self._stream.write(b"%s\0%d\0%r\n" % (_path_bytes(file.path), file.size, file.mtime))
        self.count += 1

    def pages(self, size: int = 1000) -> Iterator[list[FileStat]]:
        """Yield all of them, some at a time, in order."""
        self._stream.seek(0)
        while lines := list(islice(self._stream, size)):
            yield [_file(line) for line in lines]
        self._stream.seek(0, 2)


@contextmanager
def uncovered(task: RebuildTask) -> Iterator[Uncovered]:
    """Give an empty list on disk."""
    with TemporaryFile(dir=task.scratch) as stream:
        yield Uncovered(stream)


class _Claim(NamedTuple):
    """What a record says of the file at a path."""

    role: bytes
    size: int
    digest: bytes
    content: bytes


def compare(task: RebuildTask, rebuilt: Rebuilt, left: Uncovered, displaced: Displaced) -> None:
    """Hold the records against the files, and collect the files that no record covers.

    Args:
        task: the rebuilding; its state has all that the catalog told.
        rebuilt: what the catalog told.
        left: takes the files.
        displaced: takes the contents whose files are not where the records say.
    """
    with closing(SortedLines(task.scratch)) as lines:
        roots = _add_records(task, lines)
        _add_files(task, lines, roots if rebuilt.lines and not rebuilt.lacks_lines else {""})
        found = _hashed(task, _grouped(lines)) if task.rehash else _settled(task, _grouped(_noteworthy(lines)))
        for path, file, claims in found:
            covered = False
            for claim, why in claims:
                covered |= not why
                if why and claim.role == _STORED:
                    displaced.add_stored(claim.content, is_lost=file is None)
                elif why:
                    displaced.add_beside(claim.content, path, why)
            if file is not None and not covered:
                left.add(file)
                left.claimed.update([path] if claims else ())


_Group = tuple[str, FileStat | None, list[tuple[_Claim, str]]]


def _add_records(task: RebuildTask, lines: SortedLines) -> set[str]:
    """Add what the records say, and return the first folders of their paths."""
    roots = {task.root} if task.root else {""}
    for record in task.shared.all_contents():
        for claim, path in _claims(record):
            roots.add(path.partition("/")[0])
            facts = b"%s\0%d\0%s\0%s" % (
                claim.role,
                claim.size,
                claim.digest.hex().encode(),
                claim.content.hex().encode(),
            )
            lines.add(b"%s\0%s\0%s\n" % (_path_bytes(path), _RECORD, facts))
    return roots


def _claims(record: ContentRecord) -> Iterator[tuple[_Claim, str]]:
    sizes = {record.path: record.stored_size, record.original_path: record.source_size}
    for path, digest in stored_files(record):
        role = _STORED if path == record.path else _BESIDE
        yield _Claim(role, sizes.get(path, -1), digest, record.content), path


def _add_files(task: RebuildTask, lines: SortedLines, roots: Iterable[str]) -> None:
    count = 0
    for root in ("",) if "" in roots else sorted(roots):
        for file in task.destination.list(root):
            if file.path.partition("/")[0] in RESERVED_ROOTS or "\n" in file.path:
                continue
            lines.add(b"%s\0%s\0%d\0%r\n" % (_path_bytes(file.path), _FILE, file.size, file.mtime))
            count += 1
            if not count % _AT_ONCE:
                task.check_stop()
                task.progress.note(f"making the state again: looking at {count:,} files")


def _noteworthy(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines but those of the paths at which there is just what one record says."""
    path, held = b"", list[bytes]()
    for line in lines:
        if line.startswith(path) and held:
            held.append(line)
            continue
        if len(held) != 2 or not _agree(*held):
            yield from held
        path, held = line[: line.index(b"\0") + 1], [line]
    if len(held) != 2 or not _agree(*held):
        yield from held


def _agree(file: bytes, record: bytes) -> bool:
    """Whether the first line is of a file, and the second of the one record that says the same of it."""
    _, kind, size, _ = file.split(b"\0", 3)
    _, other, _, recorded, _ = record.split(b"\0", 4)
    return kind == _FILE and other == _RECORD and size == recorded


def _grouped(lines: Iterable[bytes]) -> Iterator[_Group]:
    """Yield (path, the file that is there, what records say of it, each with what is wrong), path by path."""
    for path, group in groupby(lines, key=lambda line: line.partition(b"\0")[0]):
        file: FileStat | None = None
        claims: list[_Claim] = []
        for line in group:
            _, kind, *facts = line.rstrip(b"\n").split(b"\0")
            if kind == _FILE:
                file = FileStat(_path(path), int(facts[0]), float(facts[1]))
            else:
                role, size, digest, content = facts
                claims.append(_Claim(role, int(size), bytes.fromhex(digest.decode()), bytes.fromhex(content.decode())))
        yield _path(path), file, [(claim, _wrong(claim, file)) for claim in claims]


def _wrong(claim: _Claim, file: FileStat | None) -> str:
    """Return what is wrong with the file that a record speaks of, as far as a look at it tells."""
    if file is None:
        return "is not there"
    return "" if claim.size in (-1, file.size) else f"has {file.size:,} bytes instead of {claim.size:,}"


def _hashed(task: RebuildTask, groups: Iterator[_Group]) -> Iterator[_Group]:
    """Read the files of all groups, and say as well where the bytes are others."""
    count = 0
    with ThreadPoolExecutor(_HASHING_THREADS, thread_name_prefix="rehash") as pool:
        while chunk := list(islice(groups, 16 * _HASHING_THREADS)):
            task.check_stop()
            yield from pool.map(lambda group: _with_hash(task, group), chunk)
            count += len(chunk)
            task.progress.note(f"making the state again: {count:,} files hashed")


def _settled(task: RebuildTask, groups: Iterator[_Group]) -> Iterator[_Group]:
    """Read what its size does not tell of: a sidecar, and the file at a path that several records claim.

    A lost file's name may have been given to another one.
    """
    for group in groups:
        is_doubtful = sum(not why for _, why in group[2]) > 1 or any(claim.size < 0 for claim, _ in group[2])
        yield _with_hash(task, group) if is_doubtful else group


def _with_hash(task: RebuildTask, group: _Group) -> _Group:
    path, file, claims = group
    if file is None or all(why for _, why in claims):
        return group
    try:
        with task.destination.read(path) as stream:
            digest = digest_of(stream)
    except (ItemError, OSError) as error:
        return path, file, [(claim, f"cannot be read: {error}") for claim, _ in claims]
    other = "has other bytes than were stored"
    return path, file, [(claim, why or ("" if claim.digest == digest else other)) for claim, why in claims]


def _path_bytes(path: str) -> bytes:
    # surrogatepass: names that are no Unicode are somebody else's, and are told apart as well
    return path.encode("utf-8", "surrogatepass")


def _path(path: bytes) -> str:
    return path.decode("utf-8", "surrogatepass")


def _file(line: bytes) -> FileStat:
    path, size, mtime = line.rstrip(b"\n").split(b"\0")
    return FileStat(_path(path), int(size), float(mtime))
