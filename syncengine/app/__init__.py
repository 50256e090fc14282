"""The composition root: puts the parts of each command together. The only package that knows every part."""

from syncengine.app.accounts import ProfileStatus, known_profiles, list_albums, reports, status
from syncengine.app.run_comparisons import compare_runs
from syncengine.app.runs import RunRequest, load, run_profile
from syncengine.app.saved_plans import Applied, apply_plan, planned

__all__ = [
    "Applied",
    "ProfileStatus",
    "RunRequest",
    "apply_plan",
    "compare_runs",
    "known_profiles",
    "list_albums",
    "load",
    "planned",
    "reports",
    "run_profile",
    "status",
]
