"""Bytes of files in Drive, by range: taken up again where they were cut, and never those of another revision.

Ranged downloads: https://developers.google.com/workspace/drive/api/guides/manage-downloads. Drive documents no entity
tags; where an answer has one, the next request insists on it (RFC 9110, 13.1.1). Whatever is in doubt is settled by
asking for the file's revision again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from syncengine.api import ItemError, RetryableError, RunContext
from syncengine_plugins.google.answers import LONGEST_WAIT, GoogleAnswerError
from syncengine_plugins.google.call import Call
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.download import Download
from syncengine_plugins.google.limits import DRIVE, DRIVE_DOWNLOAD, ApiLimits
from syncengine_plugins.google.pacing import TokenBucket
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.sources.google_drive_takeout.drive_files import DriveFile
from syncengine_plugins.sources.google_drive_takeout.listing import DriveListing
from syncengine_plugins.sources.takeout.damage import MemberDamagedError

TRIES = 5
_PROGRESS = 1 << 20  # what is worth a fresh set of tries
_MOST_SKIPPED = 1 << 20
_PATIENCE = 1.0
_PIECE = 64 << 10  # what is lost at a cut
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


class UnreachableError(ItemError):
    """Google did not give the bytes, though it was asked several times; a later run may have more luck."""


class StoppingError(RetryableError):
    """The run is asked to end, so nothing more is read."""


class _InDoubtError(Exception):
    """An answer that may be another revision's; the message says why."""


class ByteRanges:
    """Reads ranges of files. May be used from several threads.

    Args:
        session: signed in.
        listing: tells what a file is now.
        clock: for the pauses.
        context: says how many ranges may be read at once, how fast bytes may come, and when the run is to end.
    """

    def __init__(self, session: GoogleSession, listing: DriveListing, clock: Clock, context: RunContext) -> None:
        self._session, self._listing, self._clock = session, listing, clock
        self._tags: dict[str, str] = {}
        self._lost: dict[str, str] = {}
        self._lock = threading.Lock()
        self._bucket: TokenBucket | None = None
        self._stopping = context.stopping
        self._transfers = threading.Semaphore(context.downloads)
        if context.bandwidth:
            limits = ApiLimits(title="bytes", per_second=context.bandwidth, burst=context.bandwidth)
            self._bucket = TokenBucket(limits, clock)

    def read(self, file: DriveFile, start: int, end: int, *, scanning: bool = False) -> Generator[bytes, None, None]:
        """Yield the bytes from ``start`` to ``end`` (not included), all of them.

        Args:
            file: as it was listed.
            start: from 0.
            end: at most the file's length.
            scanning: it is no item that the engine asked for (and holds back itself): keep below the bandwidth, and end
                when the run is to end.

        Raises:
            MemberDamagedError: the file is gone, or holds other bytes by now.
            UnreachableError: the bytes did not come, after several tries.
            FatalError: signed out, out of quota.
            StoppingError: the run is asked to end.
        """
        at, failures = start, 0
        while at < end:
            began = at
            self.require_present(file)
            try:
                for chunk in self._attempt(file, at, end):
                    at += len(chunk)
                    if scanning:
                        self._hold_back(len(chunk))
                    yield chunk
                error = RetryableError(f"{_what(file)}: the answer ended before its time")
            except StoppingError:
                raise
            except RetryableError as cut:
                error = cut
            if at < end:
                failures = 1 if at - began >= _PROGRESS else failures + 1
                if failures >= TRIES:
                    raise UnreachableError(error.reason, advice=error.advice)
                self._pause(error, failures, moved=at > began)

    def _hold_back(self, length: int) -> None:
        if self._stopping():
            raise StoppingError("the run is to end")
        if self._bucket is not None:
            self._bucket.take(length)

    def require_present(self, file: DriveFile) -> None:
        """Raise ``MemberDamagedError`` when a file was found gone or changed before."""
        if file.id in self._lost:
            raise MemberDamagedError(self._lost[file.id])

    def require_unchanged(self, file: DriveFile) -> None:
        """Ask Drive whether a file still has the bytes that were listed.

        Raises:
            MemberDamagedError: it has not, or it is gone.
            RetryableError: Drive does not answer.
        """
        try:
            now = self._listing.file(file.id, f"the state of {file.name}")
        except GoogleAnswerError as error:
            reason = "it was deleted from Google Drive" if error.status == 404 else error.reason
            raise self._now_lost(file, reason) from None
        if now.fingerprint != file.fingerprint:
            raise self._now_lost(
                file, "it was replaced in Google Drive since it was listed; the next run reads it again"
            )

    def lost(self) -> dict[str, str]:
        """Return the files that were found gone or changed, by id, with the reason."""
        return dict(self._lost)

    def _now_lost(self, file: DriveFile, reason: str) -> MemberDamagedError:
        with self._lock:
            self._lost.setdefault(file.id, reason)
        return MemberDamagedError(reason)

    def _pause(self, error: RetryableError, failures: int, *, moved: bool) -> None:
        backoff = 0.0 if moved and failures == 1 else (0.5 + self._clock.jitter()) * 2.0 ** (failures - 1)
        wait = min(max(backoff, error.after or 0.0), LONGEST_WAIT)
        while wait > 0 and not self._stopping():
            self._clock.wait(min(wait, 1.0))
            wait -= 1.0
        if self._stopping():
            raise StoppingError(error.reason)

    def _attempt(self, file: DriveFile, at: int, end: int) -> Iterator[bytes]:
        """Yield what one request brings of a range, from its beginning; ``RetryableError`` when it is cut."""
        try:
            with self._transfer(), self._session.stream(self._call(file, at, end)) as answer:
                yield from self._body(file, answer, at, end)
        except (GoogleAnswerError, _InDoubtError) as error:
            self.require_unchanged(file)
            if isinstance(error, GoogleAnswerError) and error.status == 403:
                # a ban on downloading, or a file that Drive holds to be malware
                raise self._now_lost(file, error.reason) from None
            raise RetryableError(f"{_what(file)}: {error}, though the file is the same") from None

    @contextmanager
    def _transfer(self) -> Iterator[None]:
        """Wait until there is a transfer less than the profile allows."""
        while not self._transfers.acquire(timeout=_PATIENCE):
            if self._stopping():
                raise StoppingError("the run is to end")
        try:
            yield
        finally:
            self._transfers.release()

    def _call(self, file: DriveFile, at: int, end: int) -> Call:
        headers = {"Range": f"bytes={at}-{end - 1}"}
        if tag := self._tags.get(file.id):
            headers["If-Match"] = tag
        return Call(
            what=_what(file), url=f"{self._session.endpoints.drive}/files/{file.id}", api=DRIVE, units=DRIVE_DOWNLOAD,
            params=(("alt", "media"), ("supportsAllDrives", "true")), headers=headers, tries=1,
            allow=frozenset({412, 416}),
        )  # fmt: skip

    def _body(self, file: DriveFile, answer: Download, at: int, end: int) -> Iterator[bytes]:
        if answer.status in (412, 416):
            self._tags.pop(file.id, None)
            raise _InDoubtError("Google does not have the bytes that it listed")
        skip = self._skipped(file, answer, at, end)
        self._check_tag(file, answer)
        left = end - at
        for chunk in answer.chunks(_PIECE):
            piece = chunk[skip:] if skip else chunk
            skip = max(0, skip - len(chunk))
            if piece := piece[:left]:
                left -= len(piece)
                yield piece
            if not left and answer.status == 200:
                return  # the rest of the file is not wanted
        return

    def _skipped(self, file: DriveFile, answer: Download, at: int, end: int) -> int:
        """Return how many bytes at the beginning of an answer are not wanted; check that it is the wanted range."""
        if answer.status == 200:
            if answer.length is not None and answer.length != file.length:
                raise _InDoubtError(f"it has {answer.length} bytes instead of {file.length}")
            if at > _MOST_SKIPPED:
                raise RetryableError(f"{_what(file)}: the server sends the whole file instead of the range asked for")
            return at
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status != 206 or found is None or int(found[1]) != at or int(found[2]) >= end:
            raise RetryableError(f"{_what(file)}: the answer is another range than the one asked for")
        if found[3] not in {"*", str(file.length)}:
            raise _InDoubtError(f"it has {found[3]} bytes instead of {file.length}")
        if answer.length is not None and answer.length > end - at:
            raise RetryableError(f"{_what(file)}: the answer is longer than the range asked for")
        return 0

    def _check_tag(self, file: DriveFile, answer: Download) -> None:
        tag = answer.headers.get("ETag", "")
        if not tag or not tag.isprintable() or len(tag) > 200:
            return
        if self._tags.setdefault(file.id, tag) != tag:
            self.require_unchanged(file)
            self._tags[file.id] = tag


def _what(file: DriveFile) -> str:
    return f"a part of {file.name}"
