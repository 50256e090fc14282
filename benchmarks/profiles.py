"""The profiles that benchmarks run, written where they work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_profile(place: Path, source: str, path: Path, backup: Path, **stages: Any) -> Path:
    """Write a profile into ``place`` and return its path.

    Args:
        place: the benchmark's directory.
        source: the source plugin's name.
        path: what it reads.
        backup: the folder that it is backed up to.
        **stages: further top-level keys of the profile.
    """
    profile = {
        "version": 1,
        "name": place.name,
        "source": {source: {"path": str(path)}},
        "destination": {"filesystem": {"path": str(backup)}},
        "timezone": "UTC",
        "dedup": ["sha256"],
        **stages,
    }
    file = place / f"{source}.yaml"
    file.write_text(json.dumps(profile, indent=2), encoding="utf-8")  # JSON is YAML
    return file
