"""What is known of a profile's source and of its runs, without running it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import msgspec

from syncengine.api import (
    Album,
    RunReport,
)
from syncengine.app.opening import open_source
from syncengine.config.profile import Profile
from syncengine.engine.silence import Silent
from syncengine.errors import LockedError
from syncengine.state.locks import profile_lock
from syncengine.state.placement import default_state_directory
from syncengine.state.store import StateStore


class ProfileStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What ``syncengine status`` shows of a profile.

    Args:
        profile: its name.
        runs: the newest accounts, newest first.
        running: a run is under way.
    """

    profile: str
    runs: tuple[RunReport, ...]
    running: bool


def list_albums(profile: Profile) -> list[Album]:
    """Return the source's albums, sorted by title.

    Raises:
        FatalError: the source cannot be reached.
    """
    with ExitStack() as stack:
        source = open_source(profile, default_state_directory(), stack, Silent(), threading.Event())
        return sorted(source.albums(), key=lambda album: (album.title.casefold(), album.id))


def reports(profile: str, limit: int) -> list[RunReport]:
    """Return the newest accounts of a profile, newest first; empty when it never ran."""
    directory = default_state_directory()
    with StateStore.open(directory) as store:
        return store.bind(profile, "").runs(limit)


def status(profile: str, limit: int) -> ProfileStatus:
    """Return what is known of a profile's runs."""
    return ProfileStatus(
        profile=profile, runs=tuple(reports(profile, limit)), running=_is_running(default_state_directory(), profile)
    )


def known_profiles() -> list[str]:
    """Return the names of the profiles that ever ran here, sorted."""
    directory = default_state_directory() / "profiles"
    return sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []


def _is_running(directory: Path, profile: str) -> bool:
    try:
        with profile_lock(directory, profile):
            return False
    except LockedError:
        return True
