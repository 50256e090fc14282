"""A profile as a value: validated, interpolated, with every plugin's options converted to their Struct."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from syncengine.api import PluginOptions, Selection

AlbumStyle = Literal["auto", "hardlink", "symlink", "copy", "manifest", "none"]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin as the profile uses it.

    Args:
        name: the plugin's name in its kind.
        plugin: its class.
        options: converted to the plugin's own Struct.
    """

    name: str
    plugin: type[Any]
    options: PluginOptions

    def make(self) -> Any:
        """Return the plugin, made with its options."""
        return self.plugin(self.options)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How files are named at the destination; see the product page, section 3."""

    path: str = "photos/{taken:%Y}/{taken:%m}/{name}"
    albums: AlbumStyle = "auto"
    metadata: tuple[Literal["json", "xmp"], ...] = ("json",)


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at the destination to photos that left the source.

    Args:
        mode: ``additive`` never deletes; ``mirror`` moves to the trash what left.
        max_delete: the most that one run may remove, as (number, percentage), either of them ``None``; where both are
            there, the smaller one holds.
        trash_days: how long removed photos stay in the trash.
    """

    mode: Literal["additive", "mirror"] = "additive"
    max_delete: tuple[int | None, float | None] = (50, 1.0)
    trash_days: int = 30


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done at once.

    Args:
        downloads: concurrent transfers.
        workers: processes for image work; ``None`` means as many as there are cores.
        bandwidth: bytes per second, or ``None`` for no limit.
        item_timeout: seconds that image work on one item may take.
        item_memory: bytes that image work on one item may use.
    """

    downloads: int = 5
    workers: int | None = None
    bandwidth: int | None = None
    item_timeout: float = 300.0
    item_memory: int = 4 << 30


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One YAML file: one source, one destination, and what happens between them.

    Args:
        name: unique among a user's profiles; its state and its lock are kept under it.
        file: where it was read from.
        source: where the photos come from.
        destination: where they go.
        select: which of them.
        transforms: in order.
        dedup: in order.
        layout: names at the destination.
        sync: what left the source.
        execution: how much at once.
        rebuild_damaged_state: a run sets a damaged state store aside and makes it again; otherwise it stops.
        zone: for capture times that know no zone.
        schedule: cron expression for the daemon.
        observers: names of the observers under ``notify``, for ``PluginHost.observe``.
        log_level: ``DEBUG`` to ``CRITICAL``, or ``None`` when the profile does not say.
    """

    name: str
    file: Path
    source: Stage
    destination: Stage
    select: Selection = Selection()
    transforms: tuple[Stage, ...] = ()
    dedup: tuple[Stage, ...] = ()
    layout: Layout = Layout()
    sync: Sync = Sync()
    execution: Execution = Execution()
    rebuild_damaged_state: bool = False
    zone: ZoneInfo
    schedule: str | None = None
    observers: tuple[str, ...] = ()
    log_level: str | None = None
