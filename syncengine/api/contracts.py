"""What a plugin of each kind promises. Each promise is tested by the suites in ``syncengine.testing``.

A plugin raises ``ItemError`` for what concerns one item, ``RetryableError`` for what may pass, ``FatalError`` for
what ends the run, and lets nothing else out on purpose. Anything else that escapes is caught at the item's border,
logged with its traceback, and fails that item alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, ClassVar, Generic, Literal, Protocol, Self, TypeVar

import msgspec

from syncengine.api.credentials import CredentialStore
from syncengine.api.options import PluginOptions
from syncengine.api.quotas import CounterStore
from syncengine.api.selection import Selection
from syncengine.model import Album, Asset, Inventory, MediaItem

OptionsT = TypeVar("OptionsT", bound=PluginOptions)

_COPY_CHUNK = 1 << 20


class Plugin(Generic[OptionsT]):
    """What all kinds share: a class with an ``Options`` Struct, made with an instance of it.

    Args:
        options: already validated and converted.
    """

    #: The options' Struct; its docstring and field descriptions are what ``syncengine plugins`` shows.
    Options: ClassVar[type[PluginOptions]] = PluginOptions

    def __init__(self, options: OptionsT) -> None:
        self.options = options


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine lends to a source for one run.

    Args:
        cache: a directory that the source may fill and that survives runs; losing it costs time only.
        scratch: a directory for this run alone.
        zone: the profile's time zone, for what knows none.
        profile: the profile's name.
        bandwidth: bytes per second that the profile allows, or ``None``.
        downloads: transfers at once that the profile allows, whatever they bring; the engine keeps its own calls of
            ``fetch`` below it, and a source that reads ahead counts those in.
        tick: may be called at any time with a short sentence on what a long step is doing.
        say: shows the person a text that must not be missed, once, whatever the output is; never on stdout.
        stopping: whether the run is asked to end; a source that waits for something looks at it every second or so, and
            ends its ``scan`` early.
        credentials: the profile's secrets, for a source that needs a sign-in.
        counters: numbers that survive runs, for a source that keeps a service's daily limits.
    """

    cache: Path
    scratch: Path
    zone: tzinfo = UTC
    profile: str = ""
    bandwidth: int | None = None
    downloads: int = 5
    tick: Callable[[str], None] = lambda text: None
    say: Callable[[str], None] = lambda text: None
    stopping: Callable[[], bool] = lambda: False
    credentials: CredentialStore | None = None
    counters: CounterStore | None = None


class Sink(Protocol):
    """Where a source writes an item's bytes; the engine hashes and counts them on the way."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append ``data`` (chunks of about 1 MiB serve best) and return its length."""
        ...


class ItemReader(Protocol):
    """Reads a source's items in another process, so it must be picklable; each process has its own copy."""

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """See ``Source.fetch``; whatever this raises, the source itself is asked again for the item."""
        ...

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """See ``Source.describe``; there always is a file at ``path``."""
        ...


class Source(Plugin[OptionsT], ABC):
    """Lists a library and hands out its bytes.

    Life: ``open``, then ``albums`` and ``scan`` any number of times, ``fetch`` and ``describe`` from several threads
    at once (also while a scan is under way), then ``close``.
    """

    #: Fetching reads a local disk, so more transfers at once than there are processors only get in each other's way.
    reads_local_disk: ClassVar[bool] = False

    def open(self, context: RunContext) -> None:
        """Get ready. Raises ``FatalError`` when the library cannot be reached at all."""
        self.context = context

    def close(self) -> None:
        """Let go of everything that ``open`` took; may be called twice, and without ``open``."""

    @abstractmethod
    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Yield every item of the library, each id once, in an order that is stable between runs.

        Memory does not grow with the library. ``select`` may be used to list less work (never to hide an item: what
        the selection filters is still listed, or the account could not add up) and to know that capture times are
        wanted now (``select.needs_time``). Only a source whose service limits how much it may be asked can have the
        service filter; its ``inventory`` is then ``partial`` and warns of it, since such a listing tells nothing about
        what left the library. Raises ``FatalError`` when listing cannot go on.
        """

    @abstractmethod
    def inventory(self) -> Inventory:
        """Return the totals and whether they are complete; asked after a scan was read to its end."""

    @abstractmethod
    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write all bytes of ``item`` into ``into``.

        Raises ``ItemError`` (bytes damaged: checksum, length), ``RetryableError``, ``FatalError``. After an error
        what was written is thrown away by the caller.
        """

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """Return ``item`` completed with what its fetched bytes at ``path`` say (capture time, place, camera).

        What the source itself knows wins. Never raises for a file that it cannot understand: it returns less. When
        only the metadata changed nothing is fetched, and there is no file at ``path``: a source whose ``scan`` leaves
        metadata out then looks for itself, and others return ``item`` as it is.
        """
        del path
        return item

    def reader(self) -> ItemReader | None:
        """Return what reads items in other processes as this source does here, or ``None`` where only it can.

        Asked once, when the first items of a scan are to be read. Worth having where the library lies on a local disk:
        hashing and describing then use every core. Items are sent with their ``locator``, which must be picklable then.
        """
        return None

    @property
    def lets_go(self) -> bool:
        """Whether ``release_verified`` may do something, by the options; asked before ``open``."""
        return False

    def release_verified(self, run_started: datetime) -> list[str]:
        """Let go of what is not needed any more, where the options ask for it.

        Called on an open source after everything that the last run has listed was stored, and everything at the
        destination was read back and is intact. What was not listed by that very run stays.

        Args:
            run_started: when that run began, aware.

        Returns:
            What was let go of, a sentence each; the default lets go of nothing.
        """
        del run_started
        return []

    @abstractmethod
    def albums(self) -> Iterator[Album]:
        """Yield every album, each id once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Transform(Plugin[OptionsT], ABC):
    """Turns one file into another. Runs in a worker process, so it must be picklable (class and options are)."""

    @abstractmethod
    def accepts(self, asset: Asset) -> bool:
        """Return whether ``apply`` has something to do; looks at the name or at a few bytes, quickly."""

    @abstractmethod
    def apply(self, asset: Asset, workdir: Path) -> Asset:
        """Return the transformed asset; its file is new, in ``workdir``, and whole.

        The asset's own file stays untouched. ``name``, ``path``, ``applied`` are set; ``size`` and ``sha256`` are left
        to the engine. The same input and options give the same bytes. Raises ``ItemError`` when the file cannot be
        read; the engine then stores the original untouched and reports the item as failed.
        """


class Match(msgspec.Struct, frozen=True):
    """A deduplicator's finding.

    Args:
        content: key of the content that was there first.
        distance: 0 for the same, more for less alike; what it counts is the method's own.
        skip: the newcomer is not to be stored.
    """

    content: bytes
    distance: int = 0
    skip: bool = True


class FingerprintIndex(Protocol):
    """The fingerprints of one method at one destination, as the state remembers them."""

    def get(self, fingerprint: bytes) -> bytes | None:
        """Return the content that has exactly this fingerprint."""
        ...

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every (fingerprint, content)."""
        ...


class Deduplicator(Plugin[OptionsT], ABC):
    """Recognises what is already there.

    ``fingerprint`` may run in a worker process (``decodes`` says so) and is a function of the bytes alone.
    ``match`` and ``add`` run on the coordinator, quickly and in memory.
    """

    #: ``fetched``: over the source's bytes, before transforms. ``final``: over the file as it would be stored.
    stage: ClassVar[Literal["fetched", "final"]] = "fetched"
    #: ``fingerprint`` decodes an image, so it belongs into a worker process with a time and a memory limit.
    decodes: ClassVar[bool] = False

    @property
    @abstractmethod
    def method(self) -> str:
        """Algorithm and version, such as ``phash-1``; fingerprints of another method are never compared."""

    @abstractmethod
    def fingerprint(self, asset: Asset) -> bytes | None:
        """Return the fingerprint, at most 64 bytes, or ``None`` for a file that the method does not cover."""

    def load(self, index: FingerprintIndex) -> None:
        """Take what the state remembers; called once before the first ``match``."""
        self.index = index

    @abstractmethod
    def match(self, fingerprint: bytes) -> Match | None:
        """Return what is already there, the nearest first, or ``None``."""

    def add(self, fingerprint: bytes, content: bytes) -> None:
        """Remember a content that is being stored in this run, so that the next item finds it."""
        del fingerprint, content


class FileStat(msgspec.Struct, frozen=True):
    """A file at the destination: path relative to the root with ``/``, bytes, seconds since the epoch."""

    path: str
    size: int
    mtime: float


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination can do, found out by trying, not by guessing.

    Args:
        hardlinks: two names for one file.
        symlinks: relative links.
        rename: a finished file takes its final name in one step.
        case_sensitive: ``a.jpg`` and ``A.jpg`` can stand side by side.
    """

    hardlinks: bool = False
    symlinks: bool = False
    rename: bool = True
    case_sensitive: bool = True


class TargetExistsError(Exception):
    """A file is already there under the wanted name; nothing was changed.

    Args:
        path: relative to the destination's root.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} already exists")


class Upload(ABC):
    """A file on its way: invisible under its final name until ``commit``."""

    @abstractmethod
    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append ``data`` and return its length. Raises ``FatalError`` when the destination is full or gone."""

    @abstractmethod
    def commit(self, *, mtime: float | None = None, replace: bool = False) -> None:
        """Give the file its final name, whole, in one step.

        Args:
            mtime: seconds since the epoch.
            replace: take the place of a file of that name (only the engine's own files are written so).

        Raises:
            TargetExistsError: a file of that name is there and ``replace`` is false; the upload is aborted.
            FatalError: the destination is full, read-only or gone; the upload is aborted.
        """

    @abstractmethod
    def abort(self) -> None:
        """Leave nothing behind; may be called twice and after ``commit``, where it does nothing."""


class Destination(Plugin[OptionsT], ABC):
    """Where the library is kept. Paths are relative to its root, ``/``-separated, NFC, already made safe.

    A path that would leave the root (``..``, absolute, through a symlink that was planted inside) is refused with
    ``ItemError``, whoever asks. All methods but ``open`` and ``close`` may be called from several threads.
    """

    @abstractmethod
    def open(self, *, create: bool = True) -> None:
        """Check that the destination is there, writable and of a known format version; make its skeleton.

        Args:
            create: make the root when it is missing and its parent is there.

        Raises:
            FatalError: missing, read-only, not a directory, of a newer format; with what to do.
        """

    def close(self) -> None:
        """Remove this run's temporary files and let go; may be called twice, and without ``open``."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """A name that stays the same when the destination is mounted elsewhere; known after ``open``."""

    @property
    @abstractmethod
    def location(self) -> str:
        """Where it is, for people."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What it can do; known after ``open``."""

    def staging(self) -> Path | None:
        """Return a local directory from which ``place`` is a rename, or ``None`` when there is none."""
        return None

    @abstractmethod
    def begin(self, path: str) -> Upload:
        """Start a file. Raises ``ItemError`` for a path that leaves the root, ``FatalError`` when it cannot write."""

    def place(self, staged: Path, path: str, *, mtime: float | None = None, replace: bool = False) -> None:
        """Give a finished local file its place, and consume it.

        Args:
            staged: a local file, flushed if it came from ``staging()``.
            path: its final name.
            mtime: seconds since the epoch.
            replace: as in ``Upload.commit``.

        Raises:
            TargetExistsError: a file is there already; ``staged`` is kept.
        """
        upload = self.begin(path)
        try:
            with staged.open("rb") as stream:
                while chunk := stream.read(_COPY_CHUNK):
                    upload.write(chunk)
            upload.commit(mtime=mtime, replace=replace)
        finally:
            upload.abort()
        staged.unlink()

    @abstractmethod
    def flush(self) -> None:
        """Return when everything written, staged and placed so far survives a power cut."""

    @abstractmethod
    def stat(self, path: str) -> FileStat | None:
        """Return what is at ``path`` (a regular file, no link), or ``None``."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[FileStat]:
        """Yield every regular file below the directory ``prefix``, sorted within each directory."""

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Return those of ``paths`` at which there is no file."""
        return {path for path in paths if self.stat(path) is None}

    @abstractmethod
    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ``FileNotFoundError``."""

    @abstractmethod
    def link(self, existing: str, path: str, *, kind: Literal["hardlink", "symlink"]) -> None:
        """Make ``path`` another name of ``existing``. Raises ``TargetExistsError`` when something else is there;
        does nothing when the very link is there."""

    def link_target(self, path: str) -> str | None:
        """Return where the symbolic link at ``path`` leads, without following it.

        Returns:
            A path relative to the root; empty for a link that leads out of it. ``None`` when there is no link, and
            always where there are none.
        """
        del path
        return None

    @abstractmethod
    def move(self, path: str, to: str) -> None:
        """Rename within the destination. Raises ``TargetExistsError``, ``FileNotFoundError``."""

    def set_mtime(self, path: str, mtime: float) -> None:
        """Give a file another modification time, in seconds since the epoch. Raises ``FileNotFoundError``.

        Where a destination cannot do that in place, this writes the file again and lets it take its own place.
        """
        upload = self.begin(path)
        try:
            with self.read(path) as stream:
                while chunk := stream.read(_COPY_CHUNK):
                    upload.write(chunk)
            upload.commit(mtime=mtime, replace=True)
        finally:
            upload.abort()

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove one file. Raises ``FileNotFoundError``."""

    def prune(self, path: str) -> None:
        """Remove the directories above ``path`` that are empty now, never the root or its first level.

        Does nothing where there are no directories of their own. A file that is placed there later makes them again.
        """
        del path

    @abstractmethod
    def free_space(self) -> int | None:
        """Return the bytes that can still be written, or ``None`` when nobody knows."""
