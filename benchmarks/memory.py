"""How much memory a run takes: with ever more items, and with a huge video inside a zip.

    python -m benchmarks.memory [--items 10000 100000 1000000] [--sources folder takeout] [--video 4096]

The peak is that of the largest process, as the kernel counted it; the figure for all processes together counts
shared pages once and comes from samples.
"""

from __future__ import annotations

import argparse
import shutil

from benchmarks.measuring import Run, need_space, syncengine, verdict, workplace
from benchmarks.profiles import write_profile
from benchmarks.workloads import empty_tree, takeout_parts, takeout_with_large_video

_LIMIT = 250


def main() -> None:
    """Weigh scan and plan at several sizes, then a whole run over one large video."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="library sizes")
    parser.add_argument("--sources", nargs="*", choices=["folder", "takeout"], default=["folder", "takeout"])
    parser.add_argument("--video", type=int, default=4096, help="MiB of the video; 0 leaves it out")
    options = parser.parse_args()
    for source in options.sources:
        peaks = [_plan(source, count) for count in options.items]
        if len(peaks) > 1:
            growth = (peaks[-1] - peaks[0]) / (options.items[-1] - options.items[0])
            print(f"  {source}: {growth:.0f} bytes more for each further item")
    if options.video:
        _large_video(options.video << 20)


def _plan(source: str, count: int) -> int:
    with workplace("memory") as place:
        library = place / "library"
        (empty_tree if source == "folder" else takeout_parts)(library, count)
        profile = write_profile(place, source, library, place / "backup")
        done = syncengine("run", "--dry-run", profile, state=place / "state", weigh=True)
        _report(f"{source}, scan and plan of {count:,} items", done)
        return done.peak


def _large_video(size: int) -> None:
    need_space(int(1.1 * size))
    with workplace("memory") as place:
        library, backup = place / "library", place / "backup"
        takeout_with_large_video(library, size)
        profile = write_profile(place, "takeout", library, backup)
        done = syncengine("run", profile, state=place / "state", weigh=True)
        stored = [file for file in backup.glob("photos/**/*") if file.is_file()]
        assert [file.stat().st_size >> 20 for file in stored] == [size >> 20], stored
        _report(f"takeout, a run over a video of {size >> 20} MiB", done)
        shutil.rmtree(backup)


def _report(what: str, done: Run) -> None:
    print(f"  {what}: {done.seconds:.1f} s; all processes together {done.tree / 1e6:.0f} MB")
    verdict("peak memory of the largest process", done.peak / 1e6, _LIMIT, at_least=False, unit=" MB")


if __name__ == "__main__":
    main()
