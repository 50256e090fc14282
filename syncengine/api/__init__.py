"""The one package that plugins import.

A plugin is a module with a class that keeps one of the contracts, and a hook that registers it::

    from syncengine.api import Meta, PluginOptions, Transform, hookimpl

    class Watermark(Transform[WatermarkOptions]):
        Options = WatermarkOptions
        ...

    @hookimpl
    def syncengine_register(registry):
        registry.add("transform", "watermark", Watermark)

and an entry point in the group ``syncengine.plugins`` named ``transform.watermark``. ``docs/plugins.md`` has a whole
working example.
"""

from syncengine.api.credentials import (
    CredentialStore,
    NeedsSignIn,
    SignedIn,
    SignedOut,
    SignInScreen,
    SignInStatus,
    SignInWay,
)
from syncengine.api.deduplicator import Deduplicator, FingerprintIndex, Match
from syncengine.api.destination import Capabilities, Destination, FileStat, TargetExistsError, Upload
from syncengine.api.hooks import hookimpl
from syncengine.api.options import Meta, PluginOptions, options_schema
from syncengine.api.plugin import Plugin
from syncengine.api.quotas import CounterStore, QuotaError, QuotaKeeper
from syncengine.api.registry import KINDS, PluginKind, Registry
from syncengine.api.selection import Selection
from syncengine.api.source import ItemReader, RunContext, Sink, Source
from syncengine.api.transform import Transform
from syncengine.errors import FatalError, ItemError, PluginError, RetryableError
from syncengine.model import (
    Album,
    AlbumRef,
    AppliedTransform,
    Asset,
    CaptureTime,
    Inventory,
    ItemState,
    Kind,
    LedgerLine,
    Location,
    MediaItem,
    Outcome,
    RunReport,
    TimeOrigin,
)

__all__ = [
    "KINDS",
    "Album",
    "AlbumRef",
    "AppliedTransform",
    "Asset",
    "Capabilities",
    "CaptureTime",
    "CounterStore",
    "CredentialStore",
    "Deduplicator",
    "Destination",
    "FatalError",
    "FileStat",
    "FingerprintIndex",
    "Inventory",
    "ItemError",
    "ItemReader",
    "ItemState",
    "Kind",
    "LedgerLine",
    "Location",
    "Match",
    "MediaItem",
    "Meta",
    "NeedsSignIn",
    "Outcome",
    "Plugin",
    "PluginError",
    "PluginKind",
    "PluginOptions",
    "QuotaError",
    "QuotaKeeper",
    "Registry",
    "RetryableError",
    "RunContext",
    "RunReport",
    "Selection",
    "SignInScreen",
    "SignInStatus",
    "SignInWay",
    "SignedIn",
    "SignedOut",
    "Sink",
    "Source",
    "TargetExistsError",
    "TimeOrigin",
    "Transform",
    "Upload",
    "hookimpl",
    "options_schema",
]
