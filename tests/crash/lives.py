"""Two made-up libraries that are backed up to one destination, and everything that can happen to them."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import (
    AlbumRef,
    AppliedTransform,
    Asset,
    CaptureTime,
    Destination,
    FatalError,
    ItemError,
    PluginOptions,
    RetryableError,
    Transform,
)
from syncengine.engine.listings import CHECKSUMS
from syncengine.engine.rebuilding import needs_rebuilding, rebuild
from syncengine.state.store import StateStore
from syncengine.testing.faults import Fault, Faults, FaultyDestination, FaultySource
from syncengine.testing.memory.storage import MemoryStorage
from tests.unit.engine.conftest import Backup
from tests.unit.engine.photos import checksums, photo
from tests.unit.engine.rebuilding.scenes import Rebuilding

PROFILES = ("north", "south")
MARK = b"converted "
_DAY = 86_400_000
#: Names that get in each other's way: by case, by what a transform makes of them.
NAMES = ("a.jpg", "A.jpg", "a.heic", "b.heic", "b.jpg")


class Convert(Transform[PluginOptions]):
    """Converts what is HEIC by its content; the same bytes each time."""

    def __init__(self, *, keep: bool) -> None:
        super().__init__(PluginOptions())
        self.keep = keep

    def accepts(self, asset: Asset) -> bool:
        return asset.path.read_bytes().startswith(b"heic")

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        made = workdir / f"{asset.path.name}-made"
        made.write_bytes(MARK + asset.path.read_bytes())
        return msgspec.structs.replace(
            asset,
            path=made,
            name=asset.name.rpartition(".")[0] + ".jpg",
            applied=(AppliedTransform(name="convert"),),
            keep_original=self.keep,
        )


class Life:
    """Two libraries, their backups, and what is known to have been stored.

    Args:
        directory: empty.
        keep: converted originals are kept as well.
        metadata: formats of the metadata files.
    """

    def __init__(self, directory: Path, *, keep: bool, metadata: tuple[str, ...]) -> None:
        self.directory = directory
        self.backups = {name: self._backup(name, Convert(keep=keep), metadata) for name in PROFILES}
        self._version = 0
        #: Contents that a run has stored, by the word of its account; nothing in this life removes one.
        self.stored: set[bytes] = set()
        #: Contents that may be stored and that no state and no library knows any more.
        self.forgotten: set[bytes] = set()
        #: Paths from which somebody removed a file; it comes back only where a source still has it.
        self.vanished: set[str] = set()
        self.foreign: dict[str, bytes] = {}
        self.keep = keep

    def _backup(self, name: str, transform: Convert, metadata: tuple[str, ...]) -> Backup:
        own = self.directory / name
        own.mkdir()
        (self.directory / "state").mkdir(exist_ok=True)
        (own / "state").symlink_to(self.directory / "state")
        made = Backup(own)
        made.profile, made.transforms, made.metadata = name, (transform,), metadata
        made.runs = 500 * PROFILES.index(name)  # Papers are named after their runs.
        made.destination = getattr(self, "_destination", made.destination)
        self._destination: Destination[Any] = made.destination
        return made

    @property
    def storage(self) -> MemoryStorage:
        """What the destination keeps."""
        storage: MemoryStorage = self._destination.storage  # type: ignore[attr-defined]  # it is one in memory
        return storage

    def _token(self) -> str:
        self._version += 1
        return f"v{self._version}"

    def put(
        self, profile: str, id_: str, name: str, content: bytes, *, albums: tuple[str, ...] = (), day: int = 0
    ) -> None:
        """Add a photo to a library, or change whatever is different in the one of that id."""
        library = self.backups[profile].library
        before = library.items.get(id_)
        same = before is not None and library.contents[id_] == content
        taken = CaptureTime(origin="source", instant=1_558_000_000_000 + day * 40 * _DAY)
        item = photo(
            id_,
            name=name,
            taken=taken,
            content_token=before.content_token if same and before is not None else self._token(),
            metadata_token=self._token(),
            albums=tuple(AlbumRef(album, album) for album in albums),
        )
        library.add(item, content)

    def take_away(self, profile: str, id_: str) -> None:
        """Remove a photo from a library."""
        self.backups[profile].library.remove(id_)

    def run(self, profile: str) -> None:
        """Run with nothing in the way."""
        backup = self.backups[profile]
        report = Rebuilding(backup).run()
        assert (report.complete, report.failures, report.reason) == (True, (), "")
        self.stored |= set(backup.library.contents.values())

    def suffer(self, profile: str, fault: Fault, source: Fault | None, *, power_cut: bool) -> None:
        """Run with something that goes wrong at the destination, and perhaps at the source.

        A ``SystemExit`` kills the process; with ``power_cut``, what was not flushed goes with it.
        """
        backup = self.backups[profile]
        make = backup.source
        faults = Faults([source] if source is not None else [])
        backup.destination = FaultyDestination(self._destination, Faults([fault]))
        backup.source = lambda: FaultySource(make(), faults)
        try:
            Rebuilding(backup).run()
        except SystemExit:
            if power_cut:
                self.storage.power_cut()
        except (FatalError, ItemError):
            pass  # It could not even begin: what a run before had left could not be delivered.
        finally:
            backup.destination, backup.source = self._destination, make

    def lose_state(self) -> None:
        """Lose the state directory, with all that waits in it; the next run makes it again, as every run would."""
        shutil.rmtree(self.directory / "state")
        (self.directory / "state").mkdir()
        for profile in PROFILES:
            shutil.rmtree(self.directory / profile / "spool", ignore_errors=True)
        self.forgotten |= {raw(content) for content in self.photos().values()}
        rebuilding = Rebuilding(self._any)
        with StateStore.open(self.directory / "state") as store:
            task = msgspec.structs.replace(rebuilding.task(store), profiles=PROFILES)
            if needs_rebuilding(task):
                rebuild(task)

    def lose_file(self, chance: random.Random) -> None:
        """Lose a stored file behind syncengine's back."""
        paths = sorted(path for path in self.photos() if path not in self.foreign)
        if paths:
            path = chance.choice(paths)
            self.stored.discard(raw(self.photos()[path]))
            self.vanished.add(path)
            self.storage.unname(path)
            self.storage.flush()

    def plant(self, path: str) -> None:
        """Put somebody else's file somewhere, where there is none and never was one: what took another's place is for
        ``verify`` to find.
        """
        if self._destination.stat(path) is None and path not in self.vanished:
            content = b"foreign %d" % len(self.foreign)
            upload = self._destination.begin(path)
            upload.write(content)
            upload.commit()
            self.storage.flush()
            self.foreign[path] = content

    def photos(self) -> dict[str, bytes]:
        """Return what is below ``photos``, sidecars left out."""
        return {path: content for path, content in self._any.files().items() if not path.endswith(".xmp")}

    @property
    def _any(self) -> Backup:
        return self.backups[PROFILES[0]]

    def settle(self) -> None:
        """Run both profiles until nothing is left to do, and hold what is there against what should be."""
        for profile in PROFILES:
            self.run(profile)
        self._assert_everything_is_there_once()
        self._assert_papers_are_true()
        before = self._everything()
        for profile, backup in self.backups.items():
            report = Rebuilding(backup).run()
            assert report.outcomes["unchanged"] == report.listed == len(backup.library.items), profile
            assert [path for path in (backup.directory / "staging").rglob("*") if path.is_file()] == []
            if report.listed:
                self._assert_the_ledger_is_true(backup, report)
        assert self._everything() == before

    def _everything(self) -> dict[str, tuple[Any, ...]]:
        found = {stat.path: (stat, self._any.read(stat.path)) for stat in self._destination.list("")}
        return {path: file for path, file in found.items() if not path.startswith("logs/")}

    def _assert_everything_is_there_once(self) -> None:
        photos = self.photos()
        ours = {path: content for path, content in photos.items() if path not in self.foreign}
        assert {path: photos[path] for path in self.foreign} == self.foreign
        assert [content for content, count in Counter(ours.values()).items() if count > 1] == []
        assert self.stored - {raw(content) for content in ours.values()} == set()
        wanted = set().union(*(backup.library.contents.values() for backup in self.backups.values()))
        assert {MARK + content for content in wanted if content.startswith(b"heic")} <= set(ours.values())

    def _assert_papers_are_true(self) -> None:
        records = self._any.contents()
        self._assert_checksums_hold()
        for backup in self.backups.values():
            for album in {ref.id for item in backup.library.items.values() for ref in item.albums}:
                self._assert_album(backup, album)
        recorded = [path for record in records for path in (record.path, record.original_path) if path]
        assert len(recorded) == len(set(recorded))

    def _assert_checksums_hold(self) -> None:
        """Every file of the list is there and true, unless somebody removed it for good; it lists all that is known."""
        there = self._any.files()
        listed = checksums(self._any) if self._destination.stat(CHECKSUMS) is not None else {}
        listed = {path: digest for path, digest in listed.items() if path in there or path not in self.vanished}
        assert {path: hashlib.sha256(there.get(path, b"")).hexdigest() for path in listed} == listed
        unknown = {path for path, content in there.items() if path in self.foreign or raw(content) in self.forgotten}
        left_out = {path.removesuffix(".xmp") for path in set(there) - set(listed)}
        assert left_out - unknown - self.vanished == set()

    def _assert_album(self, backup: Backup, album: str) -> None:
        items = [item.id for item in backup.library.items.values() if album in [ref.id for ref in item.albums]]
        wanted = {backup.library.contents[id_] for id_ in items}
        members = msgspec.json.decode(backup.read(f"albums/{album}/album.json"))["members"]
        photos = self.photos()
        there = {member["path"] for member in members} - (self.vanished - set(photos))
        assert wanted <= {raw(photos[path]) for path in there}
        shown = {raw(content) for content in backup.files(f"albums/{album}").values()}
        assert wanted <= shown

    def _assert_the_ledger_is_true(self, backup: Backup, report: Any) -> None:
        photos = self.photos()
        lines = backup.ledger(report)
        assert {line.id for line in lines} == set(backup.library.items)
        for line in lines:
            assert raw(photos[line.path]) == backup.library.contents[line.id]


def raw(content: bytes) -> bytes:
    """Return the bytes that a file was made of."""
    return content.removeprefix(MARK)


def draw_fault(chance: random.Random) -> Fault:
    """Return something that goes wrong at the destination."""
    error = chance.choice([FatalError("gone"), SystemExit(), SystemExit(), ItemError("no"), RetryableError("slow")])
    if isinstance(error, ItemError):
        return Fault(chance.choice(["place", "commit"]), error, at=chance.randint(1, 20))
    method = chance.choice(["place", "place", "flush", "begin", "commit", "link", "missing", "set_mtime"])
    return Fault(method, error, at=chance.randint(1, 20), after=chance.random() < 0.5)
