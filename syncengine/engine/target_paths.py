"""Choosing the path of each content, so that no two contents ever share one."""

from __future__ import annotations

from syncengine.api import Asset, ItemError
from syncengine.engine.layout import candidate_paths
from syncengine.engine.parts import RunParts
from syncengine.engine.safe_names import path_key, split_extension
from syncengine.engine.work import Work


class PathChooser:
    """Chooses the paths of one batch, with one look at the state for all of them.

    What stands at the destination without being in the state is met when the file is placed.

    Args:
        parts: the run.
        works: those that are to be stored.
    """

    def __init__(self, parts: RunParts, works: list[Work]) -> None:
        self._parts = parts
        self._chosen: set[str] = set()
        wanted = [parts.template.path_of(work.asset) for work in works if work.asset is not None]
        owners = parts.state.path_owners(wanted)
        self._owners = dict(zip(map(path_key, wanted), owners, strict=True))

    def reserve(self, path: str) -> None:
        """Keep a path for a file that is there already."""
        if path:
            self._chosen.add(path_key(path))

    def choose(self, asset: Asset, work: Work, before: str) -> str:
        """Return the path for an asset.

        Args:
            asset: what is to be stored.
            work: whose content it is.
            before: where the same was stored before, or empty; kept as long as the format is the same.
        """
        if before and split_extension(before)[1].lower() == split_extension(asset.name)[1].lower():
            self._chosen.add(path_key(before))
            return before
        wanted = self._parts.template.path_of(asset)
        for candidate in candidate_paths(wanted, work.content):
            key = path_key(candidate)
            if key not in self._chosen and self._owner(candidate, key) in (None, work.content):
                self._chosen.add(key)
                return candidate
        raise ItemError(f"every name that it could take beside {wanted} is taken by another file")

    def _owner(self, candidate: str, key: str) -> bytes | None:
        if key not in self._owners:
            (self._owners[key],) = self._parts.state.path_owners([candidate])
        return self._owners[key]
