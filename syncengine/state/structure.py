"""Looks at the skeleton of a store's file before LMDB does.

LMDB trusts its file: a page that is not what its parent says ends the process with a failed assertion, a page beyond
the end of the file with SIGBUS, and a leaf with fewer entries than it had is a look-up that finds nothing. So every
tree is walked once at the start, branch by branch, and every leaf is looked at from outside. What is inside the
leaves is for the checksums of the records.

The format is LMDB's data format 1 (``mdb.c`` of LMDB 0.9: ``MDB_meta``, ``MDB_db``, ``MDB_page``, ``MDB_node``), on
a 64-bit machine of the file's own byte order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct, error
from typing import NamedTuple

from syncengine.state.failures import RecordDamagedError

_MAGIC, _FORMAT = 0xBEEFC0DE, 1
_META = Struct("=IIQQ")  # magic, version, address, map size
_TREE = Struct("=IHHQQQQQ")  # page size or 0, flags, depth, branch, leaf and overflow pages, entries, root
_META_END = Struct("=QQ")  # last page, transaction
_PAGE = Struct("=QHHHH")  # number, padding, flags, end of pointers, begin of nodes
_NODE = Struct("=HHHH")  # low, high, flags, size of the key
_BRANCH, _LEAF = 1, 2
_KINDS = 0x0F
_SUBTREE = 2
_NO_ROOT = (1 << 64) - 1


class Tree(NamedTuple):
    """A B+ tree, as the page above it describes it."""

    page_size: int
    flags: int
    depth: int
    branch_pages: int
    leaf_pages: int
    overflow_pages: int
    entries: int
    root: int


class Snapshot(NamedTuple):
    """What one of the two meta pages says."""

    transaction: int
    last_page: int
    trees: tuple[Tree, Tree]


def snapshots(file: Path, page_size: int) -> list[Snapshot]:
    """Return what the meta pages say; empty for a file in another format, which is LMDB's to judge."""
    with file.open("rb") as stream:
        head = stream.read(2 * page_size)
    found = []
    for page in (0, page_size):
        begin = page + _PAGE.size
        if len(head) < page + page_size or _META.unpack_from(head, begin)[:2] != (_MAGIC, _FORMAT):
            return []
        trees = begin + _META.size
        last_page, transaction = _META_END.unpack_from(head, trees + 2 * _TREE.size)
        free, main = (Tree._make(_TREE.unpack_from(head, trees + part * _TREE.size)) for part in (0, 1))
        found.append(Snapshot(transaction, last_page, (free, main)))
    return found


def check_structure(file: Path, snapshot: Snapshot, page_size: int) -> None:
    """Walk every tree of a snapshot.

    Args:
        file: ``data.mdb``.
        snapshot: which must stay readable meanwhile: a read transaction of that number is open.
        page_size: bytes.

    Raises:
        RecordDamagedError: a page is missing or is not what it should be.
    """
    descriptor = os.open(file, os.O_RDONLY)
    try:
        needed, size = (snapshot.last_page + 1) * page_size, os.fstat(descriptor).st_size
        if size < needed:
            raise RecordDamagedError(f"{file.name} has {size} bytes of {needed}")
        # leaves lie scattered over the file: reading it once in its own order is quicker on a slow disk
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
        pages = _Pages(descriptor, page_size, snapshot.last_page)
        free, main = snapshot.trees
        pages.check_tree(free)
        for subtree in pages.check_tree(main, with_subtrees=True):
            pages.check_tree(subtree)
    finally:
        os.close(descriptor)


class _Pages:
    """The pages of one snapshot.

    Args:
        descriptor: of the file.
        size: of a page, in bytes.
        last: number of the last page.
    """

    def __init__(self, descriptor: int, size: int, last: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._last = last

    def check_tree(self, tree: Tree, *, with_subtrees: bool = False) -> list[Tree]:
        """Check one tree and return the trees that its leaves describe, if they are asked for."""
        if tree.root == _NO_ROOT:
            if tree.entries:
                raise RecordDamagedError("a table has lost its pages")
            return []
        level = [tree.root]
        for _ in range(tree.depth - 1):
            level = [child for number in level for child in self._children(number)]
        keys = self._keys(level, _LEAF)
        if keys != tree.entries or len(level) != tree.leaf_pages:
            raise RecordDamagedError(f"a table has {keys} entries of {tree.entries}")
        return [subtree for number in level for subtree in self._subtrees(number)] if with_subtrees else []

    def _keys(self, numbers: Iterable[int], kind: int) -> int:
        """Return how many keys some pages have together, after a look at the header of each."""
        descriptor, size, last = self._descriptor, self._size, self._last
        begin, pread, unpack = _PAGE.size, os.pread, _PAGE.unpack
        pointers = 0
        for number in numbers:  # a store has thousands of leaves, so this loop is most of what opening it takes
            if number > last:
                raise RecordDamagedError(f"page {number} does not exist")
            found, _, flags, lower, upper = unpack(pread(descriptor, begin, number * size))
            if found != number or flags & _KINDS != kind or not begin < lower <= upper <= size:
                raise RecordDamagedError(f"page {number} is not what it should be")
            pointers += lower - begin
        return pointers // 2

    def _nodes(self, number: int, kind: int) -> Iterator[tuple[bytes, int]]:
        """Yield the page and the place of each of its nodes."""
        keys = self._keys((number,), kind)
        page = os.pread(self._descriptor, self._size, number * self._size)
        for place in Struct(f"={keys}H").unpack_from(page, _PAGE.size):
            yield page, place

    def _children(self, number: int) -> list[int]:
        try:
            parts = [_NODE.unpack_from(page, place) for page, place in self._nodes(number, _BRANCH)]
        except error:
            raise RecordDamagedError(f"page {number} is not what it should be") from None
        return [low | high << 16 | top << 32 for low, high, top, _ in parts]

    def _subtrees(self, number: int) -> Iterator[Tree]:
        try:
            for page, place in self._nodes(number, _LEAF):
                _, _, flags, key_size = _NODE.unpack_from(page, place)
                if flags & _SUBTREE:
                    yield Tree._make(_TREE.unpack_from(page, place + _NODE.size + key_size))
        except error:
            raise RecordDamagedError(f"page {number} is not what it should be") from None
