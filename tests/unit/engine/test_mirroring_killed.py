"""A mirror run or a restore that ends at any moment, with and without a power cut: nothing is lost, nothing is half."""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import Any

import msgspec
import pytest

from syncengine.api import AlbumRef, CaptureTime, FatalError, Kind, MediaItem
from syncengine.engine import mirroring, restoring, trash
from syncengine.engine.recording import Journal
from syncengine.engine.removals import Mirror
from syncengine.engine.restoring import Restorer
from syncengine.state.store import ProfileState
from syncengine.testing.faults import Fault, Faults, FaultyDestination
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from syncengine.testing.memory.storage import MemoryStorage

MAY = CaptureTime(origin="source", instant=1_558_000_000_000)
PHOTOS = 6
GONE = range(4)
NOW = "2026-01-01T00:00:00+00:00"


def item(number: int) -> MediaItem:
    return MediaItem(
        id=f"{number}.jpg",
        name=f"{number}.jpg",
        kind=Kind.PHOTO,
        content_token="1",
        taken=MAY,
        albums=(AlbumRef("r", "Rome"),),
    )


def content(number: int) -> bytes:
    return b"content %d" % number


class Scene:
    """A library of six photos, backed up; four of them have left since."""

    def __init__(self, backup: Any) -> None:
        self.backup = backup
        self.storage = MemoryStorage()
        self.good = MemoryDestination(MemoryDestinationOptions(), self.storage)
        self.good.open()
        self.storage.flush()
        backup.destination, backup.mirror, backup.metadata = self.good, Mirror(budget=None), ("json", "xmp")
        for number in range(PHOTOS):
            backup.library.add(item(number), content(number))
        backup.run()
        self.before = self.tree()
        for number in GONE:
            backup.library.remove(f"{number}.jpg")

    def tree(self) -> dict[str, tuple[bytes, float]]:
        """Return all that a person sees of the library, with times where they mean something."""
        return {
            found.path: (self.backup.read(found.path), found.mtime if found.path.startswith("photos") else 0)
            for prefix in ("photos", "albums", "metadata")
            for found in self.good.list(prefix)
            if not found.path.startswith("metadata/catalog/")
        }

    def break_at(self, method: str, at: int) -> None:
        """Let everything of that name fail from some call on."""
        self.backup.destination = FaultyDestination(
            self.good, Faults([Fault(method, FatalError("power cut"), at=at, times=None)])
        )

    def mend(self, *, power: bool) -> None:
        """Let the destination work again, perhaps after a power cut."""
        if power:
            self.storage.power_cut()
        self.backup.destination = self.good

    def everything_is_somewhere(self) -> bool:
        """Whether the bytes of every photo are in the library or in the trash."""
        held = {hashlib.sha256(self.backup.read(found.path)).digest() for found in self.good.list("photos")}
        held |= {hashlib.sha256(self.backup.read(found.path)).digest() for found in self.good.list(trash.TRASH)}
        return {hashlib.sha256(content(number)).digest() for number in range(PHOTOS)} <= held

    def restore(self) -> list[Any]:
        """Bring everything back, as the command does it."""
        with self.backup.parts() as parts, closing(Journal(parts.spool, parts.state, parts.profile)) as journal:
            if parts.recovering:
                restoring.settle(parts.destination, parts.state, journal, NOW)
            restorer = Restorer(parts, journal, NOW)
            done = restorer.restore(list(trash.contents(parts.destination)))
            restorer.finish()
            return done


@pytest.fixture
def scene(backup: Any, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(mirroring, "_BATCH", 2)
    monkeypatch.setattr(restoring, "_BATCH", 2)
    return Scene(backup)


def _is_whole(scene: Scene, photos: int) -> None:
    """Check that state, library and listings agree."""
    records = scene.backup.contents()
    assert len(records) == photos
    for record in records:
        for path, digest in ((record.path, record.stored_sha256), (record.sidecar_path, record.sidecar_sha256)):
            assert hashlib.sha256(scene.backup.read(path)).digest() == digest
    assert len(scene.backup.files()) == 2 * photos
    assert len(scene.backup.read("metadata/checksums.sha256").splitlines()) == 2 * photos
    links = {path for path in scene.backup.files("albums") if path.endswith(".jpg")}
    assert links == {f"albums/Rome/{record.name}" for record in records}


@pytest.mark.slow
@pytest.mark.parametrize("power", [True, False])
@pytest.mark.parametrize(
    ("method", "at"),
    [("move", at) for at in (1, 2, 4, 7, 11)]
    + [("flush", at) for at in (1, 2, 3, 4, 5)]
    + [("place", 1), ("place", 2), ("remove", 1), ("remove", 3), ("prune", 1), ("prune", 6)],
)
def test_a_mirror_run_that_is_killed(scene: Scene, method: str, at: int, *, power: bool) -> None:
    scene.break_at(method, at)
    assert scene.backup.run().ended == "stopped"
    scene.mend(power=power)
    assert scene.everything_is_somewhere()

    report = scene.backup.run()
    assert report.complete
    _is_whole(scene, PHOTOS - len(GONE))
    assert scene.everything_is_somewhere()
    again = scene.backup.run()
    assert (again.removed, again.outcomes["unchanged"], again.bytes_written) == (0, PHOTOS - len(GONE), 0)
    scene.restore()
    assert scene.tree() == scene.before


@pytest.mark.slow
@pytest.mark.parametrize("power", [True, False])
@pytest.mark.parametrize(("method", "at"), [("move", 2), ("move", 7), ("flush", 4), ("place", 2)])
def test_what_came_back_to_the_source_meanwhile_stays(scene: Scene, method: str, at: int, *, power: bool) -> None:
    scene.break_at(method, at)
    scene.backup.run()
    scene.mend(power=power)
    for number in GONE:
        scene.backup.library.add(item(number), content(number))
    assert scene.backup.run().removed == 0
    _is_whole(scene, PHOTOS)
    assert scene.tree() == scene.before
    assert scene.backup.run().outcomes["unchanged"] == PHOTOS


@pytest.mark.parametrize("at", [1, 2])
def test_a_state_that_cannot_be_written(scene: Scene, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = ProfileState.commit, []

    def commit(self: ProfileState, batch: Any) -> None:
        calls.append(batch)
        if len(calls) >= at:
            raise FatalError("the state's disk is full")
        real(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(ProfileState, "commit", commit)
        assert scene.backup.run().ended == "stopped"
    assert scene.everything_is_somewhere()
    assert scene.backup.run().complete
    _is_whole(scene, PHOTOS - len(GONE))


@pytest.mark.slow
@pytest.mark.parametrize("power", [True, False])
@pytest.mark.parametrize(
    ("method", "at"),
    [("move", at) for at in (1, 2, 3, 5, 8)] + [("flush", 1), ("flush", 2), ("flush", 3), ("place", 1)],
)
def test_a_restore_that_is_killed(scene: Scene, method: str, at: int, *, power: bool) -> None:
    assert scene.backup.run().removed == len(GONE)
    scene.break_at(method, at)
    with pytest.raises(FatalError):
        scene.restore()
    scene.mend(power=power)
    assert scene.everything_is_somewhere()

    scene.restore()
    assert scene.backup.run().complete  # What the killed one left to mend is for a run.
    assert scene.tree() == scene.before
    report = scene.backup.run()
    assert (report.removed, report.bytes_written) == (0, 0)


def test_one_of_each_kill(scene: Scene) -> None:
    scene.break_at("move", 8)
    assert scene.backup.run().ended == "stopped"
    scene.mend(power=False)
    assert scene.backup.run().complete
    _is_whole(scene, PHOTOS - len(GONE))
    scene.break_at("move", 5)
    with pytest.raises(FatalError):
        scene.restore()
    scene.mend(power=False)
    scene.restore()
    assert scene.backup.run().complete
    assert scene.tree() == scene.before


def test_an_album_that_lost_all_its_photos_in_a_killed_run(scene: Scene) -> None:
    for number in range(PHOTOS):
        if number not in GONE:
            scene.backup.library.remove(f"{number}.jpg")
    scene.backup.library.add(msgspec.structs.replace(item(9), albums=()), content(9))
    del scene.backup.library.albums["r"]
    scene.break_at("remove", PHOTOS + 1)  # After the links: the album's own file.
    assert scene.backup.run().ended == "stopped"
    scene.mend(power=False)
    scene.backup.run()
    assert scene.backup.files("albums") == {}


def test_a_whole_run_is_undone_byte_for_byte(scene: Scene) -> None:
    assert scene.backup.run().removed == len(GONE)
    assert scene.tree() != scene.before
    done = scene.restore()
    assert [one.problem for one in done] == [""] * len(GONE)
    assert scene.tree() == scene.before
    assert list(trash.contents(scene.good)) == []
    assert list(scene.good.list(trash.TRASH)) == []
    report = scene.backup.run()
    assert (report.removed, report.outcomes["unchanged"], report.bytes_written) == (0, PHOTOS - len(GONE), 0)
    assert scene.tree() == scene.before
