"""A whole run over iPhone-like HEIC files, beside a bare conversion loop and beside heif-convert.

    python -m benchmarks.heic [--count 200] [--rounds 2]

The files are 12-megapixel grids, encoded once and kept in ``.bench/cache``. A run of syncengine reads, hashes,
converts, checks, stores durably and records; the others only convert.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.measuring import alternating, installed, need_space, seconds, syncengine, verdict, workplace
from benchmarks.profiles import write_profile
from benchmarks.workloads import iphone_heics

_PROCESSES = 2
_QUALITY = 95


def main() -> None:
    """Convert the same files in all three ways, taking turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="files")
    parser.add_argument("--rounds", type=int, default=2, help="how often each way is timed")
    options = parser.parse_args()
    need_space(options.count * 15_000_000 + 100_000_000)
    files = iphone_heics(options.count, different=min(options.count, 10))
    with workplace("heic") as place:
        library = place / "library"
        library.mkdir()
        for file in files:
            os.link(file, library / file.name)
        ways = [lambda: _syncengine(place, library, len(files)), lambda: _bare_loop(place, files)]
        if installed("heif-convert"):
            ways.append(lambda: _heif_convert(place, files))
        ours, bare, *others = alternating(options.rounds, *ways)
    print(f"  syncengine {_rate(files, ours)}; bare pillow-heif in {_PROCESSES} processes {_rate(files, bare)}")
    verdict("images/s compared with the bare loop, best of each", min(bare) / min(ours), 0.90, at_least=True)
    for other in others:
        print(f"  heif-convert under xargs -P{_PROCESSES} {_rate(files, other)}")
        verdict("images/s compared with heif-convert, best of each", min(other) / min(ours), 1.4, at_least=True)


def _rate(files: Sequence[Path], figures: Sequence[float]) -> str:
    return f"{len(files) / min(figures):.2f} images/s ({seconds(figures)})"


def _syncengine(place: Path, library: Path, count: int) -> float:
    backup, state = place / "backup", place / "state"
    stages = {"transforms": [{"heic-to-jpeg": {"quality": _QUALITY}}], "execution": {"workers": _PROCESSES}}
    took = syncengine("run", write_profile(place, "folder", library, backup, **stages), state=state).seconds
    stored = sum(file.read_bytes()[:2] == b"\xff\xd8" for file in backup.glob("photos/**/*.jpg"))
    assert stored == count, f"{stored} JPEGs of {count}"
    shutil.rmtree(backup)
    shutil.rmtree(state)
    return took


def _bare_loop(place: Path, files: Sequence[Path]) -> float:
    output = place / "bare"
    output.mkdir()
    started = time.perf_counter()
    with ProcessPoolExecutor(_PROCESSES) as pool:
        list(pool.map(_convert, files, [output] * len(files)))
    took = time.perf_counter() - started
    shutil.rmtree(output)
    return took


def _convert(file: Path, output: Path) -> None:
    import pillow_heif

    source = pillow_heif.open_heif(file)
    source.to_pillow().save(output / f"{file.stem}.jpg", quality=_QUALITY, exif=source.info["exif"])


def _heif_convert(place: Path, files: Sequence[Path]) -> float:
    output = place / "heif-convert"
    output.mkdir()
    pairs = "\0".join(f"{file}\0{output / file.stem}.jpg" for file in files)
    command = ["xargs", "-0", "-n2", f"-P{_PROCESSES}", "heif-convert", "-q", str(_QUALITY)]
    started = time.perf_counter()
    subprocess.run(command, input=pairs.encode(), stdout=subprocess.DEVNULL, check=True)
    took = time.perf_counter() - started
    shutil.rmtree(output)
    return took


if __name__ == "__main__":
    main()
