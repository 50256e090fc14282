"""The body of ``mediaItems:search`` as a test of items."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from syncengine.testing.google.photos.items import PhotoItem
from syncengine.testing.google.wire.problems import ApiError, bad_request

Test: TypeAlias = Callable[[PhotoItem], bool]
_ORDERS = ("MediaMetadata.creation_time", "MediaMetadata.creation_time desc")
_WITH_ORDER = {"dateFilter", "includeArchivedMedia", "excludeNonAppCreatedData"}
_CATEGORY_NAMES = """
    NONE LANDSCAPES RECEIPTS CITYSCAPES LANDMARKS SELFIES PEOPLE PETS WEDDINGS BIRTHDAYS DOCUMENTS TRAVEL ANIMALS FOOD
    SPORT NIGHT PERFORMANCES WHITEBOARDS SCREENSHOTS UTILITY ARTS CRAFTS FASHION HOUSES GARDENS FLOWERS HOLIDAYS
"""
_CATEGORIES = frozenset(_CATEGORY_NAMES.split())


def check(body: dict[str, Any]) -> None:
    """Refuse what the API refuses before it looks at any item.

    Args:
        body: of the request.

    Raises:
        ApiError: 400.
    """
    filters, order = body.get("filters") or {}, body.get("orderBy", "")
    if body.get("albumId") and filters:
        raise bad_request("The album ID cannot be set if filters are used.")
    if order and (order not in _ORDERS or "dateFilter" not in filters or set(filters) - _WITH_ORDER):
        raise bad_request("Order by is only supported with a date filter.")


def tests(filters: dict[str, Any]) -> list[Test]:
    """What every item has to pass.

    Args:
        filters: the ``filters`` of the body.

    Raises:
        ApiError: 400, a filter cannot be understood.
    """
    known = {
        "dateFilter": _dates,
        "mediaTypeFilter": _media_types,
        "contentFilter": _categories,
        "featureFilter": _features,
    }
    flags = {"includeArchivedMedia", "excludeNonAppCreatedData"}
    unknown = set(filters) - set(known) - flags
    if unknown:
        raise bad_request(f"Invalid JSON payload received. Unknown name \"{min(unknown)}\" at 'filters'.")
    found = [make(filters[name]) for name, make in known.items() if filters.get(name)]
    if not filters.get("includeArchivedMedia"):
        found.append(lambda item: not item.archived)
    return found


def _dates(value: dict[str, Any]) -> Test:
    """Some dates, with 0 for any part, and ranges that hold both their ends."""
    dates, ranges = value.get("dates") or [], value.get("ranges") or []
    if len(dates) > 5 or len(ranges) > 5:
        raise bad_request("At most 5 dates and 5 date ranges can be given.")
    wanted = [_date(one) for one in dates]
    spans = [(_date(one.get("startDate", {})), _date(one.get("endDate", {}))) for one in ranges]
    for first, last in spans:
        if (0 in first) != (0 in last) or _known(first) > _known(last):
            raise bad_request("The date range is not valid.")

    def taken(item: PhotoItem) -> bool:
        if item.created is None:
            return False
        at = datetime.fromtimestamp(item.created, tz=UTC)
        day = (at.year, at.month, at.day)
        alike = any(all(part in (0, mine) for part, mine in zip(one, day, strict=True)) for one in wanted)
        return alike or any(
            _known(first) <= day[: len(_known(first))] and day[: len(_known(last))] <= _known(last)
            for first, last in spans
        )

    return taken


def _date(value: dict[str, Any]) -> tuple[int, int, int]:
    """Year, month and day; 0 stands for any."""
    parts = (value.get("year", 0), value.get("month", 0), value.get("day", 0))
    bounds = (9999, 12, 31)
    if not all(isinstance(part, int) and 0 <= part <= most for part, most in zip(parts, bounds, strict=True)):
        raise bad_request("The date is not valid.")
    if parts == (0, 0, 0) or (parts[0] and parts[2] and not parts[1]):
        raise bad_request("The date is not valid.")
    return parts


def _known(date: tuple[int, int, int]) -> tuple[int, ...]:
    """The parts of a date before the first one that is open."""
    return date[: date.index(0)] if 0 in date else date


def _media_types(value: dict[str, Any]) -> Test:
    """Photos, videos or both; exactly one type."""
    kinds = value.get("mediaTypes") or []
    if len(kinds) != 1 or kinds[0] not in ("ALL_MEDIA", "PHOTO", "VIDEO"):
        raise bad_request("Exactly one media type must be given.")
    return lambda item: kinds[0] == "ALL_MEDIA" or (kinds[0] == "VIDEO") == item.is_video


def _categories(value: dict[str, Any]) -> Test:
    """Content categories; no item here has any, so only ``NONE`` finds some."""
    included, excluded = value.get("includedContentCategories") or [], value.get("excludedContentCategories") or []
    if len(included) > 10 or len(excluded) > 10 or set(included + excluded) - _CATEGORIES:
        raise _invalid_category()
    return lambda item: not included or "NONE" in included


def _invalid_category() -> ApiError:
    return bad_request("The content categories are not valid.")


def _features(value: dict[str, Any]) -> Test:
    """Favourites, or anything."""
    features = value.get("includedFeatures") or []
    if set(features) - {"NONE", "FAVORITES"}:
        raise bad_request("The features are not valid.")
    return lambda item: "FAVORITES" not in features or item.favorite
