"""Recognising what is already there: exactly before transforms, by looks after them."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from syncengine.api import Asset, Deduplicator, FingerprintIndex, ItemError
from syncengine.engine.parts import RunParts
from syncengine.engine.work import REMAKE, Batch, Copy, Work


class Claims:
    """Contents that are being stored by this run and are not in the state yet.

    A claim is made when an item is found to be new, and released once its record is durable. Whoever looks asks here
    first and the state second, so nothing slips between the two.
    """

    def __init__(self) -> None:
        self._owners: dict[tuple[str, bytes], bytes] = {}
        self._contents: set[bytes] = set()

    def make(self, work: Work) -> None:
        """Say that a work's content is on its way, with the fingerprints that it has so far."""
        self._contents.add(work.content)
        for key in work.fingerprints:
            self._owners.setdefault(key, work.content)

    def owner(self, method: str, fingerprint: bytes) -> bytes | None:
        """Return the content on its way that has this fingerprint."""
        return self._owners.get((method, fingerprint))

    def __contains__(self, content: bytes) -> bool:
        return content in self._contents

    def release(self, work: Work) -> None:
        """Forget the claims of a work that is through, well or not."""
        if work.copy_of is not None and work.copy_of.content == work.content:
            return  # It never owned the content: its owner is another work.
        self._contents.discard(work.content)
        for key in work.fingerprints:
            if self._owners.get(key) == work.content:
                del self._owners[key]


class LiveIndex:
    """The fingerprints of one method: those on their way and those in the state, as one index."""

    def __init__(self, method: str, claims: Claims, stored: FingerprintIndex) -> None:
        self._method = method
        self._claims = claims
        self._stored = stored

    def get(self, fingerprint: bytes) -> bytes | None:
        """Return the content with exactly this fingerprint."""
        owner = self._claims.owner(self._method, fingerprint)
        return owner if owner is not None else self._stored.get(fingerprint)

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield what the state holds; what is on its way is told by ``Deduplicator.add``."""
        return self._stored.entries()


class Matcher:
    """Asks the deduplicators of one stage about each item.

    Args:
        parts: the run.
        claims: shared by all stages of the run.
    """

    def __init__(self, parts: RunParts, claims: Claims) -> None:
        self._parts = parts
        self._claims = claims
        self._exact = [dedup for dedup in parts.deduplicators if dedup.stage == "fetched"]
        self._final = [dedup for dedup in parts.deduplicators if dedup.stage == "final"]
        for dedup in parts.deduplicators:
            dedup.load(LiveIndex(dedup.method, claims, parts.state.fingerprints(dedup.method)))

    def match_exact(self, batches: Iterable[Batch]) -> Generator[Batch, None, None]:
        """Mark the items whose source bytes are already there, and claim the rest."""
        for batch in batches:
            for work in batch:
                if work.is_to_store and work.fetched is not None:
                    try:
                        self._match_fetched(work, work.fetched)
                    except ItemError as error:
                        work.fail(error.reason)
            yield batch

    def match_perceptual(self, batches: Iterable[Batch]) -> Generator[Batch, None, None]:
        """Mark the items that look like something that is already there, as each method was told to."""
        for batch in batches:
            for work in batch:
                if work.is_to_store and not work.failure and work.asset is not None:
                    try:
                        self._match_final(work, work.asset)
                    except ItemError as error:
                        work.fail(error.reason)
            yield batch

    def _match_fetched(self, work: Work, asset: Asset) -> None:
        if work.why == REMAKE and work.known is not None:
            self._match_remake(work, work.known.content, asset)
            return
        if not self._exact:
            work.content = self._own_content(work, asset)
            (work.previous,) = self._parts.state.contents([work.content])
        else:
            work.content = asset.sha256
            for dedup in self._exact:
                if self._ask(dedup, work, dedup.fingerprint(asset)):
                    work.discard()
                    return
        self._claims.make(work)

    def _match_remake(self, work: Work, content: bytes, asset: Asset) -> None:
        """Take what is to be made again for what it is; it is no copy of itself."""
        work.content = content
        (work.previous,) = self._parts.state.contents([content])
        if work.previous is None or work.previous.source_sha256 != asset.sha256:
            where = f"{work.original_at} at the destination" if work.original_at else "what the source gives"
            raise ItemError(f"{where} has other bytes than those that it was made of")
        self._claims.make(work)

    def _match_final(self, work: Work, asset: Asset) -> None:
        if work.previous is not None and not work.previous.failure:
            return  # It is only put back where it was: what it looks like was decided when it was new.
        for dedup in self._final:
            decoded = work.decoded.get(dedup.method)
            fingerprint = decoded if dedup.decodes else dedup.fingerprint(asset)
            match = dedup.match(fingerprint) if fingerprint is not None else None
            if fingerprint is None or (match is not None and match.content == work.content):
                continue
            if match is not None and match.skip and self._is_there(match.content):
                work.copy_of = Copy(match.content, dedup.method, match.distance)
                work.discard()
                return
            if match is not None:
                work.near = Copy(match.content, dedup.method, match.distance)
            work.fingerprints.append((dedup.method, fingerprint))
            dedup.add(fingerprint, work.content)

    def _ask(self, dedup: Deduplicator[Any], work: Work, fingerprint: bytes | None) -> bool:
        """Return whether the item is a copy of something that is there or on its way."""
        if fingerprint is None:
            return False
        match = dedup.match(fingerprint)
        if match is not None and match.skip:
            work.content = match.content
            if self._is_there(match.content):
                work.copy_of = Copy(match.content, dedup.method, match.distance)
                return True
            (work.previous,) = self._parts.state.contents([match.content])
        work.fingerprints.append((dedup.method, fingerprint))
        return False

    def _is_there(self, content: bytes) -> bool:
        """Whether a content is on its way, or wholly stored: recorded, its file there, no transform to try again."""
        if content in self._claims:
            return True
        (record,) = self._parts.state.contents([content])
        if record is None or record.failure:
            return False
        paths = [path for path in (record.path, record.original_path) if path]
        return not self._parts.destination.missing(paths)

    def _own_content(self, work: Work, asset: Asset) -> bytes:
        """Return the key of a content that no other item may share, because the profile does not deduplicate."""
        if work.known is not None:
            (record,) = self._parts.state.contents([work.known.content])
            if record is not None and record.source_sha256 == asset.sha256:
                return record.content
        return hashlib.sha256(asset.sha256 + asset.item.id.encode("utf-8", "surrogatepass")).digest()
