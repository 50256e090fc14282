"""What Google Photos' own interfaces cost to back up over a slow line: requests, speed, memory.

    python -m benchmarks.google_photos [--items 2000] [--sources google-photos google-picker]

The photos are made up while the emulator sends them, and it runs in this process; syncengine is the real command.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import requests

from benchmarks.measuring import Run, need_space, syncengine, verdict, workplace
from syncengine.testing.google import GoogleEmulator, jpeg

_PHOTO = 2_000_000
_START = 1_420_070_400.0  # 2015-01-01
_LATENCY, _DOWNLOADS_AT_ONCE, _BANDWIDTH = 0.1, 5, 20e6
_SOURCES = ("google-photos", "google-picker")
_MOST_PICKED = 2000


def main() -> None:
    """Back a library up by each source, then again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=2000, help="photos of 2 MB; at most 2000 can be picked")
    parser.add_argument("--sources", nargs="*", choices=_SOURCES, default=list(_SOURCES))
    options = parser.parse_args()
    for source in options.sources:
        count = min(options.items, _MOST_PICKED) if source == "google-picker" else options.items
        print(f"  {count} photos of 2 MB by {source}")
        _measure(source, count)


def _measure(source: str, count: int) -> None:
    need_space(int(1.2 * count * _PHOTO))
    with workplace("google-photos") as place, GoogleEmulator() as google:
        for number in range(count):
            content = jpeg(f"photo {number}", _PHOTO)
            google.library.photos.add(f"IMG_{number:06}.jpg", content, created=_START + 3600 * number)
        google.picker.pick_at_poll, google.picker.poll_interval = 1, 1.0
        _prepare(place, google, source)
        google.faults.latency(_LATENCY)
        google.faults.bandwidth = _BANDWIDTH
        google.counters.reset()
        _report(google, _run(place), place, count)
        google.counters.reset()
        again = _run(place)
        fetched = sum(number for name, number in google.counters.requests.items() if name.startswith("media."))
        print(f"  again: {again.seconds:.1f} s, {google.counters.requests.total()} requests, {fetched} photos fetched")


def _report(google: GoogleEmulator, done: Run, place: Path, count: int) -> None:
    stored = sum(1 for path in (place / "backup" / "photos").rglob("*.jpg"))
    assert stored == count, (stored, count, done.output[-2000:])
    times = [one.started for one in google.counters.recent if one.endpoint.startswith("media.")]
    ideal = _DOWNLOADS_AT_ONCE / (_LATENCY + _PHOTO / _BANDWIDTH)
    rate = count / done.seconds
    print(f"  {done.seconds:.1f} s in all, {rate:.1f} photos/s ({60 * rate:.0f} a minute); the line allows {ideal:.1f}")
    if len(times) > 1:
        span = max(times) - min(times)
        verdict("photos/s while downloading, of what the line allows", len(times) / span / ideal, 0.9, at_least=True)
    verdict("photos/s of the whole run, of what the line allows", rate / ideal, 0.9, at_least=True)
    verdict("downloads per photo", len(times) / count, 1, at_least=False)
    verdict("peak memory of the largest process", done.peak / 1e6, 250, at_least=False, unit=" MB")


def _prepare(place: Path, google: GoogleEmulator, source: str) -> None:
    """Write a profile and sign in as a person whose browser is elsewhere."""
    (place / "credentials.json").write_text(json.dumps(google.client_config()), encoding="utf-8")
    profile = {
        "version": 1,
        "name": "photos",
        "source": {source: {"credentials": str(place / "credentials.json"), "endpoint": google.url}},
        "destination": {"filesystem": {"path": str(place / "backup")}},
        "execution": {"downloads": _DOWNLOADS_AT_ONCE},
        "timezone": "UTC",
        "dedup": ["sha256"],
    }
    (place / "photos.yaml").write_text(json.dumps(profile), encoding="utf-8")  # JSON is YAML
    program = Path(sys.executable).with_name("syncengine")
    command = [str(program), "auth", "login", str(place / "photos.yaml"), "--no-browser"]
    environment = {**os.environ, "SYNCENGINE_STATE_DIR": str(place / "state")}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        shown = next(line for line in process.stdout if "/auth?" in line)
        with requests.get(shown.strip(), allow_redirects=False, timeout=10) as answer:
            _, said = process.communicate(answer.headers["Location"] + "\n", timeout=60)
    if process.returncode:
        sys.exit(f"the sign-in failed with exit code {process.returncode}: {said}")


def _run(place: Path) -> Run:
    return syncengine("run", place / "photos.yaml", state=place / "state")


if __name__ == "__main__":
    main()
