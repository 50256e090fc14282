"""Finds the parts of Takeout exports in a folder: archives, unpacked directories, downloads that are not finished."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from syncengine_plugins.sources.takeout.folders import FolderRole, classify, logical_path
from syncengine_plugins.sources.takeout.members import printable, shown

PartKind = Literal["zip", "tgz", "tree"]

# Old and new form (since autumn 2025), with the " (1)" of a browser that saved it twice.
_STAMPED = re.compile(
    r"takeout-(?P<stamp>\d{8}T\d{6,7}Z)(?:-(?P<batch>\d+))?-(?P<number>\d{3,})(?: ?\(\d+\))?(?P<rest>\..*)?", re.I
)
_STAMP = re.compile(r"takeout-(\d{8}T\d{6,7}Z)", re.I)
_ARCHIVES: tuple[tuple[str, PartKind], ...] = ((".zip", "zip"), (".tgz", "tgz"), (".tar.gz", "tgz"))
_UNFINISHED = re.compile(r"(?P<whole>.*)\.(?:crdownload|part|partial|download|opdownload|aria2|!ut|tmp)", re.I)
# What Windows, macOS and NAS systems put beside people's files.
_STRANGERS = frozenset({"@eadir", "__macosx", ".@__thumb", "#recycle", "$recycle.bin", ".trashes", ".thumbnails"})
_DEEPEST = 5
_MOST_GAPS = 20


class PartFile(msgspec.Struct, frozen=True, kw_only=True):
    """An archive, or one directory of an unpacked export.

    Args:
        name: relative to the source's folder, ``/``-separated: for people, and its key in the index.
        path: where it is, as the file system has it.
        kind: how it is read.
        fingerprint: changes when it changes: by size and mtime of the archive, or of the directory's files.
        export: which export it belongs to: its time stamp, or where it lies when it has none.
        stamp: the export's time stamp by a file or directory name, or empty.
        inside: for a directory, its path as a member of an archive would have it, with a slash at its end.
        beside_archives: archives in the directory are parts of their own.
    """

    name: str
    path: str
    kind: PartKind
    fingerprint: str
    export: str
    stamp: str = ""
    inside: str = ""
    beside_archives: bool = False


class FoundParts(msgspec.Struct, frozen=True):
    """What lies in the folder.

    Args:
        parts: what can be read, in a stable order.
        missing: unfinished downloads and gaps in the numbering, each with its reason.
        warnings: what a person should know.
    """

    parts: tuple[PartFile, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class FileListing(msgspec.Struct, frozen=True):
    """A file in a directory: name as the file system has it, bytes, mtime in nanoseconds, whether it is regular."""

    name: str
    size: int
    mtime_ns: int
    regular: bool


def find_parts(root: Path) -> FoundParts:
    """Return every part at ``root``: a folder with archives and unpacked exports in any mixture, or one archive.

    Raises:
        OSError: ``root`` is not there or cannot be read.
    """
    if not root.is_dir():
        status = root.stat()
        kind = archive_kind(root.name) or "zip"
        return FoundParts((_archive(root.name, str(root), kind, status),), ())
    search = _Search(root)
    search.visit("", 0)
    return FoundParts(
        tuple(sorted(search.parts, key=part_order)), tuple(sorted(search.missing) + search.numbers.gaps())
    )


def is_export_root(folder: str) -> bool:
    """Return whether a folder of this name is ``Takeout`` or Google Photos' own, in any language."""
    return folder not in {"", ".", ".."} and logical_path(f"{folder}/a.jpg") == ("", "a.jpg")


def _is_takeout(folder: str) -> bool:
    return folder.casefold().startswith("takeout")


def tells_takeout(path: str) -> bool:
    """Return whether a member of this path shows that its archive is a Takeout."""
    *folders, name = path.split("/")
    if any(is_export_root(folder) for folder in folders):
        return True
    return bool(folders) and name.lower().endswith(".json") and classify(folders[-1]) is FolderRole.YEAR


def is_named_takeout(name: str) -> bool:
    """Return whether an archive's own name says that it is a Takeout."""
    return "takeout" in name.casefold()


def is_strange(folder: str) -> bool:
    """Return whether a folder of this name is the operating system's, and no part of any export."""
    return folder.casefold() in _STRANGERS


def list_directory(path: str, *, archives: bool = True) -> list[FileListing]:
    """Return what is directly in a directory of an unpacked export, sorted by name.

    Args:
        path: the directory; what is in its subdirectories is left out.
        archives: archives and unfinished downloads are files like any other, not parts of their own.
    """
    found = []
    with os.scandir(path) as entries:
        for entry in entries:
            own = archives or not (archive_kind(entry.name) or _UNFINISHED.fullmatch(entry.name))
            if own and not entry.is_dir(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                regular = stat.S_ISREG(status.st_mode)
                found.append(FileListing(entry.name, status.st_size, status.st_mtime_ns, regular))
    return sorted(found, key=lambda file: file.name)


def fingerprint_of(files: list[FileListing]) -> str:
    """Return a hash that changes when one of the files does."""
    digest = hashlib.blake2b(digest_size=12)
    for file in files:
        digest.update(os.fsencode(file.name) + f"\0{file.size}\0{file.mtime_ns}\0{file.regular}\n".encode())
    return digest.hexdigest()


def file_fingerprint(status: os.stat_result) -> str:
    """Return what tells one state of an archive from the next."""
    return f"{status.st_size}:{status.st_mtime_ns}"


class _Search:
    """A walk through the source's folder."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        # Whoever names Google Photos' own folder means what is in it; `./takeout`, though, is where archives lie.
        own = root.resolve().name
        self._prefix = f"{own}/" if is_export_root(own) and not _is_takeout(own) else ""
        self.parts: list[PartFile] = []
        self.missing: list[str] = []
        self.numbers = PartNumbers()

    def visit(self, relative: str, depth: int) -> None:
        """Look at one directory, then at those in it.

        Args:
            relative: path below the root, with a slash at its end unless it is the root.
            depth: how far below the root, not counted within an export.

        Raises:
            OSError: the root cannot be read; other directories that cannot are named as missing.
        """
        here = os.path.join(self._root, relative)
        try:
            folders = self._look(relative, here)
        except OSError as error:
            if not relative:
                raise
            self.missing.append(f"{shown(relative)}: it cannot be read ({error.strerror})")
            return
        for name in folders:
            if is_strange(name):
                continue
            self.numbers.add(name)
            inside = self._is_export(f"{relative}{name}/")
            if inside or (depth < _DEEPEST and not name.startswith((".", "@", "$"))):
                self.visit(f"{relative}{name}/", depth + (not inside))

    def _look(self, relative: str, here: str) -> list[str]:
        """Note the parts directly in a directory, and return the names of its subdirectories."""
        folders = []
        # An archive inside an export is a file that the user had there; one beside it is a part.
        holds_archives = not self._is_export(relative) or _is_takeout(relative.rstrip("/").rpartition("/")[2])
        with os.scandir(here) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if holds_archives and self._is_unfinished(relative, entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif holds_archives and (kind := archive_kind(entry.name)) and entry.is_file():
                    self.parts.append(_archive(relative + entry.name, entry.path, kind, entry.stat()))
                    self.numbers.add(entry.name)
        if folder := self._as_part(relative, here, holds_archives=holds_archives):
            self.parts.append(folder)
        return folders

    def _is_export(self, relative: str) -> bool:
        return any(is_export_root(folder) for folder in (self._prefix + relative).split("/"))

    def _as_part(self, relative: str, here: str, *, holds_archives: bool) -> PartFile | None:
        """Return the directory as a part when it belongs to an unpacked export and holds files."""
        inside = self._is_export(relative)
        if not inside and classify(relative.rstrip("/")) is not FolderRole.YEAR:
            return None
        files = list_directory(here, archives=not holds_archives)
        if not inside:
            # A year's folder that was taken out of its export still is one when sidecars lie in it.
            files = files if any(file.name.lower().endswith(".json") for file in files) else []
        if not files:
            return None
        stamp = stamp_in(relative)
        return PartFile(
            name=printable(relative.rstrip("/") or "."),
            path=here,
            kind="tree",
            fingerprint=fingerprint_of(files),
            export=stamp or f"unpacked in {self._outside(relative)}",
            stamp=stamp,
            inside=self._prefix + relative,
            beside_archives=holds_archives,
        )

    def _outside(self, relative: str) -> str:
        """Return the part of the path that lies before the export's own folders."""
        outside: list[str] = []
        for folder in (self._prefix + relative).split("/"):
            if is_export_root(folder):
                break
            outside.append(folder)
        return "/".join(outside)

    def _is_unfinished(self, relative: str, name: str) -> bool:
        found = _UNFINISHED.fullmatch(name)
        if found is None:
            return False
        whole = found["whole"]
        if not (archive_kind(whole) or is_named_takeout(whole) or whole.startswith("Unconfirmed ")):
            return False
        self.numbers.add(whole)
        self.missing.append(f"{shown(relative + name)}: its download is not finished")
        return True


class PartNumbers:
    """The numbers in the names of parts, by export."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> PartNumbers:
        """Return the numbers in some names."""
        numbers = cls()
        for name in names:
            numbers.add(name)
        return numbers

    def last(self) -> dict[str, tuple[int, str]]:
        """Return the highest number of each export, with the name of that part."""
        highest = {export: max(numbers.items()) for export, numbers in self._found.items()}
        return {_stem(*export): (number, _part(*export, number, rest)) for export, (number, rest) in highest.items()}

    def add(self, name: str) -> None:
        """Note a file or directory by its name."""
        if found := _STAMPED.fullmatch(name):
            batch = (found["stamp"].upper(), found["batch"] or "")
            self._found[batch].setdefault(int(found["number"]), found["rest"] or "")

    def gaps(self) -> list[str]:
        """Name the parts whose numbers are missing between others; what follows the last nobody can tell."""
        missing = []
        for (stamp, batch), numbers in sorted(self._found.items()):
            absent = list(islice((one for one in range(1, max(numbers)) if one not in numbers), _MOST_GAPS + 1))
            ending = next((rest for rest in numbers.values() if archive_kind(rest)), "")
            missing += [f"{_part(stamp, batch, number, ending)}: not there" for number in absent[:_MOST_GAPS]]
            if len(absent) > _MOST_GAPS:
                missing.append(f"{_stem(stamp, batch)}...: more parts are not there")
        return missing


def _stem(stamp: str, batch: str) -> str:
    return f"takeout-{stamp}-{batch}-" if batch else f"takeout-{stamp}-"


def _part(stamp: str, batch: str, number: int, ending: str) -> str:
    return f"{_stem(stamp, batch)}{number:03}{ending}"


def stamp_in(name: str) -> str:
    """Return the time stamp of the export that a file or directory of this name belongs to, or nothing."""
    stamp = _STAMP.findall(name)
    return str(stamp[-1]).upper() if stamp else ""


def archive_kind(name: str) -> PartKind | None:
    """Return how an archive of this name is read, and ``None`` for what is no archive."""
    lower = name.lower()
    return next((kind for suffix, kind in _ARCHIVES if lower.endswith(suffix)), None)


def _archive(name: str, path: str, kind: PartKind, status: os.stat_result) -> PartFile:
    stamp = stamp_in(name)
    folder = name.rpartition("/")[0]
    return PartFile(
        name=printable(name),
        path=path,
        kind=kind,
        fingerprint=file_fingerprint(status),
        export=stamp or f"archives in {folder}",
        stamp=stamp,
    )


def part_order(part: PartFile) -> tuple[str, list[str]]:
    """Sort by export, then by name with numbers in their own order."""
    return part.stamp, [piece.zfill(12) if piece.isdecimal() else piece for piece in re.split(r"(\d+)", part.name)]
