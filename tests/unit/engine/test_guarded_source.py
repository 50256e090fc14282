"""Whatever a source raises ends one item or the listing, and is told without its secrets."""

from __future__ import annotations

import pytest

from syncengine.api import FatalError, RetryableError
from syncengine.engine.guarded_source import GuardedSource
from syncengine.security.redaction import GONE, redact
from syncengine.testing.faults import Fault, Faults, FaultySource
from tests.unit.engine.photos import ROME, photo

SECRET = "ya29.a0AfB_byC1d2E3f4G5h6I7j8K9l0M1n2O3p4Q5r6S7t8U9v0"


def with_accident(backup, method):
    make = backup.source
    error = KeyError(f"Authorization: Bearer {SECRET}")
    faults = Faults([Fault(method, error)])
    backup.source = lambda: GuardedSource(FaultySource(make(), faults), redact)


@pytest.fixture
def library(backup):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        backup.library.add(photo(name, albums=(ROME,)), name.encode())
    return backup


@pytest.mark.parametrize("method", ["fetch", "describe"])
def test_an_accident_with_an_item_fails_it_alone(library, method, caplog):
    with_accident(library, method)
    report = library.run()
    assert (report.outcomes["failed"], report.outcomes["stored"]) == (1, 2)
    assert report.complete
    reason = report.failures[0]["reason"]
    assert reason.startswith("internal error in the source: KeyError: ")
    assert GONE in reason
    assert SECRET not in reason
    assert not any(SECRET.encode() in library.read(stat.path) for stat in library.destination.list(""))
    assert "the source failed while" in caplog.text


def test_an_accident_while_listing_ends_the_run(library):
    with_accident(library, "scan")
    report = library.run()
    assert (report.ended, report.complete) == ("stopped", False)
    assert report.reason.startswith("internal error in the source: KeyError: ")
    assert SECRET not in report.reason


@pytest.mark.parametrize(("method", "what"), [("inventory", "totals"), ("albums", "albums")])
def test_an_accident_with_what_concerns_all_leaves_the_items_stored(library, method, what):
    good = library.source
    with_accident(library, method)
    report = library.run()
    assert report.outcomes["stored"] == 3
    assert (report.ended, report.complete) == ("completed", False)
    assert report.missing[0].startswith(f"the source's {what}: internal error in the source: KeyError")
    assert SECRET not in str(report.missing)
    assert library.files("albums")
    library.source = good
    assert library.run().complete


def test_what_the_contract_knows_passes_as_it_is(library):
    for error in (
        FatalError("the disk is gone", advice="mount it"),
        RetryableError("later", after=3),
    ):
        source = GuardedSource(FaultySource(library.source(), Faults([Fault("inventory", error)])), redact)
        with pytest.raises(type(error)) as caught:
            source.inventory()
        assert caught.value is error
