"""One open LMDB environment, read by any thread and written by its own.

LMDB's rules that this module keeps: a process forked off must not use what its parent opened; two write transactions
in one thread lock each other up; a full map spoils its transaction; nobody may read while the map is moved; a writable
map kills the process when the disk is full, so it is never used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Condition
from typing import Any, TypeVar

import lmdb

from syncengine.errors import FatalError
from syncengine.state.failures import not_ours, translated
from syncengine.state.format import MIGRATIONS, TABLES, Migration, prepare, version_of
from syncengine.state.map_pages import pages_given_back
from syncengine.state.structure import check_structure, snapshots

T = TypeVar("T")

#: Address space, not disk: the file is sparse. Far more than a library needs, and small enough for a container.
MAP_SIZE = 64 << 30 if sys.maxsize > 1 << 32 else 512 << 20
_SMALLEST_MAP = 64 << 20
_READERS = 126
_LOOK_AFTER = 500
_MOST_MAPPED = 32 << 20
_MEMORY = Path("/proc/self/statm")  # proc_pid_statm(5): the third number is resident pages of files


class Environment:
    """An open store. Reads happen in the caller's thread, writes in the environment's own.

    Args:
        directory: holds ``data.mdb`` and ``lock.mdb``; made when it is missing.
        map_size: bytes of address space to begin with; grows when the store does.
        migrations: the steps of the format from version 1 on.
    """

    def __init__(
        self, directory: Path, map_size: int = MAP_SIZE, migrations: tuple[Migration, ...] = MIGRATIONS
    ) -> None:
        self.directory = directory
        self.users = 1
        self._process = os.getpid()
        self._readers = 0
        self._resizing = False
        self._touched = 0
        self._mapped_before = mapped_memory()
        self._turn = Condition()
        with translated(directory):
            directory.mkdir(mode=0o700, exist_ok=True)
            self._env = _open(directory, map_size)
            try:
                self._env.reader_check()
                self._check_structure()
                self._copy_before(migrations)
                self.tables = self._open_tables(migrations)
            except BaseException:
                self._env.close()
                raise
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state-writer")

    @contextmanager
    def read(self, entries: int = 1) -> Iterator[lmdb.Transaction]:
        """Lend a read transaction. Keep it short and copy out: it stops LMDB from using old pages again.

        Args:
            entries: about so many will be read; tells when to look at how much memory the map has come to.
        """
        self.check_process()
        try:
            with self._in_place(), translated(self.directory), self._begin_read() as txn:
                yield txn
        finally:
            with self._turn:
                self._touched += entries
            if self._map_is_large():
                self._writer.submit(self._map_again)

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        """Keep the map where it is."""
        with self._turn:
            while self._resizing:
                self._turn.wait()
            self._readers += 1
        try:
            yield
        finally:
            with self._turn:
                self._readers -= 1
                if not self._readers:
                    self._turn.notify_all()

    def sparingly(self) -> AbstractContextManager[None]:
        """Keep what is read of the store from adding up in memory, while something goes through all of it."""
        return pages_given_back(self.directory / "data.mdb", self._in_place)

    def write(self, job: Callable[[lmdb.Transaction], T]) -> T:
        """Run ``job`` in a write transaction and return its result once it is durable.

        Args:
            job: may be called again from the beginning, when the map had to grow.

        Raises:
            FatalError: the disk is full or failing, or the store is damaged; nothing of the job was kept.
        """
        self.check_process()
        return self._writer.submit(self._write, job).result()

    def copy(self, target: Path) -> None:
        """Write a compact copy of the store as one file that others never see half.

        Args:
            target: its directory is made when it is missing; an existing file is replaced.

        Raises:
            FatalError: it cannot be written.
        """
        with self.sparingly(), self.read(), translated(target.parent):
            _copy(self._env, target)

    def check_process(self) -> None:
        """Raise ``FatalError`` in a process that was forked off the one that opened the store."""
        if os.getpid() != self._process:
            raise FatalError(
                f"the state in {self.directory} was opened by another process",
                advice="this is an error in syncengine or a plugin: please report it",
            )

    def close(self) -> None:
        """Finish what is being written and let go of the files."""
        self._writer.shutdown()
        self._env.close()

    @property
    def map_size(self) -> int:
        """Bytes of address space that the store may use before it has to grow."""
        return int(self._env.info()["map_size"])

    def _write(self, job: Callable[[lmdb.Transaction], T]) -> T:
        with translated(self.directory):
            while True:
                try:
                    with self._env.begin(write=True) as txn:
                        result = job(txn)
                    break
                except lmdb.MapFullError:
                    self._resize(2 * self.map_size)
                except lmdb.MapResizedError:
                    self._resize(0)
            self._touched = _LOOK_AFTER
            if self._map_is_large():
                self._map_again()
            return result

    def _begin_read(self) -> lmdb.Transaction:
        while True:
            try:
                return self._env.begin()
            except lmdb.MapResizedError:
                self._step_aside_for_resize()

    def _step_aside_for_resize(self) -> None:
        with self._turn:
            self._readers -= 1
            self._turn.notify_all()
        try:
            self._writer.submit(self._resize, 0).result()
        finally:
            with self._turn:
                self._readers += 1

    def _resize(self, size: int) -> None:
        """Give the map a new size while nobody reads; 0 takes over the size that another process gave it."""
        with self._turn:
            self._resizing = True
            while self._readers:
                self._turn.wait()
            try:
                self._env.set_mapsize(size)
            finally:
                self._resizing = False
                self._turn.notify_all()

    def _map_is_large(self) -> bool:
        """Return whether so many pages were read that they should be given back; asked now and then only."""
        if self._touched < _LOOK_AFTER:
            return False
        self._touched = 0
        mapped = mapped_memory()
        if mapped <= self._mapped_before + _MOST_MAPPED:
            return False
        self._mapped_before = mapped
        return True

    def _map_again(self) -> None:
        """Give what was read back to the system, which counts it as this process's memory until then."""
        with translated(self.directory):
            self._resize(self.map_size)
        self._mapped_before = mapped_memory()

    def _check_structure(self) -> None:
        file, page_size = self.directory / "data.mdb", self._env.stat()["psize"]
        while True:
            with self._env.begin() as txn:
                metas = snapshots(file, page_size)
                for snapshot in metas:
                    if snapshot.transaction == txn.id():
                        check_structure(file, snapshot, page_size)
                        return
            if not metas:
                return
            # another process has committed twice in between: look again

    def _copy_before(self, migrations: tuple[Migration, ...]) -> None:
        """Keep a copy of a store whose format is older, before it is changed."""
        with self._env.begin() as txn:
            names = {bytes(name) for name in txn.cursor().iternext(values=False)}
        if not names:
            return
        if b"meta" not in names:
            raise not_ours(self.directory)
        meta = {"meta": self._env.open_db(b"meta")}
        with self._env.begin() as txn:
            version = version_of(txn, meta)
        if version is not None and version <= len(migrations):
            _copy(self._env, self.directory.parent / "copies" / f"state-version-{version}.mdb")

    def _open_tables(self, migrations: tuple[Migration, ...]) -> dict[str, Any]:
        with self._env.begin(write=True) as txn:
            meta = {"meta": self._env.open_db(b"meta", txn=txn)}
            tables = {name: self._env.open_db(name.encode(), txn=txn) for name in TABLES}
            prepare(txn, meta | tables, self.directory, migrations)
        return tables


def mapped_memory() -> int:
    """Return how many bytes of files are in this process's memory; 0 where the system does not say."""
    try:
        return int(_MEMORY.read_text(encoding="ascii").split()[2]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 0


def _open(directory: Path, map_size: int) -> lmdb.Environment:
    options: dict[str, Any] = {"max_dbs": 2 * len(TABLES), "max_readers": _READERS, "mode": 0o600}
    while True:
        try:
            return _open_engine(directory, {**options, "map_size": map_size})
        except lmdb.MemoryError:
            if map_size <= _SMALLEST_MAP:
                raise
            map_size //= 4  # a container may allow little address space


def _copy(env: lmdb.Environment, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    half = target.with_name(f".{target.name}.half")
    try:
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            env.copyfd(descriptor, compact=True)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def _open_engine(directory: Path, options: dict[str, Any]) -> lmdb.Environment:
    try:
        # py-lmdb 3 has two engines whose files do not understand each other; 0 is the one that older releases have.
        return lmdb.open(str(directory), lib_version=0, **options)  # pylint: disable=unspecified-encoding  # no file
    except TypeError:
        return lmdb.open(str(directory), **options)  # pylint: disable=unspecified-encoding  # no file
