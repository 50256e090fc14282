"""What a damaged line may have hidden of records that other lines tell about: their albums and origins."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice

import msgspec

from syncengine.api import AlbumRef, ItemError
from syncengine.engine import metadata_file
from syncengine.engine.metadata_file import united, united_albums
from syncengine.engine.rebuilding.task import RebuildTask
from syncengine.records import ContentRecord, StateBatch

_AT_ONCE = 500


def refresh_from_metadata(task: RebuildTask) -> None:
    """Unite all records with what their metadata files say."""
    records = task.shared.all_contents()
    seen = 0
    while page := list(islice(records, _AT_ONCE)):
        task.check_stop()
        changed = [now for record in page if (now := _refreshed(task, record)) != record]
        if changed:
            task.write(StateBatch(contents=changed))
        seen += len(page)
        task.progress.note(f"making the state again: {seen:,} records held against their metadata files")


def _refreshed(task: RebuildTask, record: ContentRecord) -> ContentRecord:
    with suppress(ItemError, OSError):
        document = metadata_file.read(task.destination, record.path)
        if document is not None and document.stored.sha256 == record.stored_sha256.hex():
            albums = tuple(AlbumRef(album.id, album.title) for album in document.albums)
            return msgspec.structs.replace(
                record,
                albums=united_albums(record.albums, albums),
                origins=united(record.origins, document.source.origins),
            )
    return record
