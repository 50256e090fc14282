"""Google's limits, as far as they are published, and the pace that stays below them.

Sources: https://developers.google.com/photos/overview/api-limits-quotas and
https://developers.google.com/workspace/drive/api/guides/limits (state of 2026-05).
"""

from __future__ import annotations

import msgspec


class ApiLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one kind of request.

    Args:
        title: what people call it.
        per_second: units, in the long run; stays well below the published limit, which a user's other programs share.
        burst: units that may be spent at once after a pause.
        per_day: units a day (Pacific time) and Cloud project, or ``None`` when there is no such limit.
    """

    title: str
    per_second: float
    burst: float
    per_day: int | None = None


LIBRARY = "photoslibrary"
LIBRARY_BYTES = "photoslibrary.media"
PICKER = "photospicker"
PICKER_BYTES = "photospicker.media"
DRIVE = "drive"

#: What a request to Drive costs of the units in ``GOOGLE_LIMITS[DRIVE]``: 325,000 a minute, user and project.
DRIVE_GET = 5
DRIVE_LIST = 100
DRIVE_DOWNLOAD = 200
DRIVE_EDIT = 50

GOOGLE_LIMITS = {
    LIBRARY: ApiLimits(title="Photos Library API requests", per_second=8, burst=20, per_day=10_000),
    LIBRARY_BYTES: ApiLimits(title="Photos Library API downloads", per_second=50, burst=100, per_day=75_000),
    PICKER: ApiLimits(title="Photos Picker API requests", per_second=20, burst=50),
    PICKER_BYTES: ApiLimits(title="Photos Picker API downloads", per_second=50, burst=100),
    DRIVE: ApiLimits(title="Drive API quota units", per_second=5_000, burst=20_000),
}
