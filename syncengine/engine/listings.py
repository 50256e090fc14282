"""The files that describe the whole destination: ``checksums.sha256`` and ``deduplication.json``.

Both are made anew from the state when something changed, in bounded memory, and take the old one's place in one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from syncengine.engine.papers import Papers
from syncengine.engine.ports import State
from syncengine.engine.sorted_lines import SortedLines
from syncengine.records import ContentRecord

CHECKSUMS = "metadata/checksums.sha256"
DEDUPLICATION = "metadata/deduplication.json"


def write_checksums(state: State, papers: Papers, scratch: Path) -> None:
    """Write one line for each stored file, sorted by path, in the form that ``sha256sum -c`` reads."""
    with closing(SortedLines(scratch)) as lines, papers.stage(CHECKSUMS).open("wb") as target:
        for record in state.all_contents():
            for path, digest in stored_files(record):
                lines.add(f"{path}\0{digest.hex()}\n".encode())
        for line in lines:
            name, _, checksum = line.rstrip(b"\n").partition(b"\0")
            target.write(checksum + b"  " + name + b"\n")


def stored_files(record: ContentRecord) -> Iterator[tuple[str, bytes]]:
    """Yield (path, SHA-256) of every file that belongs to a content."""
    yield record.path, record.stored_sha256
    if record.original_path:
        yield record.original_path, record.source_sha256
    if record.sidecar_path:
        yield record.sidecar_path, record.sidecar_sha256


def write_deduplication(state: State, papers: Papers, scratch: Path) -> None:
    """Write each duplicate group: the file that is kept, and what was recognised as its copy by which method."""
    with closing(SortedLines(scratch)) as lines, papers.stage(DEDUPLICATION).open("wb") as target:
        for kept, copies in _groups(state):
            group = {"kept": kept, "copies": copies}
            lines.add(kept["path"].encode() + b"\0" + msgspec.json.encode(group) + b"\n")
        target.write(b'{"version": 1, "groups": [')
        separator = b"\n"
        for line in lines:
            target.write(separator + b"  " + line.rstrip(b"\n").partition(b"\0")[2])
            separator = b",\n"
        target.write(b"\n]}\n")


def _groups(state: State) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    look_alikes: dict[bytes, list[dict[str, Any]]] = {}
    for record in state.all_contents():
        for content, method, distance in record.near:
            look_alikes.setdefault(content, []).append(_near_copy(record, method, distance))
    for record in state.all_contents():
        copies = [_exact_copy(*copy) for copy in record.copies]
        copies += sorted(look_alikes.get(record.content, ()), key=lambda copy: str(copy["path"]))
        if copies:
            yield {"path": record.path, "sha256": record.stored_sha256.hex(), "id": record.item}, copies


def _exact_copy(profile: str, item: str, name: str, method: str, distance: int) -> dict[str, Any]:
    return {"id": item, "name": name, "profile": profile, "method": method, "distance": distance}


def _near_copy(record: ContentRecord, method: str, distance: int) -> dict[str, Any]:
    return {**_exact_copy(record.profile, record.item, record.name, method, distance), "path": record.path}
