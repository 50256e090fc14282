"""``sha256``: recognises the same bytes."""

from __future__ import annotations

from typing import ClassVar, Literal

from syncengine.api import Asset, Deduplicator, FingerprintIndex, Match, PluginOptions, Registry, hookimpl

# How many contents of this run are remembered before those that the state knows by now are forgotten again.
_RECENT = 65536


class Sha256Options(PluginOptions, frozen=True):
    """Recognises files whose bytes are the same as those of a file that was stored before; it has no options."""


class Sha256(Deduplicator[Sha256Options]):
    """Compares the SHA-256 of the source's bytes, which the engine has computed while it fetched them."""

    Options = Sha256Options
    stage: ClassVar[Literal["fetched", "final"]] = "fetched"

    def __init__(self, options: Sha256Options) -> None:
        super().__init__(options)
        self._added: dict[bytes, bytes] = {}
        self._limit = _RECENT

    @property
    def method(self) -> str:
        """The algorithm."""
        return "sha256"

    def fingerprint(self, asset: Asset) -> bytes | None:
        """Return the hash that the asset carries; ``None`` for one that was not hashed."""
        return asset.sha256 or None

    def match(self, fingerprint: bytes) -> Match | None:
        """Return the content with exactly these bytes, stored before or being stored in this run."""
        content = self._added.get(fingerprint) or self.index.get(fingerprint)
        return None if content is None else Match(content)

    def add(self, fingerprint: bytes, content: bytes) -> None:
        """Remember a content until the state does; the first one of a fingerprint stays."""
        # Mostly both are the same bytes, which are then kept once.
        self._added.setdefault(fingerprint, fingerprint if content == fingerprint else content)
        if len(self._added) >= self._limit:
            self._forget_recorded(self.index)

    def _forget_recorded(self, index: FingerprintIndex) -> None:
        self._added = {known: content for known, content in self._added.items() if index.get(known) is None}
        # In a dry run nothing is ever recorded; doubling keeps this from being tried with every item.
        self._limit = max(_RECENT, 2 * len(self._added))


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Register the deduplicator."""
    registry.add("dedup", "sha256", Sha256)
