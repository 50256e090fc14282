"""What became of a batch: the lines of the ledger and the records of the state."""

from __future__ import annotations

import msgspec

from syncengine.api import LedgerLine, MediaItem, Outcome
from syncengine.engine.account import filtered_line
from syncengine.engine.bundling import Bundle, Bundles
from syncengine.engine.work import MOVED, PAPERS_MISSING, REMAKE, Batch, Copy, Work
from syncengine.records import ContentRecord, ItemRecord

#: A content token that no source gives: what is remembered so differs from what is listed.
_OTHER_BYTES = ""


class Conclusion(msgspec.Struct, kw_only=True):
    """What to write into ledger, catalog and state, now that the batch is durable.

    Args:
        lines: the ledger's lines.
        items: (item, what to remember of it).
        contents: new and changed records.
        fingerprints: (method, fingerprint, content) of what was stored.
        near: how many were stored although they look like another file.
        followers: (item id, what to remember of it) of other items whose file is elsewhere now; ``items`` come after.
        warnings: what a person should know of works that have no line.
        unlisted: how many of those are done.
    """

    lines: list[LedgerLine] = []
    items: list[tuple[MediaItem, ItemRecord]] = []
    contents: list[ContentRecord] = []
    fingerprints: list[tuple[str, bytes, bytes]] = []
    near: int = 0
    warnings: list[str] = []
    followers: list[tuple[str, ItemRecord]] = []
    unlisted: int = 0


def conclude(batch: Batch, bundles: Bundles) -> Conclusion:
    """Return what became of each work of the batch; works that an interrupted run did not get to leave no trace."""
    stored = [bundle.record for bundle in bundles.values() if bundle.changed and not bundle.failure]
    conclusion = Conclusion(contents=stored)
    for work in batch:
        bundle = bundles.get(work.copy_of.content if work.copy_of is not None else work.content)
        if bundle is not None and bundle.failure:
            work.fail(bundle.failure)
        line = _line(work, bundle)
        if line is None:
            continue
        if work.is_listed:
            conclusion.lines.append(line)
        elif work.failure:
            conclusion.warnings.append(f"{work.item.name}: {line.reason}")
        else:
            conclusion.unlisted += 1
        if work.failure:
            conclusion.items += _to_be_tried_again(work)
        elif bundle is not None and not work.rule and (work.is_listed or (work.known is not None and work.known.path)):
            conclusion.items.append((work.item, _item_record(work, bundle.record)))
        if work.is_to_store:
            conclusion.near += work.near is not None
            conclusion.fingerprints += [(method, found, work.content) for method, found in work.fingerprints]
    return conclusion


def _to_be_tried_again(work: Work) -> list[tuple[MediaItem, ItemRecord]]:
    """Return what makes an item that was stored once, and fails now, work for the next run as well."""
    if work.known is None or work.why in (REMAKE, PAPERS_MISSING):
        return []  # What is there is whole; a run that is told to makes it again.
    return [(work.item, msgspec.structs.replace(work.known, content_token=_OTHER_BYTES))]


def _line(work: Work, bundle: Bundle | None) -> LedgerLine | None:
    if work.dropped:
        return None
    if work.rule:
        return filtered_line(work.item, work.rule)
    if work.failure:
        return _failed_line(work, bundle)
    if bundle is None:
        return None
    if work.copy_of is not None:
        return _copy_line(work, work.copy_of, bundle.record)
    return LedgerLine(
        outcome=_outcome(work, bundle),
        id=work.item.id,
        name=work.item.name,
        path=bundle.record.path,
        reason=_reason(work, bundle),
        bytes=bundle.written if work.is_to_store else 0,
        origins=work.item.origins,
        notes=bundle.document.notes if work.is_to_store else work.item.notes,
    )


def _outcome(work: Work, bundle: Bundle) -> Outcome:
    if work.is_to_store:
        return Outcome.STORED
    return Outcome.UNCHANGED if work.itself and not bundle.changed else Outcome.UPDATED


def _copy_line(work: Work, copy: Copy, record: ContentRecord) -> LedgerLine:
    return LedgerLine(
        outcome=Outcome.DUPLICATE,
        id=work.item.id,
        name=work.item.name,
        path=record.path,
        of=record.path,
        method=copy.method,
        reason=f"distance {copy.distance}" if copy.distance else "",
        origins=work.item.origins,
        notes=work.item.notes,
    )


def _failed_line(work: Work, bundle: Bundle | None) -> LedgerLine:
    kept = bundle.record if bundle is not None and not work.lost else None
    return LedgerLine(
        outcome=Outcome.FAILED,
        id=work.item.id,
        name=work.item.name,
        path=kept.path if kept else "",
        reason=f"{work.failure}; the untouched original is kept as {kept.path}" if kept else work.failure,
        bytes=bundle.written if kept and bundle else 0,
        origins=work.item.origins,
        notes=work.item.notes,
    )


def _reason(work: Work, bundle: Bundle) -> str:
    reason = work.reason
    if work.itself and work.why != MOVED:
        reason += ", with the same bytes"
    if work.why == REMAKE:
        return reason
    if work.is_to_store and not bundle.written and bundle.record.stored_size:
        reason += "; the same file was at the destination already"
    if work.near is not None:
        reason += f"; looks like another file ({work.near.method}, distance {work.near.distance})"
    return reason


def _item_record(work: Work, record: ContentRecord) -> ItemRecord:
    if work.known is not None and (work.why == MOVED or not work.is_listed):
        return msgspec.structs.replace(work.known, path=record.path, original_path=record.original_path)
    return ItemRecord(
        content_token=work.item.content_token,
        metadata_token=work.item.metadata_token,
        content=record.content,
        outcome="stored" if work.copy_of is None else "duplicate",
        path=record.path,
        method=work.copy_of.method if work.copy_of is not None else "",
        original_path=record.original_path,
    )
