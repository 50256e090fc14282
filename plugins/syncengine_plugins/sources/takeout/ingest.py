"""Brings the index up to date: reads the parts that are new or changed, forgets those that are gone."""

from __future__ import annotations

import io
import os
import zlib
from array import array
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from syncengine.api import MediaItem
from syncengine_plugins.media import apple
from syncengine_plugins.sources.takeout.damage import PartDamagedError, PartUnreachableError
from syncengine_plugins.sources.takeout.index import Index, PartRow
from syncengine_plugins.sources.takeout.intake import PartIntake, is_media, photos_place
from syncengine_plugins.sources.takeout.members import (
    LARGEST_JSON,
    Listed,
    Member,
    Refused,
    ZipRules,
    decode_name,
    member_end,
    shown,
    stamp_of,
)
from syncengine_plugins.sources.takeout.names import same_format, split_extension
from syncengine_plugins.sources.takeout.parts import (
    PartFile,
    file_fingerprint,
    fingerprint_of,
    is_named_takeout,
    list_directory,
    tells_takeout,
)
from syncengine_plugins.sources.takeout.tgz_stream import TgzReader
from syncengine_plugins.sources.takeout.zip_directory import read_directory
from syncengine_plugins.sources.takeout.zip_stream import ReadAt, checked, zip_chunks

if TYPE_CHECKING:
    from syncengine_plugins.sources.takeout.early_listing import EarlyListing
    from syncengine_plugins.sources.takeout.shelf import Checksums, Shelf

#: Kind of a part that is an archive, yet no Takeout.
FOREIGN = "foreign"
_LARGEST_HALF = 32 << 20
_MOVIES = frozenset({".mov", ".mp4"})
_HALVES = _MOVIES | {".heic", ".heif", ".jpg"}
_ROOM_RATIO, _ROOM_FLOOR = 100, 16 << 30
_PEEK = 200
_FARTHEST = (1 << 63) - 1


def refresh(
    index: Index, parts: tuple[PartFile, ...], shelf: Shelf, tick: Callable[[str], None], early: EarlyListing
) -> Iterator[MediaItem]:
    """Make the index hold what ``parts`` hold, and yield the items that are certain before it does.

    Args:
        index: to bring up to date.
        parts: all that there is.
        shelf: where they lie.
        tick: told which part is being read.
        early: knows what is certain.
    """
    known = {row.name: row for row in index.parts()}
    wanted = {part.name: part for part in parts}
    gone = [row for name, row in known.items() if name not in wanted]
    changed = [part for part in parts if part.name not in known or not _same(part, known[part.name])]
    for row in gone:
        with index.transaction():
            index.drop_part(row.id)
    index.move_parts(
        (part.path, known[part.name].id) for part in parts if part.name in known and part.path != known[part.name].path
    )
    outdated = [known[part.name].id for part in changed if part.name in known]
    _survey(changed, shelf, early, outdated, tick)
    for number, part in enumerate(changed, 1):
        tick(f"reading {part.name} ({number} of {len(changed)} new or changed parts)")
        yield from _read_part(index, part, known[part.name].id if part.name in known else None, shelf, early)


def _survey(
    changed: list[PartFile], shelf: Shelf, early: EarlyListing, outdated: list[int], tick: Callable[[str], None]
) -> None:
    """Let it be known what all parts list, where that is cheap."""
    directories = [directory for part in changed if (directory := shelf.directory(part)) is not None]
    if directories and len(directories) == len(changed):
        tick(f"reading the directories of {len(changed)} new or changed parts")
        early.survey(directories, outdated)


def peek(part: PartFile) -> bool:
    """Return whether a part belongs to a Takeout, by its name or by what is in it; unreadable ones may."""
    if part.kind == "tree" or is_named_takeout(part.name.rpartition("/")[2]):
        return True
    try:
        if part.kind == "zip":
            with open(part.path, "rb") as stream:
                return any(tells_takeout(decode_name(entry.name)) for entry in read_directory(stream))
        with TgzReader(Path(part.path)) as reader:
            members = (listed for listed, _ in zip(reader.members(), range(_PEEK), strict=False))
            return any(tells_takeout(listed.path) for listed in members)
    except (PartDamagedError, OSError):
        return True


def _same(part: PartFile, row: PartRow) -> bool:
    return (part.fingerprint, part.export, False) == (row.fingerprint, row.export, bool(row.again))


def _read_part(index: Index, part: PartFile, old: int | None, shelf: Shelf, early: EarlyListing) -> Iterator[MediaItem]:
    with index.transaction():
        checksums = index.checksums(old) if old is not None and part.kind == "tree" else {}
        if old is not None:
            index.drop_part(old)
        kind = part.kind if shelf.is_takeout(part) else FOREIGN
        part_id = index.add_part((part.name, part.path, kind, part.fingerprint, part.export, part.stamp, ""))
        if kind == FOREIGN:
            return
        early.begin(PartRow(part_id, part.name, part.path, kind, part.fingerprint, part.export, part.stamp, "", False))
        intake, problem, again = PartIntake(index, part, part_id, early), "", False
        try:
            for _ in shelf.read(part, intake, checksums):
                yield from early.ready()
        except PartDamagedError as error:
            problem = str(error)
        except PartUnreachableError as error:
            problem, again = str(error), True
        except OSError as error:
            problem, again = f"it cannot be read ({error.strerror or error})", True
        intake.close(problem, again=again)


# Zip


def read_zip_file(part: PartFile, intake: PartIntake) -> None:
    """Give every member of a zip on disk to ``intake``; raises as ``Shelf.read`` does."""
    with open(part.path, "rb") as stream, open(part.path, "rb", buffering=0) as content:
        length = os.fstat(stream.fileno()).st_size
        intake.read = lambda member: small_zip_member(partial(os.pread, content.fileno()), member)
        for listed in zip_members(stream, length):
            intake.take(listed)
        _refuse_replaced(part, file_fingerprint(os.stat(part.path)))


def zip_members(stream: BinaryIO, length: int) -> Iterator[Listed]:
    """Yield every entry of a zip's directory, judged.

    Args:
        stream: the archive, seekable; only its directory is read.
        length: bytes of the archive.

    Raises:
        PartDamagedError: there is no directory, or it breaks off.
    """
    overlapping = _overlapping(stream)
    rules = ZipRules(length)
    for ordinal, entry in enumerate(read_directory(stream)):
        if ordinal in overlapping:
            yield Refused(shown(decode_name(entry.name)), "it overlaps another member", lost=True)
        else:
            yield rules.judge(entry, ordinal)


def _overlapping(stream: BinaryIO) -> set[int]:
    """Return the ordinals of members that share bytes with others, which is how small archives hold endless ones."""
    offsets, ends = array("Q"), array("Q")
    try:
        for entry in read_directory(stream):
            offsets.append(min(entry.offset, _FARTHEST))
            ends.append(min(member_end(entry.offset, entry.packed), _FARTHEST))
    except PartDamagedError:
        if not offsets:
            raise
    ordered = sorted(range(len(offsets)), key=offsets.__getitem__)
    found = set()
    for before, after in pairwise(ordered):
        if offsets[before] == offsets[after]:
            found.add(after)
        elif ends[before] > offsets[after]:
            found.add(before)
    return found


def small_zip_member(read: ReadAt, member: Member) -> bytes:
    """Return the bytes of a small member; raises ``MemberDamagedError``."""
    chunks = zip_chunks(read, member.offset, member.packed, member.method)
    return b"".join(checked(chunks, member.size, member.crc))


# Tgz


def read_tgz(part: PartFile, intake: PartIntake) -> None:
    """Give every member of a tgz on disk to ``intake``; raises as ``Shelf.read`` does."""
    room = max(_ROOM_FLOOR, _ROOM_RATIO * os.stat(part.path).st_size)
    with TgzReader(Path(part.path)) as reader:
        intake.read = lambda member: b"".join(reader.chunks(member.offset, member.size))
        for listed in reader.members():
            if isinstance(listed, Member) and listed.offset + listed.size > room:
                raise PartDamagedError("it would unpack to more than 100 times its size")
            intake.take(*_measured(reader, listed) if isinstance(listed, Member) else (listed,))
    _refuse_replaced(part, file_fingerprint(os.stat(part.path)))


def _measured(reader: TgzReader, member: Member) -> tuple[Member, str | None]:
    """Read a photo or video in passing: its checksum, and what joins the halves of a Live Photo."""
    place = photos_place(member.path)
    if place is None or place[1].lower().endswith(".json") or not is_media(*place):
        return member, None
    half = member.size <= _LARGEST_HALF and same_format(split_extension(place[1])[1]) in _HALVES
    kept = io.BytesIO()
    crc = 0
    for chunk in reader.chunks(member.offset, member.size):
        crc = zlib.crc32(chunk, crc)
        if half:
            kept.write(chunk)
    return msgspec.structs.replace(member, crc=crc), content_identifier(kept, place[1]) if half else None


def content_identifier(stream: BinaryIO, name: str) -> str:
    """Return Apple's content identifier of a still or movie, and the empty string when it has none."""
    movie = same_format(split_extension(name)[1]) in _MOVIES
    return (apple.movie_content_identifier if movie else apple.still_content_identifier)(stream) or ""


# Unpacked directories


def read_tree(part: PartFile, intake: PartIntake, checksums: Checksums) -> None:
    """Give every file of an unpacked directory to ``intake``; raises as ``Shelf.read`` does."""
    archives = not part.beside_archives
    files = list_directory(part.path, archives=archives)
    intake.read = lambda member: _small_file(part.path, member)
    for ordinal, file in enumerate(files):
        raw = os.fsencode(file.name)
        name = decode_name(raw)
        path = part.inside + name
        if not file.regular:
            intake.take(Refused(shown(path), "it is a link or a device, not a file"))
            continue
        # Media keep the time at which they were taken; what tells the export's time is the JSON.
        stamp = stamp_of(file.mtime_ns / 1e9) if name.lower().endswith(".json") else ""
        intake.take(
            Member(
                path=path,
                raw=raw,
                ordinal=ordinal,
                size=file.size,
                crc=checksums.get((path, file.size, file.mtime_ns)),
                packed=file.size,
                mtime_ns=file.mtime_ns,
                stamp=stamp,
            )
        )
    _refuse_replaced(part, fingerprint_of(list_directory(part.path, archives=archives)))


def _small_file(directory: str, member: Member) -> bytes:
    with open(os.path.join(os.fsencode(directory), member.raw or b""), "rb") as stream:
        return stream.read(LARGEST_JSON + 1)


def _refuse_replaced(part: PartFile, fingerprint: str) -> None:
    if fingerprint != part.fingerprint:
        raise PartDamagedError("it changed while it was being read; the next run reads it again")
