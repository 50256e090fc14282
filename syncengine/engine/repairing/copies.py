"""Where the very bytes of a file are still to be had: at the destination itself, or at another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from syncengine.api import Destination
from syncengine.engine.layout import candidate_paths
from syncengine.engine.listings import CHECKSUMS
from syncengine.engine.ports import State
from syncengine.engine.verification.recorded import RecordedFile, files_of
from syncengine.errors import ItemError
from syncengine.records import ContentRecord


class GoodCopy(msgspec.Struct, frozen=True):
    """A place that should hold the bytes of a file; whoever takes them looks at each of them.

    Args:
        sha256: of the bytes.
        destination: that it is at, open.
        path: relative to that destination's root.
        words: where it is, for people.
        is_album: it is a name in an album of the very destination that the file belongs to.
    """

    sha256: bytes
    destination: Destination[Any]
    path: str
    words: str
    is_album: bool = False


def album_copies(
    file: RecordedFile, record: ContentRecord, directories: dict[str, str], destination: Destination[Any]
) -> Iterator[GoodCopy]:
    """Yield the names that a stored file may have in its albums, as far as something is there.

    Args:
        file: is damaged or missing.
        record: of its content.
        directories: of the albums, by id.
        destination: of all of them.
    """
    if file.role != "stored":
        return
    name = file.path.rpartition("/")[2]
    for album in record.albums:
        directory = directories.get(album.id)
        for path in candidate_paths(f"{directory}/{name}", record.content) if directory else ():
            if _is_there(destination, path):
                yield GoodCopy(file.sha256, destination, path, path, is_album=True)


def _is_there(destination: Destination[Any], path: str) -> bool:
    """Whether a file is there; what is behind a link is not."""
    try:
        return destination.stat(path) is not None
    except ItemError:
        return False


def recorded_copies(wanted: set[bytes], state: State, destination: Destination[Any]) -> Iterator[GoodCopy]:
    """Yield the recorded files of a destination that have wanted bytes, in one pass over its state.

    Args:
        wanted: SHA-256 of each file.
        state: bound to the destination.
        destination: open.
    """
    for record in state.all_contents():
        for file in files_of(record):
            if file.sha256 in wanted and file.role != "sidecar":
                yield GoodCopy(file.sha256, destination, file.path, file.path)


def listed_copies(wanted: set[bytes], destination: Destination[Any], place: str) -> Iterator[GoodCopy]:
    """Yield what another destination's own list of checksums names; no state is needed for that.

    Args:
        wanted: SHA-256 of each file.
        destination: open.
        place: where it is, for people.
    """
    digests = {digest.hex().encode(): digest for digest in wanted}
    with suppress(FileNotFoundError), destination.read(CHECKSUMS) as lines:
        for line in lines:
            name, _, path = line.rstrip(b"\n").partition(b"  ")
            if name in digests:
                found = path.decode("utf-8", "replace")
                yield GoodCopy(digests[name], destination, found, f"{found} of {place}")
