"""``perceptual``: recognises photos that look the same: another size, another quality, another format."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from syncengine.api import (
    Asset,
    Deduplicator,
    FingerprintIndex,
    Kind,
    Match,
    Meta,
    PluginOptions,
    Registry,
    hookimpl,
)
from syncengine_plugins.dedup.hamming import HammingIndex
from syncengine_plugins.dedup.phash import METHOD, phash_of


class PerceptualOptions(PluginOptions, frozen=True):
    """Recognises photos that look the same, by a perceptual hash of 64 bits.

    Videos, RAW files, TIFF, GIF, and pictures without detail (black, fog, a wall) are not compared.
    """

    max_distance: Annotated[
        int,
        Meta(
            ge=0,
            le=32,
            description=(
                "In how many of the 64 bits two photos may differ. Up to 4: another size, quality or format of the same"
                " picture. From 10 on different pictures begin to match."
            ),
        ),
    ] = 4
    on_match: Annotated[
        Literal["report", "skip"],
        Meta(
            description=(
                "report: store the photo and name what it resembles. skip: do not store it; of a burst, or of an edited"
                " copy and its original, only the first that comes is then kept."
            )
        ),
    ] = "report"


class Perceptual(Deduplicator[PerceptualOptions]):
    """Compares the hash of each photo, as it would be stored, with all others; exact, and in memory."""

    Options = PerceptualOptions
    stage: ClassVar[Literal["fetched", "final"]] = "final"
    decodes = True

    def __init__(self, options: PerceptualOptions) -> None:
        super().__init__(options)
        self._hashes = HammingIndex()

    @property
    def method(self) -> str:
        """The algorithm, the number of its bits, and its version."""
        return METHOD

    def fingerprint(self, asset: Asset) -> bytes | None:
        """Return the hash, 8 bytes, or ``None`` for what is no photo, cannot be decoded, or shows too little."""
        return phash_of(asset.path) if asset.kind is Kind.PHOTO else None

    def load(self, index: FingerprintIndex) -> None:
        """Take all hashes of the destination into memory."""
        super().load(index)
        self._hashes = HammingIndex()
        self._hashes.load(index.entries())

    def match(self, fingerprint: bytes) -> Match | None:
        """Return the nearest content within ``max_distance``."""
        found = self._hashes.nearest(fingerprint, self.options.max_distance)
        if found is None:
            return None
        return Match(found.content, found.distance, skip=self.options.on_match == "skip")

    def add(self, fingerprint: bytes, content: bytes) -> None:
        """Remember a photo that is being stored."""
        self._hashes.add(fingerprint, content)


@hookimpl
def syncengine_register(registry: Registry) -> None:
    """Register the deduplicator."""
    registry.add("dedup", "perceptual", Perceptual)
