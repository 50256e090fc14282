"""A verification of the backup that the engine's tests run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from syncengine.config import schema_files
from syncengine.engine.steady_destination import SteadyDestination
from syncengine.engine.verification.findings import Finding, Verification
from syncengine.engine.verification.selection import Selection
from syncengine.engine.verification.verifier import Verifying, verify
from syncengine.state.store import StateStore


class Watched:
    """A watcher that remembers, and may do something after each file."""

    def __init__(self) -> None:
        self.plan: tuple[int, int] = (0, 0)
        self.skips = 0
        self.read = 0
        self.files = 0
        self.after: Callable[[int], Any] = lambda count: None

    def planned(self, files: int, size: int) -> None:
        self.plan = (files, size)

    def skipped(self, files: int, size: int) -> None:
        self.skips += files

    def reading(self, size: int) -> None:
        self.read += size

    def checked(self, size: int, finding: Finding | None) -> None:
        self.read += size
        self.files += 1
        self.after(self.files)

    def note(self, text: str) -> None:
        """Nobody reads it."""


@pytest.fixture
def watched() -> Watched:
    """What the verification tells."""
    return Watched()


@pytest.fixture
def verified(backup: Any, watched: Watched) -> Callable[..., Verification]:
    """Verify the backup once; keywords replace what a verification is made of."""

    def run(**changes: Any) -> Verification:
        scratch = backup.directory / "verify-scratch"
        scratch.mkdir(exist_ok=True)
        with StateStore.open(backup.directory / "state") as store:
            facts: dict[str, Any] = {
                "profile": backup.profile,
                "destination_label": "memory",
                "destination": SteadyDestination(backup.destination, backup.stop),
                "state": store.bind(backup.profile, backup.destination.identity),
                "selection": Selection(),
                "restart": False,
                "layout": backup.layout,
                "albums": backup.albums,
                "metadata": backup.metadata,
                "threads": 2,
                "scratch": scratch,
                "progress_file": backup.directory / "verify.jsonl",
                "watcher": watched,
                "stop": backup.stop,
                "exclusive": contextlib.nullcontext,
                "unfinished": lambda: None,
            }
            found = verify(Verifying(**{**facts, **changes}))
        jsonschema.validate(found.entry(), schema_files.schema("verify.schema.json"))
        assert list(scratch.iterdir()) == []
        return found

    return run
