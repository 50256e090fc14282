"""The files that are there and that nobody recorded, and those among them that only changed their place."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from syncengine.api import Destination, ItemError
from syncengine.engine import listings
from syncengine.engine.metadata_file import metadata_path
from syncengine.engine.verification.findings import Finding, FindingKind
from syncengine.engine.verification.reading import Reader
from syncengine.engine.verification.recorded import RecordedFile, RecordedFiles, SortedPaths, file_of
from syncengine.engine.verification.selection import CATALOGS

METADATA = "metadata"
ALBUMS = "albums"

_OWN = frozenset({listings.CHECKSUMS, listings.DEDUPLICATION})
_LITTER_NAMES = ("Thumbs.db", "ehthumbs.db", "desktop.ini", ".DS_Store", "._*", ".directory", ".nfs*", ".fuse_hidden*")
_LITTER_FOLDERS = frozenset(
    {"@eaDir", "#recycle", "@Recycle", "@Recently-Snapshot", "#snapshot", "lost+found", ".Trashes", ".Spotlight-V100"}
    | {".fseventsd", ".stfolder", ".stversions", "$RECYCLE.BIN", "System Volume Information", ".AppleDouble"}
)


def is_litter(path: str) -> bool:
    """Whether a file is of those that desktops and NAS boxes leave in every folder."""
    *folders, name = path.split("/")
    return not _LITTER_FOLDERS.isdisjoint(folders) or any(fnmatch.fnmatchcase(name, known) for known in _LITTER_NAMES)


class Extras:
    """Looks for files that nobody recorded.

    Args:
        destination: open.
        layout: the profile's ``layout.path``.
        scratch: directory for temporary files.
    """

    def __init__(self, destination: Destination[Any], layout: str, scratch: Path) -> None:
        self._destination = destination
        first, slash, _ = layout.partition("/")
        self._layout_root = None if "{" in first and slash else first if slash else ""
        self._scratch = scratch
        #: What could not be looked at, a sentence each.
        self.notes: list[str] = []

    def find(self, recorded: RecordedFiles, linked: Iterable[str]) -> list[Finding]:
        """Return every file in the library's folders that nobody recorded.

        Args:
            recorded: the files of the state.
            linked: paths below ``albums/`` that belong to an album.
        """
        with ExitStack() as stack:
            known = stack.enter_context(closing(SortedPaths(self._scratch)))
            there = stack.enter_context(closing(SortedPaths(self._scratch)))
            roots = {ALBUMS, METADATA} | ({self._layout_root} if self._layout_root is not None else set())
            for path in linked:
                known.add(path)
            for line in recorded:
                file = file_of(line)
                known.add(file.path)
                if file.role == "stored":
                    known.add(metadata_path(file.path))
                roots.add(file.path.partition("/")[0] if "/" in file.path else "")
            for path, size in self._files(roots):
                there.add(path, str(size))
            return [_extra(path, int(size)) for path, size in there.without(known) if not _is_own(path)]

    def _files(self, roots: set[str]) -> Iterator[tuple[str, int]]:
        """Yield path and size of each file below some first folders; "" stands for files in no folder."""
        for root in sorted(roots):
            try:
                for stat in self._destination.list(root):
                    if root or "/" not in stat.path:
                        yield stat.path, stat.size
            except ItemError as error:
                place = root or "the destination"
                self.notes.append(f"not all of {place} was looked at for files that nobody recorded: {error}")


def _is_own(path: str) -> bool:
    return path in _OWN or (path.startswith(f"{CATALOGS}/") and path.endswith(".jsonl"))


def _extra(path: str, size: int) -> Finding:
    if is_litter(path):
        return Finding(kind=FindingKind.EXTRA, path=path, reason="left by another program", by_others=True)
    return Finding(kind=FindingKind.EXTRA, path=path, reason=f"nobody recorded it ({size:,} bytes)")


def find_renamed(
    missing: Iterable[Finding], extras: Iterable[Finding], destination: Destination[Any], reader: Reader
) -> dict[str, str]:
    """Return where missing files are under another name: path of the missing one -> path of the extra one.

    Only what has the size of a missing file is read.
    """
    wanted: dict[tuple[int | None, bytes], list[RecordedFile]] = {}
    for finding in missing:
        if finding.file is not None:
            wanted.setdefault((finding.file.size, finding.file.sha256), []).append(finding.file)
    sizes = {size for size, _ in wanted}
    found: dict[str, str] = {}
    for extra in extras:
        if extra.by_others or not wanted:
            continue
        try:
            stat = destination.stat(extra.path)
            if stat is None or (stat.size not in sizes and None not in sizes):
                continue
            with destination.read(extra.path) as stream:
                size, digest = reader.digest(stream, stat.size)
        except (ItemError, OSError):
            continue
        files = wanted.get((size, digest)) or wanted.get((None, digest))
        if files:
            found[files.pop().path] = extra.path
    return found
