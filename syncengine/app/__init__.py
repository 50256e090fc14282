"""The composition root: puts the parts of each command together. The only package that knows every part."""

from syncengine.app.accounts import ProfileStatus, known_profiles, list_albums, reports, status
from syncengine.app.runs import RunRequest, load, planned, run_profile

__all__ = [
    "ProfileStatus",
    "RunRequest",
    "known_profiles",
    "list_albums",
    "load",
    "planned",
    "reports",
    "run_profile",
    "status",
]
