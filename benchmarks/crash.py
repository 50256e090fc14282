"""How many photos some hundred kills of the real command cost: none lost, none double, none half.

python -m benchmarks.crash [--kills 500] [--seed 1]

Runs over three small libraries are killed with SIGKILL: two fifths at random moments, the others just before a system
call (where there is strace) or a call of Python's that changes something on a disk; one, two or three kills to each
backup. Then the next run completes, and the backup is held against one to which nothing happened: names, bytes, times,
papers, checksums. A run after that must change nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, cycle, islice

from benchmarks.measuring import verdict, workplace
from tests.crash.campaign import Campaign, Toll
from tests.crash.kills import Blow
from tests.crash.libraries import LIBRARIES

_AT_ONCE = 12


def main() -> None:
    """Kill, and say what it cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="decides which moments are taken")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    started = time.monotonic()
    with workplace("crash") as place:
        campaigns = [Campaign(name, place / str(at), chance) for at, name in enumerate(LIBRARIES)]
        toll = _go_to_war(campaigns, chance, arguments.kills)
    for cause in toll.causes:
        print(f"  {cause}")
    damage = toll.damage
    print(
        f"  {toll.kills} kills in {time.monotonic() - started:.0f} s: {len(damage.lost)} lost, {len(damage.double)} "
        f"double, {len(damage.half)} half, {len(damage.other)} otherwise not as without a crash"
    )
    verdict("kills", toll.kills, arguments.kills, at_least=True)
    verdict("lost, double, half or different", sum(map(len, damage.all())), 0, at_least=False)
    sys.exit(1 if damage else 0)


def _go_to_war(campaigns: Sequence[Campaign], chance: random.Random, wanted: int) -> Toll:
    """Kill until so many runs were killed; a blow that comes after a run's end is none."""
    toll = Toll()
    share = -(-wanted // (3 * len(campaigns)))
    orders = [iter(_orders(campaign, share, chance)) for campaign in campaigns]
    taking_turns = chain.from_iterable(map(list, zip(*orders, strict=True)))
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        while toll.kills < wanted:
            some = list(islice(taking_turns, min(_AT_ONCE, wanted - toll.kills)))
            for one in pool.map(lambda order: order[0].suffer(order[1]), some):
                toll.add(one)
    return toll


def _orders(campaign: Campaign, share: int, chance: random.Random) -> Iterator[tuple[Campaign, list[Blow]]]:
    """Yield chains of blows for ever: random moments, exact ones, all of them again in another order."""
    blows: list[Blow] = [*campaign.moments(share + share // 5)]
    system_calls = campaign.system_calls(share)
    blows += [*system_calls, *campaign.python_calls(2 * share - len(system_calls))]
    for _ in cycle((None,)):
        for links in campaign.chains(chance.sample(blows, len(blows))):
            yield campaign, links


if __name__ == "__main__":
    main()
