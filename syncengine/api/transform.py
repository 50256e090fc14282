"""What a transform promises: it turns one file into another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from syncengine.api.plugin import OptionsT, Plugin
from syncengine.model import Asset


class Transform(Plugin[OptionsT], ABC):
    """Turns one file into another. Runs in a worker process, so it must be picklable (class and options are)."""

    @abstractmethod
    def accepts(self, asset: Asset) -> bool:
        """Return whether ``apply`` has something to do; looks at the name or at a few bytes, quickly."""

    @abstractmethod
    def apply(self, asset: Asset, workdir: Path) -> Asset:
        """Return the transformed asset; its file is new, in ``workdir``, and whole.

        The asset's own file stays untouched. ``name``, ``path``, ``applied`` are set; ``size`` and ``sha256`` are left
        to the engine. The same input and options give the same bytes. Raises ``ItemError`` when the file cannot be
        read; the engine then stores the original untouched and reports the item as failed.
        """
