"""Where the profiles are that ran on this machine, so that a repair finds what their destinations hold."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from syncengine.config.profile import Profile

_FILE = "profile.json"


class _Remembered(msgspec.Struct, frozen=True):
    """A profile's file, absolute."""

    path: str


def remember(directory: Path, profile: Profile) -> None:
    """Write down where a profile was read from. Raises ``OSError`` when the state directory's disk is full.

    Args:
        directory: the state directory.
        profile: is about to run.
    """
    own = directory / "profiles" / profile.name
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = msgspec.json.encode(_Remembered(str(profile.file.absolute())))
    file = own / _FILE
    if file.is_file() and file.read_bytes() == content:
        return
    new = file.with_suffix(".new")
    new.write_bytes(content)
    os.replace(new, file)


def remembered(directory: Path) -> dict[str, Path]:
    """Return the file of each profile that ran here, by the profile's name."""
    found: dict[str, Path] = {}
    profiles = directory / "profiles"
    for own in sorted(profiles.iterdir()) if profiles.is_dir() else ():
        try:
            found[own.name] = Path(msgspec.json.decode((own / _FILE).read_bytes(), type=_Remembered).path)
        except (OSError, msgspec.MsgspecError):
            continue
    return found
