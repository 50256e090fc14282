"""A run that finds nothing changed, beside ``rclone copy`` and a bare scan with look-ups.

python -m benchmarks.second_run [--count 100000] [--size 4096] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import alternating, installed, need_space, peer, seconds, syncengine, verdict, workplace
from benchmarks.profiles import write_profile
from benchmarks.workloads import jpeg_tree


def main() -> None:
    """Let each make its copy once, then time the second runs, taking turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="files")
    parser.add_argument("--size", type=int, default=4096, help="bytes of each")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed")
    options = parser.parse_args()
    need_space(5 * options.count * max(options.size, 4096))
    with workplace("second-run") as place:
        library, state = place / "library", place / "state"
        jpeg_tree(library, options.count, options.size)
        profile = write_profile(place, "folder", library, place / "backup")
        first = syncengine("run", profile, state=state)
        print(f"  first run: syncengine {first.seconds:.1f} s")
        known = _remembered(library, place / "known")
        ways = [
            lambda: _unchanged(profile, state, options.count),
            lambda: _bare_scan(library, known, options.count),
        ]
        if installed("rclone"):
            print(f"  first run: rclone {peer('rclone', 'copy', library, place / 'copy').seconds:.1f} s")
            ways.append(lambda: peer("rclone", "copy", library, place / "copy").seconds)
        ours, bare, *others = alternating(options.rounds, *ways)
    print(f"  second runs: syncengine {seconds(ours)}; a bare scan with look-ups {seconds(bare)}")
    for theirs in others:
        print(f"  rclone copy {seconds(theirs)}")
        verdict("time compared with rclone, best of each", min(ours) / min(theirs), 1.0, at_least=False)
        ratio = statistics.median(ours) / statistics.median(theirs)
        verdict("time compared with rclone, medians", ratio, 1.0, at_least=False)
        print(f"  (the bare scan takes {min(bare) / min(theirs):.2f} of rclone's time)")


def _unchanged(profile: Path, state: Path, count: int) -> float:
    done = syncengine("run", profile, "--json", state=state)
    assert f'"unchanged":{count}' in done.output.replace(" ", ""), done.output[-2000:]
    return done.seconds


def _entries(directory: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path)
            else:
                yield entry


def _token(entry: os.DirEntry[str]) -> list[int]:
    status = entry.stat(follow_symlinks=False)
    return [status.st_size, status.st_mtime_ns]


def _remembered(library: Path, file: Path) -> Path:
    file.write_text(json.dumps({entry.path: _token(entry) for entry in _entries(str(library))}), encoding="utf-8")
    return file


def _bare_scan(library: Path, known: Path, count: int) -> float:
    """Return what it takes to look at every file and to find it among those remembered, in this very process."""
    started = time.perf_counter()
    remembered = json.loads(known.read_bytes())
    same = sum(remembered[entry.path] == _token(entry) for entry in _entries(str(library)))
    took = time.perf_counter() - started
    assert same == count
    return took


if __name__ == "__main__":
    main()
