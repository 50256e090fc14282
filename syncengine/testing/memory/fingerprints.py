"""A fingerprint index that is a dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class MemoryFingerprints:
    """Keeps the contract of ``FingerprintIndex``.

    Args:
        known: content by fingerprint.
    """

    def __init__(self, known: Mapping[bytes, bytes] | None = None) -> None:
        self._known = dict(known or {})

    def get(self, fingerprint: bytes) -> bytes | None:
        """Return the content that has exactly this fingerprint."""
        return self._known.get(fingerprint)

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every (fingerprint, content)."""
        yield from self._known.items()
