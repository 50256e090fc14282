"""A damaged line about the trash: it is told, its files come back whole where that is certain, and else they stay."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import msgspec
import pytest

from syncengine.engine import trash, unlisted
from syncengine.engine.papers import Papers
from syncengine.engine.recording import Journal
from syncengine.engine.removals import Mirror
from syncengine.engine.restoring import Restored, Restorer, settle
from syncengine.engine.unlisted import Owner, recognised
from tests.unit.engine.photos import ROME, Stamp, photo

NOW = "2026-01-01T00:00:00+00:00"
OWNER = Owner(profile="test", plugin="memory")
CATALOG = "metadata/catalog"
PHOTOS = "photos/2019/05"


class Damaged:
    """Four photos, converted, with originals and sidecars, of which a mirror run has removed three."""

    def __init__(self, backup: Any) -> None:
        self.backup = backup
        backup.transforms = (Stamp(extension=".png", keep=True),)
        backup.metadata = ("json", "xmp")
        backup.mirror = Mirror(budget=None)
        for name in "abcd":
            backup.library.add(photo(f"{name}.jpg", albums=(ROME,)), f"content {name}".encode())
        backup.library.add(photo("copy of a.jpg"), b"content a")
        backup.run()
        self.before, self.records = self.tree(), self.contents()
        for name in ("a.jpg", "copy of a.jpg", "b.jpg", "c.jpg"):
            backup.library.remove(name)
        self.gone = backup.run()
        assert self.gone.removed == 3
        self.entries = f"{trash.TRASH}/{self.gone.run}/{trash.ENTRIES}"
        self.after = self.tree()

    def tree(self) -> dict[str, bytes]:
        """Return the library as a person sees it."""
        found = {prefix: self.backup.files(prefix) for prefix in ("photos", "albums", "metadata")}
        files = {path: content for files in found.values() for path, content in files.items()}
        return {path: content for path, content in files.items() if not path.startswith(CATALOG)}

    def contents(self) -> list[Any]:
        """Return the state's records, but for when they were restored."""
        return [msgspec.structs.replace(record, restored="") for record in self.backup.contents()]

    def lines(self) -> list[bytes]:
        return self.backup.read(self.entries).splitlines(keepends=True)

    def write(self, path: str, content: bytes) -> None:
        upload = self.backup.destination.begin(path)
        upload.write(content)
        upload.commit(replace=True)

    def damage(self, *numbers: int) -> None:
        """Damage lines, counted from 1, in the middle."""
        lines = self.lines()
        for number in numbers:
            line = lines[number - 1]
            lines[number - 1] = line[:100] + bytes([line[100] ^ 1]) + line[101:]
        self.write(self.entries, b"".join(lines))

    def lose_the_catalog(self) -> None:
        for stat in list(self.backup.destination.list(CATALOG)):
            self.backup.destination.remove(stat.path)

    def restore(self) -> list[Restored]:
        """Bring everything back, as the command does it."""
        with self.backup.parts() as parts, closing(Journal(parts.spool, parts.state, parts.profile)) as journal:
            found = list(recognised(parts.destination, trash.contents(parts.destination), OWNER))
            assert unlisted.mend(parts.destination, Papers(parts.destination, parts.staging), found) == []
            restorer = Restorer(parts, journal, NOW)
            done = restorer.restore(found)
            assert restorer.finish() == []
            return done


@pytest.fixture
def scene(backup: Any) -> Damaged:
    return Damaged(backup)


def test_each_line_carries_a_checksum_and_older_ones_are_read_as_well(scene: Damaged) -> None:
    for line in scene.lines():
        entry = trash.decode(line)
        assert trash.encode(entry) == line
        assert trash.decode(msgspec.json.encode(entry)) == entry
        for at in range(len(line) - 1):
            flipped = line[:at] + bytes([line[at] ^ 4]) + line[at + 1 :]
            try:
                assert trash.decode(flipped) == entry
            except (ValueError, RecursionError):
                continue


def test_a_name_that_is_no_unicode_is_kept_in_letters(backup: Any) -> None:
    backup.mirror = Mirror(budget=None)
    for name in ("kept.jpg", "bad\udcff.jpg"):
        backup.library.add(photo(name), name.encode("utf-8", "surrogateescape"))
    backup.run()
    backup.library.remove("bad\udcff.jpg")
    assert backup.run().removed == 1
    (held,) = trash.contents(backup.destination)
    assert (held.entry.name, held.is_unaccounted) == ("bad\\udcff.jpg", False)


@pytest.mark.parametrize("damaged", [(1,), (2,), (1, 2, 3)])
def test_by_the_catalog_they_come_back_as_they_were(scene: Damaged, damaged: tuple[int, ...]) -> None:
    scene.damage(*damaged)
    found = trash.damage(scene.backup.destination)
    assert [(line.file, line.line) for line in found] == [(scene.entries, number) for number in damaged]
    assert f"{scene.entries}: line {damaged[0]} is damaged (" in found[0].text()
    done = scene.restore()
    assert len(done) == 3
    assert sum("the catalog told what it is" in one.problem for one in done) == len(damaged)
    assert scene.tree() == scene.before
    assert sorted(scene.contents(), key=lambda one: one.path) == sorted(scene.records, key=lambda one: one.path)
    assert scene.backup.files(trash.TRASH) == {}
    report = scene.backup.run()
    assert (report.removed, report.bytes_written, report.warnings) == (0, 0, ())


def test_by_the_metadata_file_they_come_back_with_all_that_it_tells(scene: Damaged) -> None:
    scene.lose_the_catalog()
    scene.damage(1, 2, 3)
    done = scene.restore()
    assert all("its metadata file told" in one.problem for one in done)
    after = scene.tree()
    listing = "metadata/deduplication.json"
    assert {path: content for path, content in after.items() if path != listing} == {
        path: content for path, content in scene.before.items() if path != listing
    }
    facts = {"copies": (), "guessed": False, "recipe": "", "stored_name": ""}  # The stamp has two names here.
    assert sorted(scene.contents(), key=lambda one: one.path)[0].guessed
    assert [msgspec.structs.replace(one, **facts) for one in sorted(scene.contents(), key=lambda one: one.path)] == [
        msgspec.structs.replace(one, **facts) for one in sorted(scene.records, key=lambda one: one.path)
    ]
    assert scene.backup.run().removed == 0
    scene.backup.library.add(photo("new id.jpg"), b"content a")
    assert scene.backup.run().outcomes["duplicate"] == 1


def changed(scene: Damaged, path: str) -> None:
    content = scene.backup.read(path)
    scene.write(path, bytes([content[0] ^ 1]) + content[1:])


def test_what_is_not_certain_stays_and_is_named(scene: Damaged) -> None:
    held = f"{trash.TRASH}/{scene.gone.run}"
    changed(scene, f"{held}/{PHOTOS}/a.png")
    scene.damage(1, 2, 3)
    before = scene.backup.files(held)
    done = {one.held.files[0].trashed.removeprefix(f"{held}/"): one for one in scene.restore()}
    refused = {path for path, one in done.items() if not one.path}
    paper = f"metadata/{PHOTOS}/a.png.json"
    assert refused == {f"{PHOTOS}/a.png", f"{PHOTOS}/a.jpg", f"{PHOTOS}/a.png.xmp", paper}
    assert "its entry is damaged" in done[f"{PHOTOS}/a.png"].problem
    left = scene.backup.files(held)
    assert set(left) == {f"{held}/{path}" for path in refused} | {scene.entries}
    assert all(before[path] == content for path, content in left.items() if path != scene.entries)
    assert len(trash.damage(scene.backup.destination)) == 3  # They may have told of what is still there.
    assert {one.path for one in done.values() if one.path} == {f"{PHOTOS}/b.png", f"{PHOTOS}/c.png"}


def test_parts_that_are_not_certain_stay_behind(scene: Damaged) -> None:
    held = f"{trash.TRASH}/{scene.gone.run}"
    changed(scene, f"{held}/{PHOTOS}/a.jpg")  # The original beside the converted file.
    changed(scene, f"{held}/metadata/{PHOTOS}/b.png.json")
    changed(scene, f"{held}/{PHOTOS}/c.png.xmp")  # As a photo program does.
    scene.damage(1, 2, 3)
    done = scene.restore()
    refused = {one.held.files[0].path for one in done if not one.path}
    assert refused == {f"{PHOTOS}/a.jpg", f"metadata/{PHOTOS}/b.png.json"}
    by_path = {record.path: record for record in scene.backup.contents()}
    assert by_path[f"{PHOTOS}/a.png"].original_path == ""
    assert by_path[f"{PHOTOS}/c.png"].sidecar_path == f"{PHOTOS}/c.png.xmp"


def test_without_a_damaged_line_a_file_without_an_entry_was_set_aside(scene: Damaged) -> None:
    lines = scene.lines()
    scene.write(scene.entries, b"".join(lines[1:]))
    found = list(recognised(scene.backup.destination, trash.contents(scene.backup.destination), OWNER))
    assert not any(one.is_unaccounted for one in found)
    done = [one for one in scene.restore() if one.held.record is None]
    assert len(done) == 4
    assert all("the file alone" in one.problem for one in done)


@pytest.mark.parametrize("how", ["hash", "path", "nonsense"])
def test_a_metadata_file_that_lies_is_not_believed(scene: Damaged, how: str) -> None:
    scene.lose_the_catalog()
    scene.damage(1, 2, 3)
    file = f"{trash.TRASH}/{scene.gone.run}/metadata/{PHOTOS}/a.png.json"
    document = msgspec.json.decode(scene.backup.read(file))
    if how == "hash":
        document["original"]["sha256"] = "no hash"
    elif how == "path":
        document["original"]["path"] = ".syncengine/format.json"
    scene.write(file, b"[" * 9999 if how == "nonsense" else msgspec.json.encode(document))
    problems = {one.held.files[0].path: one for one in scene.restore()}
    a = problems[f"{PHOTOS}/a.png"]
    assert bool(a.path) == (how == "path")  # Which is not in the trash, and plays no part.
    assert scene.backup.destination.stat(".syncengine/format.json") is None


def test_a_run_tells_of_the_damage_and_empties_nothing_that_may_belong_to_it(scene: Damaged) -> None:
    scene.damage(2)
    scene.backup.mirror = Mirror(budget=None, trash_days=-1)
    before = set(scene.backup.files(trash.TRASH))
    report = scene.backup.run()
    assert report.trash_emptied == 2
    (warning,) = report.warnings
    assert f"{scene.entries}: line 2 is damaged" in warning
    left = set(scene.backup.files(trash.TRASH))
    assert len(before - left) == 8
    assert len(left) == 5


def test_what_a_killed_run_has_moved_is_put_back_although_its_line_is_damaged(scene: Damaged) -> None:
    """The state has it still, so the run was killed before it forgot."""
    scene.restore()
    for name in ("a.jpg", "copy of a.jpg"):
        scene.backup.library.add(photo(name, albums=(ROME,)), b"content a")
    scene.backup.run()
    held = f"{trash.TRASH}/run-900"
    record = next(one for one in scene.backup.contents() if one.path == f"{PHOTOS}/a.png")
    for path in trash.files_of(record):
        scene.backup.destination.move(path, f"{held}/{path}")
    scene.write(f"{held}/{trash.ENTRIES}", b'{"v":1,"id"\n')
    with scene.backup.parts() as parts, closing(Journal(parts.spool, parts.state, parts.profile)) as journal:
        settle(parts.destination, parts.state, journal, NOW)
    assert {path for path in trash.files_of(record) if scene.backup.destination.stat(path)} == set(
        trash.files_of(record)
    )


def test_a_restore_that_is_killed_is_finished_by_the_next_run(scene: Damaged) -> None:
    scene.lose_the_catalog()
    scene.damage(1)
    with scene.backup.parts() as parts:
        found = list(recognised(parts.destination, trash.contents(parts.destination), OWNER))
        unlisted.mend(parts.destination, Papers(parts.destination, parts.staging), found)
    assert trash.damage(scene.backup.destination) == []
    (first,) = [one for one in found if one.remark]
    scene.backup.destination.move(first.files[0].trashed, first.files[0].path)
    with scene.backup.parts() as parts, closing(Journal(parts.spool, parts.state, parts.profile)) as journal:
        settle(parts.destination, parts.state, journal, NOW)
    (record,) = [one for one in scene.backup.contents() if one.path == first.files[0].path]
    assert record.restored == NOW
    assert scene.backup.destination.stat(f"metadata/{record.path}.json") is not None
