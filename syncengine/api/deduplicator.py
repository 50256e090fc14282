"""What a deduplicator promises: it recognises what is already there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Literal, Protocol

import msgspec

from syncengine.api.plugin import OptionsT, Plugin
from syncengine.model import Asset


class Match(msgspec.Struct, frozen=True):
    """A deduplicator's finding.

    Args:
        content: key of the content that was there first.
        distance: 0 for the same, more for less alike; what it counts is the method's own.
        skip: the newcomer is not to be stored.
    """

    content: bytes
    distance: int = 0
    skip: bool = True


class FingerprintIndex(Protocol):
    """The fingerprints of one method at one destination, as the state remembers them."""

    def get(self, fingerprint: bytes) -> bytes | None:
        """Return the content that has exactly this fingerprint."""
        ...

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every (fingerprint, content)."""
        ...


class Deduplicator(Plugin[OptionsT], ABC):
    """Recognises what is already there.

    ``fingerprint`` may run in a worker process (``decodes`` says so) and is a function of the bytes alone.
    ``match`` and ``add`` run on the coordinator, quickly and in memory.
    """

    #: ``fetched``: over the source's bytes, before transforms. ``final``: over the file as it would be stored.
    stage: ClassVar[Literal["fetched", "final"]] = "fetched"
    #: ``fingerprint`` decodes an image, so it belongs into a worker process with a time and a memory limit.
    decodes: ClassVar[bool] = False

    @property
    @abstractmethod
    def method(self) -> str:
        """Algorithm and version, such as ``phash-1``; fingerprints of another method are never compared."""

    @abstractmethod
    def fingerprint(self, asset: Asset) -> bytes | None:
        """Return the fingerprint, at most 64 bytes, or ``None`` for a file that the method does not cover."""

    def load(self, index: FingerprintIndex) -> None:
        """Take what the state remembers; called once before the first ``match``."""
        self.index = index

    @abstractmethod
    def match(self, fingerprint: bytes) -> Match | None:
        """Return what is already there, the nearest first, or ``None``."""

    def add(self, fingerprint: bytes, content: bytes) -> None:
        """Remember a content that is being stored in this run, so that the next item finds it."""
        del fingerprint, content
