"""One item on its way through the pipeline, with what each stage found out."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Final, Literal

import msgspec

from syncengine.api import Asset, MediaItem
from syncengine.engine.workers import Worked
from syncengine.records import ContentRecord, ItemRecord

Why = Literal[
    "new",
    "changed",
    "metadata changed",
    "missing at the destination",
    "made by another recipe",
    "metadata file missing",
    "moved by another profile",
]
REMAKE: Final = "made by another recipe"
PAPERS_MISSING: Final = "metadata file missing"
MOVED: Final = "moved by another profile"
#: Reasons for which nothing but what is known of an item is looked at.
METADATA_ONLY: Final = frozenset({"metadata changed", PAPERS_MISSING, MOVED})


class Copy(msgspec.Struct, frozen=True):
    """What an item was recognised as a copy of: the content's key, by which method, how far apart."""

    content: bytes
    method: str
    distance: int = 0


class Work(msgspec.Struct, kw_only=True):
    """One item on its way; every stage adds to it, and each field is written by one stage.

    Args:
        item: as listed, then as described.
        why: the plan's reason.
        known: what the state remembers of the item (plan).
        fetched: the bytes as the source gave them (fetch).
        rule: the selection's rule that filters it, found once it was described (fetch).
        failure: why it fails; a failed transform still stores the untouched bytes (any stage).
        lost: it failed before its bytes were there, so nothing can be stored (fetch).
        dropped: an interrupted run did not get to it; it leaves no trace (any stage).
        itself: its bytes were touched and are those that it had before (placing).
        content: key of its content (exact match).
        previous: what the state remembers of its content, which must be placed again (exact match).
        copy_of: what it is a copy of (exact match, perceptual match).
        pending: its image work (transform).
        asset: the bytes to store (transform).
        decoded: fingerprints that the image work found, by method (transform).
        remarks: what the image work has to say beside that (transform).
        near: what it looks like, and is stored all the same (perceptual match).
        fingerprints: to be remembered once it is stored (matches).
        detail: more about the plan's reason, in words (plan).
        original_at: path at the destination of the bytes to take instead of the source's, or empty (plan).
        is_listed: the source lists the item; otherwise it has no line in the ledger (plan).
    """

    item: MediaItem
    why: Why
    known: ItemRecord | None = None
    fetched: Asset | None = None
    rule: str = ""
    failure: str = ""
    lost: bool = False
    dropped: bool = False
    itself: bool = False
    content: bytes = b""
    previous: ContentRecord | None = None
    copy_of: Copy | None = None
    pending: Future[Worked] | None = None
    asset: Asset | None = None
    decoded: dict[str, bytes | None] = {}
    remarks: tuple[str, ...] = ()
    near: Copy | None = None
    fingerprints: list[tuple[str, bytes]] = []
    detail: str = ""
    original_at: str = ""
    is_listed: bool = True

    @property
    def reason(self) -> str:
        """Why something is to be done with it, for people."""
        return f"{self.why}: {self.detail}" if self.detail else self.why

    @property
    def is_to_store(self) -> bool:
        """Whether its bytes are to be placed."""
        return self.fetched is not None and not (self.lost or self.dropped or self.rule or self.copy_of or self.itself)

    def fail(self, reason: str) -> None:
        """Give the item up: nothing of it is stored, and the next run tries it again."""
        self.failure, self.lost = reason, True
        self.discard()

    def drop(self) -> None:
        """Forget that the run ever came to this item."""
        self.dropped = True
        self.discard()

    def discard(self) -> None:
        """Remove what is in staging for it."""
        for asset in (self.asset, self.fetched):
            if asset is not None:
                asset.path.unlink(missing_ok=True)


Batch = list[Work]
