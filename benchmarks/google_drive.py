"""What a Google Drive with Takeout archives costs to back up: bytes, requests, memory, and speed over a slow line.

    python -m benchmarks.google_drive [--gigabytes 10] [--new 5] [--items 2000] [--layouts apart beside]

The archives are made up while the emulator sends them, and it runs in this process; syncengine is the real command. In
the layout ``apart`` the sidecars of a part lie together, in ``beside`` each follows its photo.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from benchmarks.measuring import Run, need_space, syncengine, verdict, workplace
from syncengine.testing.google import ArchiveMember, BytesContent, GoogleEmulator, ZipContent, jpeg
from syncengine.testing.sample_library import sidecar

_PHOTO = 2_000_000
_PER_PART = 1000
_START = datetime(2015, 1, 1, tzinfo=UTC)
_DOWNLOADS = "drive.files.download"
_LATENCY, _DOWNLOADS_AT_ONCE, _BANDWIDTH = 0.1, 5, 20e6


def main() -> None:
    """Measure a second export, then a first run over a slow line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=10, help="size of the second export's archives")
    parser.add_argument("--new", type=float, default=5, help="percent of it that is new")
    parser.add_argument("--items", type=int, default=2000, help="photos of the run over a slow line; 0 leaves it out")
    parser.add_argument("--layouts", nargs="*", choices=["apart", "beside"], default=["apart", "beside"])
    options = parser.parse_args()
    count = max(int(options.gigabytes * 1e9 / _PHOTO), 4)
    new = max(int(count * options.new / 100), 1)
    for layout in options.layouts:
        if options.gigabytes:
            print(f"  second export of {count} photos, {new} of them new, sidecars {layout}")
            _second_export(count, new, layout)
        if options.items:
            print(f"  {options.items} photos over a slow line, sidecars {layout}")
            _slow_line(options.items, layout)


def _second_export(count: int, new: int, layout: str) -> None:
    """Back up an export, then one that holds the same photos and some new ones among them."""
    need_space(int(1.2 * count * _PHOTO))
    with workplace("google-drive") as place, _google(place) as google:
        every = count // new
        old = [number for number in range(count) if number % every]
        first = _upload(google, "20260101T000000Z", old, layout)
        done = _run(place)
        print(f"  first run: {done.seconds:.1f} s, {google.counters.requests.total()} requests")
        for file_id in first:
            google.library.drive.delete(file_id)
        second = _upload(google, "20260301T000000Z", list(range(count)), layout)
        google.counters.reset()
        done = _run(place)
        stored = sum(1 for path in (place / "backup" / "photos").rglob("*.jpg"))
        assert stored == count, (stored, count, done.output[-2000:])
        directories = sum(_directory_size(google, file_id) for file_id in second)
        _report(google, done, [number for number in range(count) if not number % every], directories)


def _report(google: GoogleEmulator, done: Run, fresh: list[int], directories: int) -> None:
    sent, asked = google.counters.sent.total(), google.counters.requests.total()
    new = len(fresh)
    wanted = new * _PHOTO + sum(len(_sidecar(number)) for number in fresh) + directories
    print(
        f"  {done.seconds:.1f} s, {sent / 1e6:.1f} MB in {asked} requests; new {wanted / 1e6:.1f} MB with directories"
    )
    verdict("bytes over new members and directories", sent / wanted, 1.05, at_least=False)
    verdict("requests per new member (photo or sidecar)", asked / (2 * new), 1.0, at_least=False)
    verdict("peak memory of the largest process", done.peak / 1e6, 250, at_least=False, unit=" MB")


def _slow_line(items: int, layout: str) -> None:
    need_space(int(1.2 * items * _PHOTO))
    with workplace("google-drive") as place, _google(place) as google:
        _upload(google, "20260101T000000Z", list(range(items)), layout)
        google.faults.latency(_LATENCY)
        google.faults.bandwidth = _BANDWIDTH
        done = _run(place)
        stored = sum(1 for path in (place / "backup" / "photos").rglob("*.jpg"))
        assert stored == items, (stored, done.output[-2000:])
        photos = [one for one in google.counters.recent if one.endpoint == _DOWNLOADS and one.sent > _PHOTO]
        ideal = _DOWNLOADS_AT_ONCE / (_LATENCY + _PHOTO / _BANDWIDTH)
        print(f"  {done.seconds:.1f} s in all, {items / done.seconds:.1f} items/s; the line allows {ideal:.1f}")
        if len(photos) > 1:
            took = max(one.started for one in photos) - min(one.started for one in photos)
            rate = sum(one.sent for one in photos) / _PHOTO / took
            verdict("items/s from the first photo on, of what the line allows", rate / ideal, 0.9, at_least=True)
        verdict("items/s of the whole run, of what the line allows", items / done.seconds / ideal, 0.9, at_least=True)
        verdict("peak memory of the largest process", done.peak / 1e6, 250, at_least=False, unit=" MB")


@contextmanager
def _google(place: Path) -> Iterator[GoogleEmulator]:
    with GoogleEmulator() as google:
        (place / "credentials.json").write_text(json.dumps(google.client_config()), encoding="utf-8")
        _write_profile(place, google.url)
        _log_in(place)
        yield google


def _write_profile(place: Path, endpoint: str) -> None:
    options = {"credentials": str(place / "credentials.json"), "endpoint": endpoint}
    profile = {
        "version": 1,
        "name": "drive",
        "source": {"google-drive-takeout": options},
        "destination": {"filesystem": {"path": str(place / "backup")}},
        "execution": {"downloads": _DOWNLOADS_AT_ONCE},
        "timezone": "UTC",
        "dedup": ["sha256"],
    }
    (place / "drive.yaml").write_text(json.dumps(profile), encoding="utf-8")  # JSON is YAML


def _upload(google: GoogleEmulator, stamp: str, numbers: list[int], layout: str) -> list[str]:
    """Put an export into the Drive, in parts of 1,000 photos, and return the ids of its archives."""
    made = []
    for part, first in enumerate(range(0, len(numbers), _PER_PART), 1):
        photos = numbers[first : first + _PER_PART]
        members = [member for number in photos for member in _members(number)]
        if layout == "apart":
            members.sort(key=lambda member: member.name.endswith(".json"))
        name = f"takeout-{stamp}-1-{part:03}.zip"
        made.append(google.library.drive.add_file(name, ZipContent(members)).id)
    return made


def _members(number: int) -> Iterator[ArchiveMember]:
    path = f"Takeout/Google Photos/Photos from {_taken(number).year}/IMG_{number:06}.jpg"
    yield ArchiveMember(path, jpeg(f"photo {number}", _PHOTO))
    yield ArchiveMember(f"{path}.supplemental-metadata.json", BytesContent(_sidecar(number)))


def _sidecar(number: int) -> bytes:
    return sidecar(f"IMG_{number:06}.jpg", _taken(number), place=(45.0, 9.0 + number % 90 / 9))


def _taken(number: int) -> datetime:
    return _START + timedelta(hours=number)


def _directory_size(google: GoogleEmulator, file_id: str) -> int:
    head = google.library.drive.files[file_id].head
    assert head is not None
    assert isinstance(head.content, ZipContent)
    return head.content.size - head.content.directory_offset


def _run(place: Path) -> Run:
    return syncengine("run", place / "drive.yaml", state=place / "state")


def _log_in(place: Path) -> None:
    """Sign in as a person whose browser is elsewhere."""
    program = Path(sys.executable).with_name("syncengine")
    command = [str(program), "auth", "login", str(place / "drive.yaml"), "--no-browser"]
    environment = {**os.environ, "SYNCENGINE_STATE_DIR": str(place / "state")}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        shown = next(line for line in process.stdout if "/auth?" in line)
        answer = requests.get(shown.strip(), allow_redirects=False, timeout=10)
        answer.close()
        _, said = process.communicate(answer.headers["Location"] + "\n", timeout=60)
    if process.returncode:
        sys.exit(f"the sign-in failed with exit code {process.returncode}: {said}")


if __name__ == "__main__":
    main()
