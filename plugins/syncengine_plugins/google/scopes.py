"""What a user can grant, and what each grant is good for.

State of 2025-03-31: the scopes that read a whole library are gone; what is left sees what the app itself created.
Source: https://developers.google.com/photos/overview/authorization
"""

from __future__ import annotations

from collections.abc import Iterable

_ROOT = "https://www.googleapis.com/auth/"

#: Asked for with every sign-in, so that ``status`` can say whose it is; they show no extra box to tick.
OPENID = "openid"
EMAIL = _ROOT + "userinfo.email"
IDENTITY = (OPENID, EMAIL)

LIBRARY_READ = _ROOT + "photoslibrary.readonly.appcreateddata"
PICKER_READ = _ROOT + "photospicker.mediaitems.readonly"
DRIVE_READ = _ROOT + "drive.readonly"
#: Moving finished archives to the trash takes the whole drive; nothing smaller covers files of other apps.
DRIVE_FULL = _ROOT + "drive"

_IMPLIED: dict[str, frozenset[str]] = {DRIVE_FULL: frozenset({DRIVE_READ})}
_TITLES = {
    LIBRARY_READ: "read the photos that this app itself uploaded",
    PICKER_READ: "read the photos that you pick",
    DRIVE_READ: "read the files in Google Drive",
    DRIVE_FULL: "read, change and delete the files in Google Drive",
    EMAIL: "see your e-mail address",
    OPENID: "know who you are",
}


def missing(wanted: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
    """Return the wanted scopes that the granted ones do not cover, in the order wanted.

    A user may untick single boxes of the consent page; who you are is not worth a refusal.
    """
    have = set(granted)
    for scope in tuple(have):
        have |= _IMPLIED.get(scope, frozenset())
    return tuple(scope for scope in wanted if scope not in have and scope not in IDENTITY)


def title(scope: str) -> str:
    """Return what a scope allows, as the consent page might put it, with the scope's short name."""
    short = scope.removeprefix(_ROOT)
    return f"{_TITLES[scope]} ({short})" if scope in _TITLES else short
