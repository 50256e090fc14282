"""A destination in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Annotated, BinaryIO, ClassVar, Literal

from syncengine.api import (
    Capabilities,
    Destination,
    FatalError,
    FileStat,
    ItemError,
    Meta,
    PluginOptions,
    TargetExistsError,
    Upload,
)
from syncengine.testing.memory.storage import Entry, MemoryStorage, StoredFile, StoredLink, check_path


class MemoryDestinationOptions(PluginOptions, frozen=True):
    """Options of ``memory``: what this destination can do."""

    hardlinks: bool = True
    symlinks: bool = True
    case_sensitive: bool = True
    capacity: Annotated[Annotated[int, Meta(ge=0)] | None, Meta(description="Bytes until it is full.")] = None


class MemoryDestination(Destination[MemoryDestinationOptions]):
    """Keeps files in a ``MemoryStorage``; has no staging, so ``place`` copies.

    Args:
        options: what it can do.
        storage: where they are kept; ``shared`` of the class, or one of its own, when ``None``.
    """

    Options = MemoryDestinationOptions
    #: Set by a subclass whose instances share one storage.
    shared: ClassVar[MemoryStorage | None] = None

    def __init__(self, options: MemoryDestinationOptions, storage: MemoryStorage | None = None) -> None:
        super().__init__(options)
        self.storage = storage or self.shared or MemoryStorage()

    def open(self, *, create: bool = True) -> None:
        """Make the storage exist."""
        with self.storage.lock:
            if not (create or self.storage.exists):
                raise FatalError("the memory destination does not exist", advice="open it with create")
            self.storage.exists = True

    @property
    def identity(self) -> str:
        """The storage's id."""
        return self.storage.id

    @property
    def location(self) -> str:
        """Memory."""
        return f"memory:{self.storage.id}"

    @property
    def capabilities(self) -> Capabilities:
        """What the options say."""
        return Capabilities(
            hardlinks=self.options.hardlinks,
            symlinks=self.options.symlinks,
            case_sensitive=self.options.case_sensitive,
        )

    def begin(self, path: str) -> Upload:
        """Start a file."""
        return _MemoryUpload(self, check_path(path))

    def put(self, path: str, entry: Entry, *, replace: bool) -> None:
        """Give ``entry`` its name. Raises ``TargetExistsError``, ``ItemError``."""
        with self.storage.lock:
            found = self._same_name(path)
            if (found is not None and not replace) or self.storage.is_directory(path):
                raise TargetExistsError(path)
            if found is not None and found != path:
                self.storage.unname(found)
            self.storage.name(path, entry)

    def _same_name(self, path: str) -> str | None:
        if self.options.case_sensitive:
            return path if path in self.storage.entries else None
        wanted = path.casefold()
        return next((name for name in self.storage.entries if name.casefold() == wanted), None)

    def check_room(self, wanted: int) -> None:
        """Raise ``FatalError`` when so many more bytes do not fit."""
        space = self.free_space()
        if space is not None and wanted > space:
            raise FatalError("the memory destination is full", advice="give it more capacity")

    def flush(self) -> None:
        """Make everything survive ``MemoryStorage.power_cut``."""
        self.storage.flush()

    def stat(self, path: str) -> FileStat | None:
        """Return the regular file at ``path``, or ``None``."""
        with self.storage.lock:
            name = self._same_name(check_path(path))
            file = self.storage.file(name) if name is not None else None
            return None if file is None else FileStat(path, len(file.content), file.mtime)

    def list(self, prefix: str) -> Iterator[FileStat]:
        """Yield the files below ``prefix``."""
        below = f"{check_path(prefix)}/" if prefix else ""
        with self.storage.lock:
            names = sorted((name for name in self.storage.entries if name.startswith(below)), key=_in_tree_order)
        for name in names:
            with self.storage.lock:
                file = self.storage.file(name)
                found = None if file is None else FileStat(name, len(file.content), file.mtime)
            if found is not None:
                yield found

    def read(self, path: str) -> BinaryIO:
        """Open a file."""
        with self.storage.lock:
            name = self._same_name(check_path(path))
            file = self.storage.file(name) if name is not None else None
        if file is None:
            raise FileNotFoundError(path)
        return io.BytesIO(file.content)

    def link(self, existing: str, path: str, *, kind: Literal["hardlink", "symlink"]) -> None:
        """Make a link; ``ItemError`` when the options say that there are none."""
        check_path(existing)
        check_path(path)
        if not (self.options.hardlinks if kind == "hardlink" else self.options.symlinks):
            raise ItemError(f"the memory destination has no {kind}s")
        with self.storage.lock:
            file = self.storage.file(existing)
            if file is None:
                raise ItemError(f"{existing} is not there to be linked to")
            entry: Entry = file if kind == "hardlink" else StoredLink(existing)
            if self.storage.entries.get(path) != entry:
                self.put(path, entry, replace=False)

    def link_target(self, path: str) -> str | None:
        """Return where a link leads."""
        check_path(path)
        with self.storage.lock:
            entry = self.storage.entries.get(path)
            return entry.target if isinstance(entry, StoredLink) else None

    def move(self, path: str, to: str) -> None:
        """Rename a file or link."""
        with self.storage.lock:
            entry = self.storage.entries.get(check_path(path))
            if entry is None:
                raise FileNotFoundError(path)
            self.put(check_path(to), entry, replace=False)
            self.storage.unname(path)

    def set_mtime(self, path: str, mtime: float) -> None:
        """Give a file another time where it lies."""
        with self.storage.lock:
            name = self._same_name(check_path(path))
            file = self.storage.file(name) if name is not None else None
            if file is None:
                raise FileNotFoundError(path)
            file.mtime = mtime

    def remove(self, path: str) -> None:
        """Remove a file or link."""
        with self.storage.lock:
            if not self.storage.unname(check_path(path)):
                raise FileNotFoundError(path)

    def free_space(self) -> int | None:
        """Return what is left of ``capacity``."""
        with self.storage.lock:
            return None if self.options.capacity is None else max(self.options.capacity - self.storage.used(), 0)


class _MemoryUpload(Upload):
    def __init__(self, destination: MemoryDestination, path: str) -> None:
        self._destination = destination
        self._path = path
        self._content: bytearray | None = bytearray()

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        content = self._content
        if content is None:
            raise ItemError(f"{self._path} is finished already")
        size = memoryview(data).nbytes
        self._destination.check_room(len(content) + size)
        content += data
        return size

    def commit(self, *, mtime: float | None = None, replace: bool = False) -> None:
        content, self._content = self._content, None
        if content is None:
            raise ItemError(f"{self._path} is finished already")
        self._destination.put(self._path, StoredFile(bytes(content), mtime or 0.0), replace=replace)

    def abort(self) -> None:
        self._content = None


def _in_tree_order(path: str) -> list[str]:
    return path.split("/")
