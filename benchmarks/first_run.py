"""The first run over a folder of JPEGs, beside ``rclone copy``.

    python -m benchmarks.first_run [--count 20000] [--size 200000] [--rounds 2]

syncengine hashes, writes metadata files and state, and flushes everything to disk; rclone copies. Each copy goes to a
fresh directory, with the disk quiet before it, and stays until all are made: ext4 does not use the inodes of files that
were deleted in the last minutes again, and has whoever makes new files search beyond them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.measuring import Run, alternating, installed, need_space, peer, seconds, syncengine, verdict, workplace
from benchmarks.profiles import write_profile
from benchmarks.workloads import jpeg_tree


def main() -> None:
    """Copy the same tree with both, taking turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="files")
    parser.add_argument("--size", type=int, default=200_000, help="bytes of each")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is timed")
    options = parser.parse_args()
    need_space(int((2 * options.rounds + 1.2) * options.count * options.size))
    with workplace("first-run") as place:
        library = place / "library"
        jpeg_tree(library, options.count, options.size)
        ways = [lambda: _syncengine(place, library, options.count)]
        if installed("rclone"):
            ways.append(lambda: _rclone(place, library, options.count))
        ours, *others = alternating(options.rounds, *ways)
    print(f"  syncengine run: {seconds(ours)}, {options.count / min(ours):.0f} files/s")
    for theirs in others:
        print(f"  rclone copy: {seconds(theirs)}")
        verdict("time compared with rclone, best of each", min(ours) / min(theirs), 1.2, at_least=False)


def _syncengine(place: Path, library: Path, count: int) -> float:
    fresh = Path(tempfile.mkdtemp(dir=place))
    profile = write_profile(fresh, "folder", library, fresh / "backup")
    os.sync()
    done = syncengine("run", profile, state=fresh / "state")
    return _counted(done, fresh / "backup" / "photos", count)


def _rclone(place: Path, library: Path, count: int) -> float:
    fresh = Path(tempfile.mkdtemp(dir=place))
    os.sync()
    done = peer("rclone", "copy", library, fresh / "copy")
    return _counted(done, fresh / "copy", count)


def _counted(done: Run, files: Path, count: int) -> float:
    stored = sum(len(names) for _, _, names in os.walk(files))
    assert stored == count, f"{stored} files of {count} in {files}"
    return done.seconds


if __name__ == "__main__":
    main()
