"""What a plan says beside its actions: what it is made of, and its sums."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

FORMAT = "syncengine plan"
VERSION = 1


class PlannedProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The profile that a plan is of.

    Args:
        path: of its file, absolute.
        name: its name.
        sha256: over the file's bytes, as hex.
        settings: a digest of each value as the profile means it, variables replaced, by its key; secrets left out.
    """

    path: str
    name: str
    sha256: str
    settings: Mapping[str, str]


class PlannedDestination(msgspec.Struct, frozen=True, kw_only=True):
    """The destination as the plan found it.

    Args:
        plugin: the plugin's name.
        location: where it is.
        identity: what it is known by; empty when there was none yet.
        contents: files of the library that are remembered there.
        sha256: over their keys and paths, as hex.
        last_run: id of this profile's newest run, or empty.
    """

    plugin: str
    location: str
    identity: str
    contents: int
    sha256: str
    last_run: str


class PlannedOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line added to the profile; see ``RunRequest``."""

    albums: tuple[str, ...] = ()
    limit: int | None = None
    max_delete: tuple[int | None, float | None] | None = None
    yes: bool = False
    remake: bool = False
    relayout: bool = False


class PlannedSource(msgspec.Struct, frozen=True, kw_only=True):
    """The source as the plan found it.

    Args:
        plugin: the plugin's name.
        items: that it listed.
        sha256: over id and tokens of all of them, in the order of the listing, as hex.
        albums: SHA-256 over the albums' ids, titles and texts, as hex; empty when the source did not say.
        complete: it could list all that it should hold.
        missing: the parts that it could not list.
    """

    plugin: str
    items: int
    sha256: str
    albums: str
    complete: bool
    missing: tuple[str, ...]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before the actions: when it was made, by which version, and what it is made of."""

    format: str = FORMAT
    version: int = VERSION
    made: str
    syncengine: str
    profile: PlannedProfile
    destination: PlannedDestination
    options: PlannedOptions


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What stands after the actions, for people.

    Args:
        actions: how many, by what is done.
        bytes: to be fetched, as far as the source knows sizes.
        unsized: items to be fetched whose size it does not know.
        unchanged: items that are as they were.
        filtered: items that are left out.
    """

    actions: Mapping[str, int] = {}
    bytes: int = 0
    unsized: int = 0
    unchanged: int = 0
    filtered: int = 0


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """What stands after the actions: the source and the totals are only known once all was listed."""

    source: PlannedSource
    totals: Totals
