"""The pace, and the days of Google's quotas."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from syncengine.api import QuotaError
from syncengine.testing.google.control.clock import Clock as SharedClock
from syncengine_plugins.google import limits
from syncengine_plugins.google.limits import ApiLimits
from syncengine_plugins.google.pacing import TokenBucket
from syncengine_plugins.google.quota import DailyQuota, MemoryCounters
from tests.unit.plugins.google.people import FakeClock

NOON = datetime(2026, 7, 1, 19, 0, tzinfo=UTC).timestamp()  # 12:00 in California
SMALL = {"api": ApiLimits(title="API requests", per_second=10, burst=5, per_day=50)}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SharedClock(NOON))


def test_a_burst_passes_and_then_the_pace_is_kept(clock):
    bucket = TokenBucket(SMALL["api"], clock)
    for _ in range(25):
        bucket.take(1)
    assert sum(clock.waits) == pytest.approx(20 / 10)
    assert len(clock.waits) == 20
    clock.shared.advance(60)
    before = len(clock.waits)
    for _ in range(5):
        bucket.take(1)
    assert len(clock.waits) == before


def test_one_request_may_cost_more_than_a_burst(clock):
    bucket = TokenBucket(SMALL["api"], clock)
    bucket.take(25)
    assert sum(clock.waits) == pytest.approx(2)


def test_the_pace_is_kept_by_all_threads_together(clock):
    bucket = TokenBucket(SMALL["api"], clock)
    clock.wait = clock.waits.append
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bucket.take, [1.0] * 25))
    assert max(clock.waits) == pytest.approx(2)


def test_a_day_ends_at_midnight_in_california(clock):
    quota = DailyQuota("7", MemoryCounters(), clock, SMALL)
    assert quota.resets() == datetime(2026, 7, 2, 7, 0, tzinfo=UTC)
    quota.spend("api", 50)
    with pytest.raises(QuotaError, match="the 50 API requests that Google allows a day are used up") as caught:
        quota.spend("api")
    assert caught.value.again == quota.resets()
    clock.shared.advance(12 * 3600 - 1)
    with pytest.raises(QuotaError):
        quota.spend("api")
    clock.shared.advance(1)
    quota.spend("api", 50)
    assert quota.spent("api") == 50


def test_what_does_not_fit_is_not_counted(clock):
    quota = DailyQuota("7", MemoryCounters(), clock, SMALL)
    quota.spend("api", 40)
    with pytest.raises(QuotaError):
        quota.spend("api", 11)
    quota.spend("api", 10)


def test_counts_survive_runs(clock):
    counters = MemoryCounters()
    first = DailyQuota("7", counters, clock, SMALL)
    first.spend("api", 30)
    for _ in range(5):
        first.spend("api")
    first.flush()
    assert DailyQuota("7", counters, clock, SMALL).spent("api") == 35
    assert DailyQuota("8", counters, clock, SMALL).spent("api") == 0
    clock.shared.advance(86400)
    assert DailyQuota("7", counters, clock, SMALL).spent("api") == 0


def test_a_crash_forgets_less_than_twenty(clock):
    counters = MemoryCounters()
    crashed = DailyQuota("7", counters, clock, SMALL)
    for _ in range(39):
        crashed.spend("api")
    assert DailyQuota("7", counters, clock, SMALL).spent("api") == 20


def test_what_was_counted_before_midnight_is_saved_under_its_day(clock):
    counters = MemoryCounters()
    quota = DailyQuota("7", counters, clock, SMALL)
    quota.spend("api", 3)
    clock.shared.advance(86400)
    quota.spend("api", 4)
    quota.flush()
    assert counters.read("google/7/api@2026-07-01") == 3
    assert counters.read("google/7/api@2026-07-02") == 4


def test_requests_without_a_daily_limit_are_not_counted(clock):
    quota = DailyQuota("7", MemoryCounters(), clock)
    quota.spend(limits.DRIVE, 10**9)
    quota.spend("unknown", 10**9)


def test_the_published_limits():
    assert limits.GOOGLE_LIMITS[limits.LIBRARY].per_day == 10_000
    assert limits.GOOGLE_LIMITS[limits.LIBRARY_BYTES].per_day == 75_000
    assert limits.GOOGLE_LIMITS[limits.DRIVE].per_second * 60 < 325_000
