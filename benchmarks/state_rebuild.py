"""What it takes to make the state again from the catalog, beside the least that anybody could do for it.

python -m benchmarks.state_rebuild [--records 100000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import lmdb
import msgspec

from benchmarks.measuring import alternating, seconds, syncengine, verdict, workplace
from syncengine.engine import catalog
from syncengine.model import AlbumRef
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch

_BATCH = 250
_RUNS = 10
_FOLDERS = 120
_ALBUMS = 200
_PROFILE = """\
version: 1
name: bench
source:
  folder: {{path: {place}/photos}}
dedup: [sha256]
destination:
  filesystem: {{path: {place}/backup}}
timezone: UTC
"""


def main() -> None:
    """Make a destination with a catalog, then the state from it, by the command and by bare libraries in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000, help="how many files the destination holds")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed")
    options = parser.parse_args()
    with workplace("state-rebuild") as place:
        _prepare(place, options.records)
        ours, bare = alternating(options.rounds, lambda: _rebuild(place), lambda: _bare(place))
    print(f"  syncengine state rebuild: {seconds(ours)}")
    print(f"  decoding the lines and putting as many entries into LMDB: {seconds(bare)}")
    verdict(f"{options.records:,} records from the catalog", min(ours), 10, at_least=False, unit=" s")
    print(f"  that is {min(ours) / min(bare):.1f} times the bare libraries")


def _prepare(place: Path, count: int) -> None:
    """Write a destination as ten runs would have left it; its files are empty, since only their size is looked at."""
    (place / "photos").mkdir()
    profile = place / "profile.yaml"
    profile.write_text(_PROFILE.format(place=place), encoding="utf-8")
    syncengine("run", profile, state=place / "state")
    backup = place / "backup"
    for folder in range(_FOLDERS):
        (backup / _folder(folder)).mkdir(parents=True)
    (backup / "metadata/catalog").mkdir(parents=True, exist_ok=True)
    share = -(-count // _RUNS)
    for run in range(_RUNS):
        file = backup / f"metadata/catalog/202601{run + 1:02d}T020000000000Z.jsonl"
        with file.open("wb") as stream:
            for first in range(run * share, min(count, (run + 1) * share), _BATCH):
                batch = _batch(range(first, min(count, (run + 1) * share, first + _BATCH)))
                stream.write(catalog.encode(batch, "bench"))
                for record in batch.contents:
                    (backup / record.path).touch()


def _batch(numbers: range) -> StateBatch:
    contents = [_content(number) for number in numbers]
    items = [
        (record.item, ItemRecord(f"0:{number}", "m", record.content, "stored", record.path))
        for number, record in zip(numbers, contents, strict=True)
    ]
    prints = [("sha256", record.content, record.content) for record in contents]
    albums = [AlbumRecord(f"a{n}", f"Album {n}", f"albums/Album {n}") for n in numbers if n < _ALBUMS]
    return StateBatch(contents=contents, items=items, fingerprints=prints, albums=albums)


def _content(number: int) -> ContentRecord:
    key = hashlib.sha256(b"%d" % number).digest()
    album = AlbumRef(f"a{number % _ALBUMS}", f"Album {number % _ALBUMS}")
    name = f"IMG_{number:06d}.jpg"
    return ContentRecord(
        content=key,
        path=f"{_folder(number % _FOLDERS)}/{name}",
        source_sha256=key,
        stored_sha256=key,
        source_size=0,
        stored_size=0,
        mtime=1.5e9 + number,
        item=f"Takeout/Google Photos/Photos from 2019/{name}",
        name=name,
        profile="bench",
        albums=(album,),
        origins=(f"takeout-001.zip!Takeout/Google Photos/Photos from 2019/{name}",),
    )


def _folder(number: int) -> str:
    return f"photos/{2010 + number // 12}/{number % 12 + 1:02d}"


def _rebuild(place: Path) -> float:
    shutil.rmtree(place / "state")
    return syncengine("state", "rebuild", place / "profile.yaml", state=place / "state").seconds


def _bare(place: Path) -> float:
    """Decode every line and put an entry of its length for each of the tables that it fills; no checks, no files."""
    started = time.perf_counter()
    decode = msgspec.json.Decoder().decode
    env = lmdb.open(str(place / "bare"), map_size=8 << 30)  # pylint: disable=unspecified-encoding  # no file
    for chunk in _chunks(place):
        entries = []
        for line in chunk:
            kind, entry = next(iter(decode(line).items()))
            key = str(entry.get("content") or entry.get("id")).encode()[:64]
            value = line[: len(line) // 2]
            entries.append((kind.encode() + key, value))
            if kind == "content":
                entries += [(b"path" + key, key), (b"member" + key, key)]
        entries.sort()
        with env.begin(write=True) as txn, txn.cursor() as cursor:
            cursor.putmulti(entries)
    env.close()
    shutil.rmtree(place / "bare")
    return time.perf_counter() - started


def _chunks(place: Path, size: int = 10_000) -> Iterator[list[bytes]]:
    for file in sorted((place / "backup/metadata/catalog").iterdir()):
        lines = file.read_bytes().splitlines()
        for first in range(0, len(lines), size):
            yield lines[first : first + size]


if __name__ == "__main__":
    main()
