"""Scopes by name, and which of them the consent page knows."""

from __future__ import annotations

_AUTH = "https://www.googleapis.com/auth/"

DRIVE = _AUTH + "drive"
DRIVE_READONLY = _AUTH + "drive.readonly"
DRIVE_METADATA = _AUTH + "drive.metadata"
DRIVE_METADATA_READONLY = _AUTH + "drive.metadata.readonly"
DRIVE_FILE = _AUTH + "drive.file"
DRIVE_APPDATA = _AUTH + "drive.appdata"

LIBRARY_READ = _AUTH + "photoslibrary.readonly.appcreateddata"
LIBRARY_APPEND = _AUTH + "photoslibrary.appendonly"
LIBRARY_EDIT = _AUTH + "photoslibrary.edit.appcreateddata"
PICKER = _AUTH + "photospicker.mediaitems.readonly"

# Consent may still name them, and every call with them alone is refused since 2025-03-31.
LIBRARY_REMOVED = frozenset(
    _AUTH + name for name in ("photoslibrary", "photoslibrary.readonly", "photoslibrary.sharing")
)

OPENID, EMAIL, PROFILE = "openid", "email", "profile"
_LONG_NAMES = {EMAIL: _AUTH + "userinfo.email", PROFILE: _AUTH + "userinfo.profile"}
IDENTITY = frozenset({OPENID, EMAIL, PROFILE, *_LONG_NAMES.values()})

ALL_DRIVE = frozenset({DRIVE, DRIVE_READONLY, DRIVE_METADATA, DRIVE_METADATA_READONLY, DRIVE_FILE, DRIVE_APPDATA})
ALL_PHOTOS = frozenset({LIBRARY_READ, LIBRARY_APPEND, LIBRARY_EDIT, PICKER})
USEFUL = frozenset({DRIVE}) | ALL_PHOTOS | {OPENID, _LONG_NAMES[EMAIL], _LONG_NAMES[PROFILE]}
KNOWN = ALL_DRIVE | ALL_PHOTOS | LIBRARY_REMOVED | IDENTITY

# The closed list of the device flow, as its page had it.
DEVICE = IDENTITY | {DRIVE_FILE, DRIVE_APPDATA, _AUTH + "youtube", _AUTH + "youtube.readonly"}


def split(text: str) -> frozenset[str]:
    """Scopes of a space-separated list; short names of the identity scopes become the long ones.

    Args:
        text: the parameter ``scope``.
    """
    return frozenset(_LONG_NAMES.get(scope, scope) for scope in text.split())


def join(scopes: frozenset[str]) -> str:
    """A set of scopes as Google writes it, in a settled order."""
    return " ".join(sorted(scopes))
