"""What making the state again has found out and the catalog does not say, kept until a run has written it there.

A rebuilding only reads the destination. The next run of its profile brings the papers of files that were found
elsewhere to where these are, and then journals all of it, so that state, catalog and destination agree again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from syncengine.engine import spool
from syncengine.engine.clean_text import encoded_lines
from syncengine.records import ContentRecord, StateBatch


class Amendment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that the catalog does not say; one of the fields is set.

    Args:
        moved: the record of a content as the catalog has it, whose files were found elsewhere.
        document: its metadata file, where that could be found; with ``moved``.
        content: key of a content whose record is another one than the catalog's.
        fingerprint: (method, fingerprint, content).
        album: id of an album.
        back_to: path of a file that a killed run has put into the trash, at ``trashed``, and that goes back there.
        trashed: where it is; with ``back_to``.
        left_over: path of a file that a killed run has left in the library, and that goes to the trash.
    """

    moved: ContentRecord | None = None
    document: bytes = b""
    content: bytes = b""
    fingerprint: tuple[str, bytes, bytes] | None = None
    album: str = ""
    back_to: str = ""
    trashed: str = ""
    left_over: str = ""


class Amendments:
    """The amendments that wait for a run.

    Args:
        path: the file, or ``None`` to keep none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @property
    def are_waiting(self) -> bool:
        """Whether there are any."""
        return self._path is not None and self._path.is_file()

    def add(self, amendments: Sequence[Amendment]) -> None:
        """Keep some, durably. Raises ``OSError`` when the state directory is full."""
        if self._path is None or not amendments:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.open("ab") as stream:
            stream.write(encoded_lines(msgspec.json.Encoder(), amendments))
            spool.sync(stream)

    def add_batch(self, batch: StateBatch) -> None:
        """Keep what a batch says of the destination."""
        self.add(
            [
                *(Amendment(content=record.content) for record in batch.contents),
                *(Amendment(fingerprint=fingerprint) for fingerprint in batch.fingerprints),
                *(Amendment(album=album.id) for album in batch.albums),
            ]
        )

    def pages(self, size: int) -> Iterator[list[Amendment]]:
        """Yield all of them, some at a time; half a line is of a rebuilding that was killed, and begins again."""
        if self._path is None or not self.are_waiting:
            return
        decoder = msgspec.json.Decoder(Amendment)
        with self._path.open("rb") as stream:
            while lines := list(islice(stream, size)):
                yield [decoder.decode(line) for line in lines if line.endswith(b"\n")]

    def clear(self) -> None:
        """Forget them."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
