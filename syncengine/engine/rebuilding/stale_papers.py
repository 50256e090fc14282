"""Metadata files and sidecars about a place that a photo has left: a run was killed before it put them away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from syncengine.api import ItemError
from syncengine.engine import metadata_file, xmp_file
from syncengine.engine.amendments import Amendment
from syncengine.engine.hashing import holds
from syncengine.engine.metadata_file import SIDECAR, MetadataFile
from syncengine.engine.rebuilding.catalogs import CATALOG, listed
from syncengine.engine.rebuilding.displaced import keys_of
from syncengine.engine.rebuilding.task import RebuildTask

_AT_ONCE = 1_000
_PREFIX, _SUFFIX = "metadata/", ".json"


def find_stale_papers(task: RebuildTask) -> None:
    """Have the next run put away the papers about places at which nothing is, whose photo is stored elsewhere."""
    photos = _described(task)
    while page := list(islice(photos, _AT_ONCE)):
        task.check_stop()
        owners = task.shared.path_owners(page)
        for photo, owner in zip(page, owners, strict=True):
            if owner is None:
                with suppress(ItemError, OSError):
                    task.amendments.add(list(_stale(task, photo)))


def _described(task: RebuildTask) -> Iterator[str]:
    """Yield the paths that have a metadata file."""
    for stat in listed(task.destination, _PREFIX.rstrip("/")):
        if stat.path.endswith(_SUFFIX) and stat.path.count("/") > 1 and not stat.path.startswith(f"{CATALOG}/"):
            yield stat.path.removeprefix(_PREFIX).removesuffix(_SUFFIX)


def _stale(task: RebuildTask, photo: str) -> Iterator[Amendment]:
    if task.destination.stat(photo) is not None:
        return
    document = metadata_file.read(task.destination, photo)
    if document is None or document.stored.path != photo or not _is_elsewhere(task, document):
        return
    yield Amendment(left_over=metadata_file.metadata_path(photo))
    if holds(task.destination, photo + SIDECAR, hashlib.sha256(xmp_file.encode(document)).digest()):
        yield Amendment(left_over=photo + SIDECAR)


def _is_elsewhere(task: RebuildTask, document: MetadataFile) -> bool:
    records = task.shared.contents(keys_of(document))
    return any(record is not None and record.path != document.stored.path for record in records)
