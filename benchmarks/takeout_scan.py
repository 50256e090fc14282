"""How long the takeout source takes to list a library, and how much memory: first, and again without a change.

Usage: ``python benchmarks/takeout_scan.py [ITEMS ...]``, such as ``10000 100000 1000000``. Makes zip parts of 20,000
items (year folder, sidecar, every tenth in an album as well) in a temporary directory; each measurement is a process
of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syncengine.api import RunContext, Selection
from syncengine.testing.sample_library import sidecar

_PER_PART = 20_000
_START = datetime(2001, 1, 1, tzinfo=UTC)


def make_library(directory: Path, items: int) -> int:
    """Write parts for that many items and return the number of archive members."""
    members = 0
    for part, first in enumerate(range(0, items, _PER_PART), 1):
        path = directory / f"takeout-20260101T000000Z-{part:03}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(first, min(first + _PER_PART, items)):
                taken = _START + timedelta(seconds=700 * number)
                name = f"IMG_{number:07}.jpg"
                text = sidecar(name, taken, place=(45.0 + number % 90 / 9, 9.0), people=("Ada",))
                for folder in (f"Photos from {taken.year}", f"Album {number // 1000}")[: 1 + (number % 10 == 0)]:
                    stem = f"Takeout/Google Photos/{folder}/{name}"
                    archive.writestr(stem, f"photo {number}".encode())
                    archive.writestr(f"{stem}.supplemental-metadata.json", text, zipfile.ZIP_DEFLATED)
                    members += 2
    return members


def measure(directory: Path) -> None:
    """List the library once and print what it took."""
    from syncengine_plugins.sources.takeout import TakeoutOptions, TakeoutSource

    started = time.perf_counter()
    with TakeoutSource(TakeoutOptions(path=str(directory / "parts"))) as source:
        source.open(RunContext(cache=directory / "cache", scratch=directory))
        count = sum(1 for _ in source.scan(Selection()))
        inventory = source.inventory()
    seconds = time.perf_counter() - started
    processor = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    index = (directory / "cache" / "takeout.sqlite").stat().st_size / 1e6
    print(
        f"{count:>9,} items, {inventory.counts['members']:,} members in {seconds:7.2f} s = {count / seconds:>9,.0f}/s,"
        f" {processor:.2f} s of processor time,"
        f" peak {peak:5.0f} MB, index {index:.0f} MB",
        flush=True,
    )


def main() -> None:
    """Run all sizes, each in fresh processes."""
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
        return
    for items in [int(number) for number in sys.argv[1:]] or [10_000, 100_000]:
        with tempfile.TemporaryDirectory(prefix="takeout-scan-") as name:
            directory = Path(name)
            (directory / "parts").mkdir()
            make_library(directory / "parts", items)
            for label in ("first", "again"):
                print(f"{label}: ", end="", flush=True)
                subprocess.run([sys.executable, __file__, "--measure", name], check=True)


if __name__ == "__main__":
    main()
