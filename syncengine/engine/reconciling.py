"""Holding a run's numbers against the source's own, each of which was counted where it came up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from syncengine.api import Inventory

#: The total that is the number of items; every other one is the source's own affair.
ITEMS = "items"


class Reconciliation(msgspec.Struct, frozen=True):
    """Whether the numbers agree, ``None`` when that could not be checked; and those that do not."""

    agrees: bool | None = None
    disagreements: tuple[str, ...] = ()


def reconcile(listed: int, outcomes: Mapping[str, int], inventory: Inventory) -> Reconciliation:
    """Return whether all numbers of a run that came to its end agree.

    Args:
        listed: items that the run saw.
        outcomes: items in each class.
        inventory: the source's totals, after a scan that was read to its end.
    """
    found = tuple(_disagreements(listed, outcomes, inventory))
    if not found and ITEMS not in inventory.counts:
        return Reconciliation()
    return Reconciliation(not found, found)


def _disagreements(listed: int, outcomes: Mapping[str, int], inventory: Inventory) -> Iterator[str]:
    """Yield the numbers that do not agree, a sentence each."""
    classed = sum(outcomes.values())
    if classed != listed:
        yield f"{listed:,} items were listed, and {classed:,} are in a class"
    counts = inventory.counts
    if counts.get(ITEMS, listed) != listed:
        yield f"the source counts {counts[ITEMS]:,} items, and {listed:,} were listed"
    for total, parts in inventory.sums.items():
        found = sum(counts.get(part, 0) for part in parts)
        if counts.get(total, 0) != found:
            yield f"the source counts {counts.get(total, 0):,} {total}, and {found:,} of {_named(parts)}"


def _named(parts: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1] if parts else "")))
