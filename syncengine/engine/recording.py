"""Making a batch's results permanent: catalog, then state, then ledger. Nothing is recorded before it is durable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from syncengine.api import MediaItem
from syncengine.engine import spool
from syncengine.engine.account import Account
from syncengine.engine.clean_text import encoded_lines
from syncengine.engine.conclusion import Conclusion
from syncengine.engine.parts import RunParts
from syncengine.model import ContentRecord, ItemRecord, StateBatch


class CatalogLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of ``metadata/catalog/<run>.jsonl``; all lines together are enough to make the state again.

    A later line of the same content or item replaces an earlier one.

    Args:
        v: version of this format.
        content: a stored content: the fields of its record, hashes in hex.
        item: an item of a profile: profile, id, tokens, the content that holds it, how it came there.
    """

    v: int = 1
    content: dict[str, Any] | None = None
    item: dict[str, Any] | None = None


class Recorder:
    """Records batches.

    Args:
        parts: the run.
        account: takes the ledger's lines.
    """

    def __init__(self, parts: RunParts, account: Account) -> None:
        self._parts = parts
        self._account = account
        self._encoder = msgspec.json.Encoder()
        self._catalog = (parts.spool / spool.CATALOG).open("wb")
        #: Ids of the albums whose members changed.
        self.albums: set[str] = set()
        self.changed = False

    def record(self, conclusion: Conclusion) -> None:
        """Record what is durable already. Raises ``FatalError`` when the state cannot be written."""
        if conclusion.items or conclusion.contents:
            self._catalog.write(encoded_lines(self._encoder, list(_catalog_lines(conclusion, self._parts.profile))))
            spool.sync(self._catalog)
            self._parts.state.commit(
                StateBatch(
                    items=[(item.id, record) for item, record in conclusion.items],
                    contents=conclusion.contents,
                    fingerprints=conclusion.fingerprints,
                )
            )
            self.changed = True
            self.albums.update(album.id for record in conclusion.contents for album in record.albums)
        self._account.near_duplicates += conclusion.near
        for line in conclusion.lines:
            self._account.finish(line)
            self._parts.observers.item_finished(self._parts.profile, line)

    def close(self) -> None:
        """Finish the catalog's file."""
        self._catalog.close()


def _catalog_lines(conclusion: Conclusion, profile: str) -> Iterable[CatalogLine]:
    for record in conclusion.contents:
        yield CatalogLine(content=_content_entry(record))
    for item, known in conclusion.items:
        yield CatalogLine(item=_item_entry(profile, item, known))


def _content_entry(record: ContentRecord) -> dict[str, Any]:
    """Return the record's fields; bytes become hex, what is empty is left out."""
    entry = {name: _plain(value) for name, value in msgspec.structs.asdict(record).items()}
    return {name: value for name, value in entry.items() if value not in ("", (), None)}


def _item_entry(profile: str, item: MediaItem, known: ItemRecord) -> dict[str, Any]:
    entry = {name: _plain(value) for name, value in msgspec.structs.asdict(known).items()}
    return {"profile": profile, "id": item.id, **entry}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return tuple(_plain(element) for element in value)
    return value
