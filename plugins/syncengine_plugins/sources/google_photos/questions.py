"""What of a profile's ``select`` Google can answer itself: the questions to ``mediaItems:search``.

Filters of different kinds must all hold; an album cannot be combined with any of them.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from syncengine.api import ItemState, Kind, Selection

#: Everything; without this Google leaves archived items out.
EVERYTHING: dict[str, Any] = {"filters": {"includeArchivedMedia": True}}
#: What the user marked; the items themselves do not tell.
FAVORITES: dict[str, Any] = {
    "filters": {"includeArchivedMedia": True, "featureFilter": {"includedFeatures": ["FAVORITES"]}}
}

_FIRST = date(1, 1, 1)
_LAST = date(9999, 12, 31)
_DAY = timedelta(days=1)


def in_album(album_id: str) -> dict[str, Any]:
    """Return the question for an album's items."""
    return {"albumId": album_id}


def selected(select: Selection) -> dict[str, Any]:
    """Return the question for what a selection may want: never less, and only a little more.

    Google does not say in which zone it reckons the days of a date filter, so one more day is asked for at either end.
    """
    filters: dict[str, Any] = {"includeArchivedMedia": ItemState.ARCHIVED not in select.exclude_states}
    if (kind := only_kind(select)) is not None:
        filters["mediaTypeFilter"] = {"mediaTypes": [kind.value.upper()]}
    if select.needs_time:
        first = select.after - _DAY if select.after and select.after > _FIRST else _FIRST
        span = {"startDate": _day(first), "endDate": _day(select.before or _LAST)}
        filters["dateFilter"] = {"ranges": [span]}
    if select.favorites:
        filters["featureFilter"] = {"includedFeatures": ["FAVORITES"]}
    return {"filters": filters}


def only_kind(select: Selection) -> Kind | None:
    """Return the one kind that is wanted, if it is one that Google can ask for."""
    kinds = set(select.kinds)
    return next(iter(kinds)) if kinds in ({Kind.PHOTO}, {Kind.VIDEO}) else None


def _day(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}
