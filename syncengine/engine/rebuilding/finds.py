"""Files that nothing tells about: hashed and recorded as finds, so that nothing is stored twice.

A find is a content without item and profile, under the hash of its bytes. It carries a failure, as a file does whose
transform failed: the next item with these bytes is gone through once more, finds the file in its place, and takes it
over. A file that a transform made is found by its own bytes, see ``FoundFiles``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import msgspec

from syncengine.api import FileStat, ItemError
from syncengine.engine.hashing import digest_of
from syncengine.engine.intents import Orphans
from syncengine.engine.metadata_file import SIDECAR
from syncengine.engine.ports import State
from syncengine.engine.rebuilding.comparing import Uncovered
from syncengine.engine.rebuilding.displaced import Displaced
from syncengine.engine.rebuilding.task import MOST_NAMED, RebuildTask, Rebuilt
from syncengine.engine.rebuilding.undoing import Undoing
from syncengine.engine.safe_names import split_extension
from syncengine.records import ContentRecord, StateBatch

FOUND = "found at the destination, and nothing tells where it came from"

#: What a photo library holds; other files in its folders are somebody else's.
_MEDIA_EXTENSIONS = """
    .3g2 .3gp .arw .asf .avi .avif .bmp .cr2 .cr3 .crw .divx .dng .flv .gif .heic .heics .heif .heifs .hif .ico .insp
    .jfif .jpe .jpeg .jpg .jxl .m2t .m2ts .m2v .m4v .mkv .mov .mp .mp4 .mpe .mpeg .mpg .mpo .mts .mv .nef .nrw .ogv
    .orf .pef .png .psd .raf .raw .rw2 .sr2 .srf .srw .svg .tif .tiff .vob .webm .webp .wmv .x3f
"""
_MEDIA = frozenset(_MEDIA_EXTENSIONS.split())
_HASHING_THREADS = 2
#: So many finds are remembered as handed out; more cannot be on their way at once.
_ON_THE_WAY = 10_000


def restore_finds(
    task: RebuildTask, rebuilt: Rebuilt, files: Uncovered, displaced: Displaced, undoing: Undoing
) -> None:
    """Hash what is left: displaced files are found by their bytes, the others are recorded as finds."""
    for page in chain(files.pages(256), iter(displaced.take_freed, [])):
        task.check_stop()
        owners = task.shared.path_owners([file.path for file in page])
        wanted = [
            file
            for file, owner in zip(page, owners, strict=True)
            if (owner is None or owner in displaced) and _is_media(file.path)
        ]
        with ThreadPoolExecutor(_HASHING_THREADS, thread_name_prefix="rescan") as pool:
            digests = list(pool.map(lambda file: _digest(task, file, rebuilt), wanted))
        unknown = [
            (file, digest)
            for file, digest in zip(wanted, digests, strict=True)
            if digest is not None and not displaced.found(file, digest) and not undoing.is_left_over(file.path)
        ]
        records = list(_records(task, unknown))
        if records:
            task.part.write([("", StateBatch(contents=records))])
        rebuilt.found += len(records)
        task.progress.note(f"making the state again: {rebuilt.found:,} files hashed that nothing tells about")
    for page in files.pages():  # Now that it is known where their photos are.
        for file in page:
            if file.path.endswith(SIDECAR) and not undoing.is_left_over(file.path):
                displaced.adopt_sidecar(file.path)


def is_find(record: ContentRecord) -> bool:
    """Whether a content is a file that was met at the destination, and no item is known of it."""
    return not (record.item or record.profile)


class FoundFiles(Mapping[tuple[bytes, bytes], str]):
    """The paths of files that no record covers: those that a killed run intended, and finds by their own bytes.

    Args:
        intended: by killed runs; only these are gone through.
        state: knows the finds.
    """

    def __init__(self, intended: Orphans, state: State) -> None:
        self._intended = intended
        self._state = state
        self._given: dict[bytes, bytes] = {}

    def __getitem__(self, key: tuple[bytes, bytes]) -> str:
        if key in self._intended:
            return self._intended[key]
        content, digest = key
        (record,) = self._state.contents([digest])
        if record is None or not is_find(record) or self._given.setdefault(digest, content) != content:
            raise KeyError(key)
        if len(self._given) > _ON_THE_WAY:
            del self._given[next(iter(self._given))]
        return record.path

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(self._intended)

    def __len__(self) -> int:
        return len(self._intended)


def _is_media(path: str) -> bool:
    hidden = any(part.startswith((".", "@")) for part in path.split("/"))  # @eaDir: thumbnails of a NAS
    return not hidden and split_extension(path)[1].lower() in _MEDIA


def _digest(task: RebuildTask, file: FileStat, rebuilt: Rebuilt) -> bytes | None:
    try:
        with task.destination.read(file.path) as stream:
            return digest_of(stream)
    except (ItemError, OSError) as error:
        if len(rebuilt.warnings) < 4 * MOST_NAMED:
            rebuilt.warnings.append(f"{file.path} cannot be read: {error}")
        return None


def _records(task: RebuildTask, files: list[tuple[FileStat, bytes]]) -> Iterator[ContentRecord]:
    known = task.shared.contents([digest for _, digest in files])
    taken = {record.content for record in known if record is not None}
    for file, digest in files:
        path = file.path.encode("utf-8", "surrogatepass")
        key = digest if digest not in taken else hashlib.sha256(digest + path).digest()
        taken.add(key)
        name = file.path.rpartition("/")[2]
        find = ContentRecord(key, file.path, digest, digest, file.size, file.size, file.mtime, "", name, "")
        yield msgspec.structs.replace(find, failure=FOUND, guessed=not task.alone)
