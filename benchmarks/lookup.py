"""What it costs to ask the state whether a content is known already.

python -m benchmarks.lookup [--contents 100000] [--lookups 50000]
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import verdict, workplace
from syncengine.records import ContentRecord, StateBatch
from syncengine.state.store import ProfileState, StateStore

_BATCH = 64


def main() -> None:
    """Fill a state store, then look contents up, half of them known, one by one and in the engine's batches."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contents", type=int, default=100_000, help="how many the destination holds")
    parser.add_argument("--lookups", type=int, default=50_000, help="how many are looked up")
    options = parser.parse_args()
    with workplace("lookup") as place, StateStore.open(place) as store:
        state = store.bind("bench", "destination")
        _fill(state, options.contents)
        wanted = [_key(2 * number * options.contents // options.lookups) for number in range(options.lookups)]
        for size in (1, _BATCH):
            micros = _microseconds(state, wanted, size, options.contents)
            verdict(f"a look-up among {options.contents:,}, {size} at a time", micros, 20, at_least=False, unit=" us")


def _fill(state: ProfileState, count: int) -> None:
    for first in range(0, count, 1000):
        keys = map(_key, range(first, min(first + 1000, count)))
        state.commit(StateBatch(contents=[_record(key, Path("photos/2019/07")) for key in keys]))


def _record(key: bytes, folder: Path) -> ContentRecord:
    path = str(folder / f"{key.hex()[:12]}.jpg")
    return ContentRecord(key, path, key, key, 200_000, 200_000, 1562156525.0, key.hex(), "IMG_0001.jpg", "bench")


def _key(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def _microseconds(state: ProfileState, wanted: Sequence[bytes], size: int, contents: int) -> float:
    """Return what one look-up costs when ``size`` are asked for at once; every second one must be found."""
    found = 0
    started = time.perf_counter()
    for first in range(0, len(wanted), size):
        found += sum(record is not None for record in state.contents(wanted[first : first + size]))
    elapsed = time.perf_counter() - started
    expected = sum(2 * number * contents // len(wanted) < contents for number in range(len(wanted)))
    assert found == expected, f"{found} found, {expected} are there"
    return 1e6 * elapsed / len(wanted)


if __name__ == "__main__":
    main()
