"""How long ``syncengine --help`` takes to answer.

python -m benchmarks.startup [--count 20]
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.measuring import alternating, run, seconds, syncengine, verdict, workplace


def main() -> None:
    """Time the command and a bare interpreter, taking turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20, help="how often")
    count = parser.parse_args().count
    with workplace("startup") as place:
        ours, bare = alternating(
            count,
            lambda: syncengine("--help", state=place).seconds,
            lambda: run([sys.executable, "-c", "pass"]).seconds,
        )
    print(f"  syncengine --help: {seconds(ours)}; a bare interpreter: {seconds(bare)}")
    verdict("syncengine --help, median", 1000 * sorted(ours)[len(ours) // 2], 150, at_least=False, unit=" ms")


if __name__ == "__main__":
    main()
