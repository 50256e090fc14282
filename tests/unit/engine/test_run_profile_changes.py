"""A library, backed up by a profile that changes again and again; then one run that brings all of it up to date.

Whatever happened before, the destination is then what a first run of the last profile would make: names (suffixes
aside), bytes, metadata files, albums; and a further run changes nothing.
"""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.api import AlbumRef, CaptureTime, FatalError, ItemError
from syncengine.engine import keeping_up, planning, relayout, retrying
from syncengine.testing.faults import Fault, Faults, FaultyDestination
from syncengine.testing.memory.storage import StoredFile
from tests.unit.engine.conftest import Backup
from tests.unit.engine.photos import assert_checksums_hold, photo
from tests.unit.engine.test_run_remake import Jpeg, use

LAYOUTS = [
    "photos/{taken:%Y}/{taken:%m}/{name}",
    "photos/{name}",
    "Photos/{name}",
    "x/{stem}.{ext}",
    "{kind}/{camera}/{id}-{name}",
    "photos/{id}",
    "s/{sha256}.{ext}",
]
NAMES = ["a.jpg", "A.jpg", "b.heic", "B.HEIC", "c.png", "1", "2"]
ALBUMS = [AlbumRef("r", "Rome"), AlbumRef("s", "Sea")]
TIMES = [None, *(CaptureTime(origin="source", instant=1_558_000_000_000 + 40 * 86_400_000 * n) for n in range(3))]
TRANSFORMS = [(), (Jpeg(95),), (Jpeg(85),), (Jpeg(95, keep=True),), (Jpeg(85, keep=True),)]
STYLES: list[Any] = ["auto", "hardlink", "symlink", "copy", "manifest", "none"]
METADATA = [("json",), ("json", "xmp"), ("xmp",), ()]
_SUFFIX = re.compile(rb"~[0-9a-f]{6,64}(?=[./\"]|$|\n)", re.MULTILINE)


class Story:
    """One backup whose profile changes.

    Args:
        directory: empty.
        chance: decides everything.
        formats: of metadata files. Where there is no JSON, a copy that comes in a later batch adds no album to an XMP.
    """

    def __init__(self, directory: Path, chance: random.Random, formats: Any = METADATA) -> None:
        self.backup = Backup(directory)
        self.formats = formats
        self.chance = chance
        self.count = 0
        for _ in range(chance.randint(1, 6)):
            self._add()
        self._change()

    def _add(self) -> None:
        chance, self.count = self.chance, self.count + 1
        content = b"%s %d" % (chance.choice([b"heic", b"jpeg"]), chance.randint(0, 5))
        listed = photo(
            str(self.count),
            name=chance.choice(NAMES),
            taken=chance.choice(TIMES),
            albums=tuple(chance.sample(ALBUMS, chance.randint(0, 2))),
            description=chance.choice(["", "a dog"]),
        )
        found = msgspec.structs.replace(listed, camera=chance.choice(["", "Pixel 4", "X/100"]))
        self.backup.library.add(listed, content, described=found)

    def _change(self) -> None:
        use(self.backup, *self.chance.choice(TRANSFORMS))
        self.backup.layout = self.chance.choice(LAYOUTS)
        self.backup.albums = self.chance.choice(STYLES)
        self.backup.metadata = self.chance.choice(self.formats)

    def live(self, chapters: int, *, suffer: bool = False) -> None:
        """Run and change, again and again; where it has to ``suffer``, runs are killed in between."""
        backup = self.backup
        for _ in range(chapters):
            backup.remake, backup.relayout = self.chance.random() < 0.5, self.chance.random() < 0.5
            backup.limit = self.chance.choice([None, None, 1])
            if suffer:
                self._suffer()
            else:
                backup.run()
            if self.chance.random() < 0.7:
                self._change()
            if self.chance.random() < 0.4:
                self._add()

    def _suffer(self) -> None:
        good = self.backup.destination
        method = self.chance.choice(["move", "move", "place", "flush", "link", "remove", "commit", "prune"])
        error = self.chance.choice([SystemExit(), SystemExit(), FatalError("gone"), ItemError("no")])
        if isinstance(error, ItemError):
            method = self.chance.choice(["move", "place", "commit"])
        after = self.chance.random() < 0.5 and not isinstance(error, ItemError)  # It says that nothing was done.
        fault = Fault(method, error, at=self.chance.randint(1, 14), after=after)
        self.backup.destination = FaultyDestination(good, Faults([fault]))
        try:
            self.backup.run()
        except SystemExit:
            if self.chance.random() < 0.5:
                good.storage.power_cut()
        except (FatalError, ItemError):
            pass
        self.backup.destination = good

    def end(self) -> None:
        """Bring everything up to date; then again, which changes nothing."""
        backup = self.backup
        backup.remake = backup.relayout = True
        backup.limit = None
        report = backup.run()
        assert (report.complete, report.failures) == (True, ())
        before = entries(backup)
        again = backup.run()
        assert (again.outcomes["unchanged"], again.warnings) == (self.count, ())
        assert entries(backup) == before
        backup.remake = backup.relayout = False
        assert backup.run().warnings == ()
        assert entries(backup) == before

    def anew(self, directory: Path) -> Backup:
        """Return what a first run of the profile of now makes."""
        fresh = Backup(directory)
        for name in ("library", "transforms", "recipe", "layout", "albums", "metadata"):
            setattr(fresh, name, getattr(self.backup, name))
        fresh.run()
        return fresh


def entries(backup: Any) -> dict[str, object]:
    """Return everything at a destination but the papers of its runs and the trash."""
    papers = ("logs/", "metadata/catalog/", ".syncengine/")
    found = {path: entry for path, entry in backup.destination.storage.entries.items() if not path.startswith(papers)}
    return {path: (one.content, one.mtime) if isinstance(one, StoredFile) else one for path, one in found.items()}


def told(backup: Any) -> list[tuple[str, str, object]]:
    """Return everything at a destination, without suffixes, in an order that does not depend on them."""
    found = []
    for path, entry in entries(backup).items():
        content, kind = (entry[0], "file") if isinstance(entry, tuple) else (entry.target.encode(), "link")
        bare = _SUFFIX.sub(b"", content)
        if path.endswith("album.json"):
            album = msgspec.json.decode(bare)
            album["members"].sort(key=msgspec.json.encode)
            bare = msgspec.json.encode(album)
        elif path.startswith("metadata/") or path.endswith(".xmp"):
            lines = sorted(bare.replace(b",\n", b"\n").split(b"\n"))
            bare = b"\n".join(line for line in lines if not line.endswith(b".xmp"))
        found.append((_SUFFIX.sub(b"", path.encode()).decode(), kind, bare))
    return sorted(found)


def go_through(chance: random.Random, *, chapters: int, suffer: bool = False) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        story = Story(Path(one), chance, METADATA[:2] if suffer else METADATA)
        story.live(chapters, suffer=suffer)
        story.end()
        assert_checksums_hold_everywhere(story.backup)
        expected = told(story.anew(Path(other)))
        assert [one for one in told(story.backup) if one in expected or not (suffer and _is_paper_of_nothing(one))] == (
            expected
        )


def _is_paper_of_nothing(one: tuple[str, str, object]) -> bool:
    """Whether it is a metadata file; one that a killed run has written before its photo was recorded may stay."""
    return one[0].startswith("metadata/") and one[0].endswith(".json")


def assert_checksums_hold_everywhere(backup: Any) -> None:
    lines = backup.read("metadata/checksums.sha256").decode().splitlines()
    files = [path for path in entries(backup) if not path.startswith(("albums/", "metadata/"))]
    assert sorted(line.partition("  ")[2] for line in lines) == sorted(files)
    if all(path.startswith("photos/") for path in files):
        assert_checksums_hold(backup)


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_destination_is_what_a_first_run_would_make(chance: random.Random, chapters: int) -> None:
    go_through(chance, chapters=chapters)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(80))
def test_the_destination_is_what_a_first_run_would_make_many_times(seed: int) -> None:
    go_through(random.Random(seed), chapters=1 + seed % 5)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches, and no waiting between tries."""
    monkeypatch.setattr(retrying, "_FIRST_WAIT", 0.0001)
    monkeypatch.setattr(planning, "BATCH_ITEMS", 2)
    monkeypatch.setattr(relayout, "_PAGE", 2)
    assert keeping_up.Layouts is relayout.Layouts


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("seed", range(4))
def test_so_it_is_when_runs_were_killed_in_between(seed: int) -> None:
    go_through(random.Random(seed), chapters=3, suffer=True)


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("seed", range(1000, 1080))
def test_so_it_is_when_runs_were_killed_in_between_many_times(seed: int) -> None:
    go_through(random.Random(seed), chapters=2 + seed % 4, suffer=True)
