"""What a scan listed, and what it left out."""

from __future__ import annotations

from collections import Counter

from syncengine.api import Inventory, ItemState, Kind, Selection
from syncengine_plugins.sources.google_photos.questions import only_kind

_MADE_BY_GOOGLE = (
    "Google removes the place from the photos that it hands out here, and encodes videos anew; "
    "the originals are in Takeout"
)


class Tally:
    """The totals of one scan.

    Args:
        narrowed: what of the profile's selection Google was asked for; an empty one when it was asked for everything.
    """

    def __init__(self, narrowed: Selection = Selection()) -> None:  # noqa: B008 - immutable
        self.narrowed = narrowed
        self.albums = 0
        self.unreadable = 0
        self.missing: list[str] = []
        self._kinds: Counter[Kind] = Counter()

    def count(self, kind: Kind) -> None:
        """Count a listed item."""
        self._kinds[kind] += 1

    def inventory(self) -> Inventory:
        """Return the totals, what is missing, and what a person should know."""
        missing = list(self.missing)
        if self.unreadable:
            missing.append(f"{self.unreadable:,} entries of Google's lists that make no sense")
        counts = {
            "items": self._kinds.total(),
            "media": self._kinds.total(),
            "videos": self._kinds[Kind.VIDEO],
            "albums": self.albums,
        }
        return Inventory(
            complete=not missing,
            missing=tuple(missing),
            counts=counts,
            warnings=tuple(self._warnings()),
            partial=bool(_asked(self.narrowed)),
        )

    def _warnings(self) -> list[str]:
        warnings = [_MADE_BY_GOOGLE] if self._kinds.total() else []
        if parts := _asked(self.narrowed):
            warnings.append(
                f"only the part of the library that 'select' names was listed ({', '.join(parts)}); "
                "what is outside of it is not in this account (list_all: true lists everything)"
            )
        if self.narrowed.albums and not self.albums and not self.missing:
            warnings.append("'select' names no album that Google shows; 'syncengine albums PROFILE' lists them")
        return warnings


def _asked(select: Selection) -> list[str]:
    """Return what Google was asked to leave out by."""
    if select.albums:
        return ["albums"]
    return [
        name
        for name, used in (
            ("kinds", only_kind(select) is not None),
            ("taken", select.needs_time),
            ("favorites", select.favorites),
            ("exclude.states", ItemState.ARCHIVED in select.exclude_states),
        )
        if used
    ]
