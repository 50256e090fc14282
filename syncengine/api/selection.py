"""Which items a profile wants: the ``select`` part of a profile, as a value that decides."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from fnmatch import fnmatchcase

import msgspec

from syncengine.model import AlbumRef, ItemState, Kind, MediaItem


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of ``select``; all must hold. An empty selection takes everything.

    Args:
        albums: title globs (case-insensitive), or ``id:`` and an album's id. Any one of them is enough.
        kinds: the kinds that are wanted; empty means all.
        after: first day that is wanted.
        before: first day that is not wanted any more.
        favorites: only what the user marked.
        exclude_names: file name globs (case-insensitive) that are not wanted.
        exclude_states: states that are not wanted.
    """

    albums: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    after: date | None = None
    before: date | None = None
    favorites: bool = False
    exclude_names: tuple[str, ...] = ()
    exclude_states: tuple[ItemState, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether every item is wanted."""
        return self == Selection()

    @property
    def needs_time(self) -> bool:
        """Whether the decision needs the capture time."""
        return self.after is not None or self.before is not None

    def wants_album(self, album: AlbumRef) -> bool:
        """Return whether one of the album rules names this album (true when there are no album rules)."""
        title = album.title.casefold()
        return not self.albums or any(
            rule[3:] == album.id if rule.startswith("id:") else fnmatchcase(title, rule.casefold())
            for rule in self.albums
        )

    def rejects(self, item: MediaItem, zone: tzinfo, *, described: bool) -> str | None:
        """Return the rule that filters the item out, or ``None`` when it is wanted.

        Args:
            item: as listed, or as described.
            zone: for capture times that know no zone.
            described: the item is complete; before that, a rule that cannot be decided yet does not reject.
        """
        name = item.name.casefold()
        if any(fnmatchcase(name, rule.casefold()) for rule in self.exclude_names):
            return "exclude.names"
        if any(state in self.exclude_states for state in item.states):
            return "exclude.states"
        if self.kinds and item.kind not in self.kinds:
            return "kinds"
        if self.favorites and not item.favorite:
            return "favorites"
        if self.albums and not any(self.wants_album(album) for album in item.albums):
            return "albums"
        return self._rejects_time(item, zone, described=described)

    def _rejects_time(self, item: MediaItem, zone: tzinfo, *, described: bool) -> str | None:
        if not self.needs_time:
            return None
        if item.taken is None:
            return "taken" if described else None
        taken = item.taken.at(zone).replace(tzinfo=None)
        if self.after is not None and taken < datetime.combine(self.after, time()):
            return "taken"
        if self.before is not None and taken >= datetime.combine(self.before, time()):
            return "taken"
        return None
