"""A repair of the backup that the engine's tests run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from syncengine.engine import runner
from syncengine.engine.parts import Only
from syncengine.engine.repairing.copies import GoodCopy, listed_copies
from syncengine.engine.repairing.parts import Refetched, Repairing
from syncengine.engine.repairing.repairer import can_be_repaired, repair
from syncengine.engine.steady_destination import SteadyDestination
from syncengine.errors import FatalError
from syncengine.state.store import StateStore
from tests.unit.engine.conftest import ROME
from tests.unit.engine.verification.conftest import verified, watched

__all__ = ["repaired", "verified", "watched"]


class Others:
    """Other destinations, all in one list."""

    def __init__(self, destinations: list[Any]) -> None:
        self._destinations = destinations

    def copies(self, wanted: set[bytes]) -> Iterator[GoodCopy]:
        for destination in self._destinations:
            yield from listed_copies(wanted, destination, "elsewhere")


@pytest.fixture
def repaired(backup: Any, verified: Any) -> Callable[..., dict[str, str]]:
    """Verify, repair, and return what is said of each finding's path, by path; repaired ones begin with a plus."""

    def run(*others: Any, **changes: Any) -> dict[str, str]:
        def fetch_again(ids: frozenset[str]) -> Refetched:
            try:
                with backup.parts() as parts:
                    report = runner.run(msgspec.structs.replace(parts, only=Only(ids, "repair")))
            except FatalError as error:
                return Refetched(reason=error.reason)
            failures = {failure["id"]: failure["reason"] for failure in report.failures}
            return Refetched(reason=report.reason, failures=failures, is_run=report.ended == "completed")

        found = verified()
        staging = backup.directory / "repair-staging"
        staging.mkdir(exist_ok=True)
        spool = backup.directory / "spool" / "repair"
        spool.mkdir(parents=True)
        with StateStore.open(backup.directory / "state") as store:
            destination = SteadyDestination(backup.destination, backup.stop)
            facts: dict[str, Any] = {
                "run": "repair",
                "profile": backup.profile,
                "source_label": "memory",
                "destination": destination,
                "state": store.bind(backup.profile, backup.destination.identity),
                "staging": staging,
                "spool": spool,
                "albums": backup.albums,
                "metadata": backup.metadata,
                "zone": ROME,
                "exclusive": contextlib.nullcontext,
                "elsewhere": Others(list(others)),
                "fetch_again": fetch_again,
                "note": lambda text: None,
                "stop": backup.stop,
            }
            parts = Repairing(**{**facts, **changes})
            outcomes = repair(parts, [finding for finding in found.findings if can_be_repaired(finding)])
        assert list(staging.iterdir()) == []
        return {one.path: ("+" if one.repaired else "") + one.repair for one in outcomes}

    return run
