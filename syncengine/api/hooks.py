"""The hooks by which plugins are found and told what happens; the photos themselves never pass through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from syncengine.api.registry import Registry
    from syncengine.model import LedgerLine, RunReport

PROJECT = "syncengine"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """Hook specifications. An observer that raises is logged and never fails a run."""

    @hookspec(historic=True)
    def syncengine_register(self, registry: Registry) -> None:
        """Add this plugin's classes to ``registry``. Called once, also for plugins loaded later."""

    @hookspec
    def syncengine_run_started(self, profile: str, run: str) -> None:
        """A run of ``profile`` has begun; ``run`` is its id."""

    @hookspec
    def syncengine_item_finished(self, profile: str, line: LedgerLine) -> None:
        """One item's outcome is final. Called often: return quickly. Not called for unchanged and filtered items."""

    @hookspec
    def syncengine_run_finished(self, profile: str, report: RunReport) -> None:
        """A run is over, well or not."""
