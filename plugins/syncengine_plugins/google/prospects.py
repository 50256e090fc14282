"""How long a sign-in will live, as far as it can be told from here.

Refresh tokens end after six months without use, and after seven days when the OAuth client is in testing; Google tells
the latter with ``refresh_token_expires_in``. Source: https://developers.google.com/identity/protocols/oauth2#expiration
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from syncengine.api import SignInStatus
from syncengine_plugins.google import scopes as google_scopes
from syncengine_plugins.google.account import LOGIN, TESTING_LIFE
from syncengine_plugins.google.grant import Grant

_DAY = 86400.0
_UNUSED_LIFE = 180 * _DAY
_SKEW = 300.0
_PUBLISH = (
    "in the Google Cloud console, under Audience, set the publishing status to 'In production' (no review is needed "
    f"for your own use), then {LOGIN}"
)


def status_of(grant: Grant, wanted: tuple[str, ...], client_id: str, now: float) -> SignInStatus:
    """Return what is known of a sign-in.

    Args:
        grant: as kept.
        wanted: the scopes that are needed now.
        client_id: of the client file as it is now.
        now: seconds since the epoch.
    """
    lacking = google_scopes.missing(wanted, grant.scopes)
    warnings = list(warnings_on(grant, now))
    if lacking:
        names = "; ".join(google_scopes.title(scope) for scope in lacking)
        warnings.insert(0, f"not granted: {names}; {LOGIN} and tick every box")
    if client_id != grant.client_id:
        warnings.append(f"the client file holds another OAuth client than was signed in with; {LOGIN} to change to it")
    return SignInStatus(
        signed_in=True,
        account=grant.account,
        wanted=wanted,
        granted=grant.scopes,
        missing=lacking,
        issued=_moment(grant.issued_at),
        refreshed=_moment(grant.refreshed_at),
        expires=_moment(expiry(grant)),
        warnings=tuple(warnings),
    )


def expiry(grant: Grant) -> float:
    """Return when the sign-in ends if nothing is done with it, in seconds since the epoch."""
    unused = grant.refreshed_at + _UNUSED_LIFE
    return unused if grant.refresh_expires_at is None else min(unused, grant.refresh_expires_at)


def warnings_on(grant: Grant, now: float) -> tuple[str, ...]:
    """Return what will go wrong with a sign-in, each one line with what to do."""
    return tuple(_warnings(grant, now))


def _warnings(grant: Grant, now: float) -> Iterator[str]:
    ends = grant.refresh_expires_at
    if ends is not None and ends <= now:
        yield f"the sign-in ended {_day(ends)}; {_PUBLISH}"
    elif ends is not None:
        in_testing = ends - grant.issued_at <= TESTING_LIFE + _DAY
        why = "the OAuth client is in testing, so " if in_testing else "access was granted for a limited time: "
        yield f"{why}this sign-in ends {_day(ends)}; {_PUBLISH if in_testing else LOGIN + ' before that'}"
    elif grant.refreshed_at - grant.issued_at < TESTING_LIFE and now - grant.issued_at < TESTING_LIFE:
        yield (
            f"if the OAuth client is still in testing, this sign-in ends {_day(grant.issued_at + TESTING_LIFE)}; "
            f"if you have not done so: {_PUBLISH}"
        )
    elif now - grant.refreshed_at > _UNUSED_LIFE * 5 / 6:
        yield f"unused since {_day(grant.refreshed_at)}: Google ends a sign-in after six months without a run"
    if abs(grant.skew) > _SKEW:
        side = "behind" if grant.skew > 0 else "ahead of"
        yield f"this machine's clock is {abs(grant.skew) / 60:.0f} minutes {side} Google's; set it (NTP)"


def _day(moment: float) -> str:
    return _moment(moment).astimezone().strftime("%Y-%m-%d %H:%M")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(min(max(seconds, 0.0), 4e9), UTC)
