"""Small made-up libraries, backed up by runs to which all kinds of misfortune happen; then one run without any.

Whatever happened before, that last run leaves every content at the destination, once, under papers that are true.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import (
    AlbumRef,
    AppliedTransform,
    Asset,
    FatalError,
    ItemError,
    PluginOptions,
    RetryableError,
    Transform,
)
from syncengine.engine import planning, retrying
from syncengine.testing.faults import Fault, Faults, FaultyDestination, FaultySource
from tests.unit.engine.photos import assert_checksums_hold, checksums, photo

ALBUMS = ("rome", "sea")
MARK = b"converted "


class Fickle(Transform[PluginOptions]):
    """Converts what is HEIC by its content, and cannot now and then."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(PluginOptions())
        self.chance = chance
        self.failures = 0.0

    def accepts(self, asset: Asset) -> bool:
        return asset.path.read_bytes().startswith(b"heic")

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        if self.chance.random() < self.failures:
            raise ItemError("cannot be converted")
        made = workdir / f"{asset.path.name}-made"
        made.write_bytes(MARK + asset.path.read_bytes())
        name = asset.name.rpartition(".")[0] + ".jpg"
        return msgspec.structs.replace(asset, path=made, name=name, applied=(AppliedTransform(name="fickle"),))


class Ordeal:
    """One library and all that happens to its backups.

    Args:
        backup: empty.
        seed: decides everything.
    """

    def __init__(self, backup: Any, seed: int) -> None:
        self.backup = backup
        self.chance = random.Random(seed)
        self.transform = Fickle(self.chance)
        self.count = self.chance.randint(3, 12)
        backup.transforms = (self.transform,)
        backup.metadata = self.chance.choice([("json",), ("json", "xmp")])
        for number in range(self.count):
            self._add(str(number))

    def _add(self, id_: str) -> None:
        content = b"%s %d" % (self.chance.choice([b"heic", b"jpeg"]), self.chance.randint(0, self.count // 2))
        name = self.chance.choice(["a.jpg", "A.jpg", "b.heic", "B.HEIC", f"{id_}.jpg"])
        albums = self.chance.sample(ALBUMS, self.chance.randint(0, len(ALBUMS)))
        self.backup.library.add(photo(id_, name=name, albums=tuple(AlbumRef(one, one) for one in albums)), content)

    def suffer(self) -> None:
        """Run with something that goes wrong at the destination, and perhaps in the source and in the transform."""
        destination, source = self.backup.destination, self.backup.source
        fault = self._destination_fault()
        self.backup.destination = FaultyDestination(destination, Faults([fault]))
        faults = self._source_faults()
        self.backup.source = lambda: FaultySource(source(), faults)
        self.transform.failures = self.chance.choice([0.0, 0.3])
        if not isinstance(fault.error, ItemError) and "xmp" in self.backup.metadata:
            self.transform.failures = 0.0  # The sidecar of an original that such a run left stays, unrecorded.
        try:
            self.backup.run()
        except SystemExit:  # The process was killed, perhaps by a power cut.
            if self.chance.random() < 0.5:
                destination.storage.power_cut()
        except (FatalError, ItemError):
            pass  # It could not even begin: what the run before had left could not be delivered.
        self.backup.destination, self.backup.source = destination, source
        self.transform.failures = 0.0

    def _destination_fault(self) -> Fault:
        error = self.chance.choice(
            [FatalError("gone"), SystemExit(), ItemError("no"), RetryableError("slow"), RetryableError("slow", after=0)]
        )
        if isinstance(error, ItemError):
            return Fault(self.chance.choice(["place", "commit"]), error, at=self.chance.randint(1, 25))
        method = self.chance.choice(["place", "place", "flush", "begin", "commit", "link", "missing"])
        return Fault(method, error, at=self.chance.randint(1, 25), after=self.chance.random() < 0.5)

    def _source_faults(self) -> Faults:
        method = self.chance.choice(["", "fetch", "describe", "scan"])
        error = FatalError("away") if method == "scan" else self.chance.choice([FatalError("away"), ItemError("bad")])
        return Faults([Fault(method, error, at=self.chance.randint(1, self.count))] if method else [])

    def recover(self) -> None:
        """Run twice undisturbed: the first run completes everything, and the second finds nothing to do."""
        report = self.backup.run()
        assert (report.complete, report.failures) == (True, ())
        self.last = self.backup.run()
        assert self.last.outcomes["unchanged"] == self.count
        assert [path for path in (self.backup.directory / "staging").rglob("*") if path.is_file()] == []

    def photos(self) -> dict[str, bytes]:
        """Return what is stored, sidecars left out."""
        return {path: content for path, content in self.backup.files().items() if not path.endswith(".xmp")}


def raw(content: bytes) -> bytes:
    return content.removeprefix(MARK)


def assert_every_content_is_there_once(ordeal: Ordeal) -> None:
    photos = ordeal.photos()
    assert {raw(content) for content in photos.values()} == set(ordeal.backup.library.contents.values())
    assert Counter(photos.values()).most_common(1)[0][1] == 1


def assert_every_item_is_where_the_ledger_says(ordeal: Ordeal) -> None:
    photos = ordeal.photos()
    lines = ordeal.backup.ledger(ordeal.last)
    assert {line.id for line in lines} == set(ordeal.backup.library.items)
    for line in lines:
        assert raw(photos[line.path]) == ordeal.backup.library.contents[line.id]


def assert_state_and_checksums_tell_of_every_file(ordeal: Ordeal) -> None:
    assert_checksums_hold(ordeal.backup)
    records = ordeal.backup.contents()
    recorded = {path for record in records for path in (record.path, record.original_path) if path}
    assert recorded == set(ordeal.photos()) <= set(checksums(ordeal.backup))


def assert_albums_show_their_members(ordeal: Ordeal) -> None:
    photos, library = ordeal.photos(), ordeal.backup.library
    for album in ALBUMS:
        items = [item.id for item in library.items.values() if album in [ref.id for ref in item.albums]]
        wanted = {library.contents[id_] for id_ in items}
        if not wanted:
            continue
        listed = msgspec.json.decode(ordeal.backup.read(f"albums/{album}/album.json"))["members"]
        assert {raw(photos[member["path"]]) for member in listed} == wanted
        for member in listed:
            assert album in [entry["id"] for entry in ordeal.backup.document(member["path"])["albums"]]
        shown = ordeal.backup.files(f"albums/{album}")
        assert wanted <= {raw(content) for path, content in shown.items() if not path.endswith("/album.json")}


def go_through(backup: Any, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Try one seed."""
    ordeal = Ordeal(backup, seed)
    monkeypatch.setattr(retrying, "_FIRST_WAIT", 0.0001)
    monkeypatch.setattr(planning, "BATCH_ITEMS", ordeal.chance.choice([1, 2, 3]))
    monkeypatch.setattr(planning, "LOOK_UP", ordeal.chance.choice([1, 3, 1000]))
    threads = threading.active_count()
    for _ in range(ordeal.chance.randint(1, 3)):
        ordeal.suffer()
    ordeal.recover()
    assert threading.active_count() <= threads
    assert_every_content_is_there_once(ordeal)
    assert_every_item_is_where_the_ledger_says(ordeal)
    assert_state_and_checksums_tell_of_every_file(ordeal)
    assert_albums_show_their_members(ordeal)


@pytest.mark.parametrize("seed", range(25))
def test_nothing_is_lost_doubled_or_misreported(backup, monkeypatch, seed):
    go_through(backup, monkeypatch, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_nothing_is_lost_doubled_or_misreported_in_many_more_libraries(backup, monkeypatch, seed):
    go_through(backup, monkeypatch, seed)
