"""Reading everything back, beside ``sha256sum`` with two processes over the same files.

python -m benchmarks.verify [--count 5000] [--size 200000] [--large 8] [--large-size 67108864] [--rounds 3]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.measuring import alternating, need_space, peer, seconds, syncengine, verdict, workplace
from benchmarks.profiles import write_profile
from benchmarks.workloads import jpeg_tree

_REACH = 0.9


def main() -> None:
    """Store photos, then large files; each time let both read all of it, taking turns, from the page cache."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000, help="photos")
    parser.add_argument("--size", type=int, default=200_000, help="bytes of each")
    parser.add_argument("--large", type=int, default=8, help="large files")
    parser.add_argument("--large-size", type=int, default=64 << 20, help="bytes of each")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed")
    options = parser.parse_args()
    need_space(3 * max(options.count * options.size, options.large * options.large_size))
    _compare(f"{options.count} files of {options.size} bytes", options.count, options.size, options.rounds)
    _compare(f"{options.large} files of {options.large_size} bytes", options.large, options.large_size, options.rounds)


def _compare(what: str, count: int, size: int, rounds: int) -> None:
    with workplace("verify") as place:
        library, state = place / "library", place / "state"
        jpeg_tree(library, count, size)
        profile = write_profile(place, "folder", library, place / "backup")
        syncengine("run", profile, state=state)
        listed = _listed(place / "backup", place / "listed")
        # As many files for each process as make two of them busy to the end.
        at_once = str(max(1, min(64, count // 8)))
        ours, theirs = alternating(
            rounds,
            lambda: _verified(profile, state, count),
            lambda: peer("xargs", "-0", "-P2", "-n", at_once, "-a", listed, "sha256sum").seconds,
        )
    print(f"  {what} and a metadata file of each: syncengine verify {seconds(ours)}; sha256sum {seconds(theirs)}")
    verdict(f"speed compared with sha256sum, {what}", min(theirs) / min(ours), _REACH, at_least=True)


def _listed(backup: Path, file: Path) -> Path:
    """Write down every file that a verification reads, for ``xargs``: the photos and their metadata files."""
    below = (backup / "photos", backup / "metadata/photos")
    paths = sorted(str(path) for folder in below for path in folder.rglob("*") if path.is_file())
    file.write_text("\0".join(paths), encoding="utf-8")
    return file


def _verified(profile: Path, state: Path, count: int) -> float:
    done = syncengine("verify", profile, "--json", state=state)
    assert f'"intact":{count},' in done.output.replace(" ", ""), done.output[-2000:]
    return done.seconds


if __name__ == "__main__":
    main()
