"""The state made again, by each of the three ways, and what a run does afterwards."""

from __future__ import annotations

import msgspec
import pytest

from syncengine.engine import catalog
from syncengine.engine.rebuilding import needs_rebuilding
from syncengine.errors import InterruptedRunError
from syncengine.model import AlbumRef
from syncengine.records import StateBatch
from syncengine.state.store import StateStore
from tests.unit.engine.photos import ROME, Stamp, photo
from tests.unit.engine.rebuilding.scenes import Rebuilding


@pytest.fixture
def scene(backup):
    """Five photos: one in an album, a copy of it, one that is converted with its original, one of another month."""
    backup.transforms = (Stamp(extension=".png", keep=True),)
    backup.metadata = ("json", "xmp")
    backup.library.add(photo("a.jpg", albums=(ROME,), description="on the hill"), b"one")
    backup.library.add(photo("copy.jpg"), b"one")
    backup.library.add(photo("b.jpg"), b"two")
    backup.library.add(photo("c.jpg", taken=None), b"three")
    made = Rebuilding(backup)
    assert backup.run().outcomes["stored"] == 3
    return made


def test_from_the_catalog(scene):
    remembered, tree = scene.remembered(), scene.tree()
    scene.lose()
    done = scene.rebuild()
    assert scene.remembered() == remembered
    assert (done.contents, done.items, done.runs, done.warnings) == (3, {"test": 4}, 1, [])
    assert done.is_from_catalog
    report = scene.run()
    assert (report.outcomes["unchanged"], report.bytes_read) == (4, 0)
    assert scene.tree() == tree


def test_twice_is_as_good_as_once(scene):
    remembered = scene.remembered()
    scene.rebuild()
    scene.rebuild()
    assert scene.remembered() == remembered


def test_what_other_profiles_and_destinations_have_stays_theirs(scene):
    scene.backup.profile = "second"
    scene.run()
    second = scene.remembered()
    with StateStore.open(scene.backup.directory / "state") as store:
        (record,) = [one for one in second[0] if one.name == "b.jpg"]
        store.bind("test", "another disk").commit(StateBatch(contents=[record], items=[("x", second[1]["b.jpg"])]))
    scene.backup.profile = "test"
    done = scene.rebuild()
    assert done.items == {"test": 4, "second": 4}
    scene.backup.profile = "second"
    assert scene.remembered() == second
    with StateStore.open(scene.backup.directory / "state") as store:
        other = store.bind("test", "another disk")
        assert list(other.all_contents()) == [record]
        assert dict(other.all_items()) == {"x": second[1]["b.jpg"]}


def test_from_the_metadata_files(scene):
    before, items, albums, prints = scene.remembered()
    tree = scene.tree()
    scene.lose("metadata/catalog")
    done = scene.rebuild()
    assert (done.from_metadata, done.found, done.contents) == (3, 0, 3)
    after, none, albums_after, prints_after = scene.remembered()
    assert none == {}
    assert albums_after == albums
    assert prints_after == prints
    assert [msgspec.structs.replace(one, recipe="", stored_name="", guessed=False) for one in after] == [
        msgspec.structs.replace(one, recipe="", stored_name="") for one in before
    ]
    report = scene.run()
    assert (report.bytes_written, report.outcomes["unchanged"], report.outcomes["duplicate"]) == (0, 3, 1)
    again = scene.tree()
    assert {path: entry for path, entry in again.items() if "catalog" not in path} == {
        path: entry for path, entry in tree.items() if "catalog" not in path
    }
    assert scene.remembered()[1].keys() == items.keys()


def test_from_the_files_alone(scene):
    tree = scene.tree()
    scene.lose("metadata")
    done = scene.rebuild()
    assert (done.from_metadata, done.found) == (0, 6)
    report = scene.run()
    assert (report.bytes_written, report.outcomes["failed"]) == (0, 0)
    photos = {path: entry for path, entry in tree.items() if path.startswith("photos/") and path[-4:] != ".xmp"}
    assert {
        path: entry for path, entry in scene.tree().items() if path.startswith("photos/") and path[-4:] != ".xmp"
    } == photos
    contents, items, albums, _ = scene.remembered()
    assert len(contents) == 3, "what was found is taken over"
    assert (len(items), [album.directory for album in albums]) == (4, ["albums/Rome"])
    assert scene.run().outcomes["unchanged"] == 4


def test_files_that_were_moved_are_known_by_their_bytes(scene):
    scene.lose("metadata")
    scene.backup.destination.move("photos/2019/05/b.png", "photos/best/b of mine.png")
    scene.backup.destination.move("photos/2019/05/a.jpg", "photos/best/a of mine.jpg")
    scene.rebuild()
    assert scene.run().bytes_written == 0
    paths = {(record.path, record.original_path) for record in scene.remembered()[0]}
    assert ("photos/best/b of mine.png", "photos/2019/05/b.jpg") in paths
    assert ("photos/2019/05/a.png", "photos/best/a of mine.jpg") in paths


def test_without_deduplication_each_item_finds_its_own_file_again(backup):
    backup.dedups = lambda: ()
    scene = Rebuilding(backup)
    for name in ("a.jpg", "b.jpg"):
        backup.library.add(photo(name), b"the same")
    backup.run()
    files = backup.files()
    for lost in ("nothing", "metadata/catalog", "metadata"):
        scene.lose(lost)
        scene.rebuild()
        assert scene.run().bytes_written == 0, lost
        assert backup.files() == files
        assert scene.run().outcomes["unchanged"] == 2


def test_an_untouched_file_that_nobody_claims_stays_listed(scene):
    del scene.backup.library.items["b.jpg"]
    scene.lose("metadata")
    scene.rebuild()
    scene.run()
    listed = scene.backup.read("metadata/checksums.sha256").decode()
    assert "photos/2019/05/b.png\n" in listed
    assert "photos/2019/05/b.jpg\n" in listed


def test_another_programs_files_are_no_finds(scene):
    scene.lose("metadata")
    for path in ("photos/2019/05/@eaDir/b.jpg", "photos/.hidden/b.jpg", "photos/Thumbs.db", "photos/notes.txt"):
        upload = scene.backup.destination.begin(path)
        upload.write(b"x")
        upload.commit()
    assert scene.rebuild().found == 6


def test_a_failed_transform_is_tried_again(backup):
    stamp = Stamp(extension=".png", broken=True)
    backup.transforms = (stamp,)
    backup.library.add(photo("a.heic"), b"raw")
    scene = Rebuilding(backup)
    backup.run()
    for lost in ("nothing", "metadata/catalog", "metadata"):
        scene.lose(lost)
        scene.rebuild()
        report = scene.run()
        assert (report.outcomes["failed"], report.bytes_written) == (1, 0), lost
    stamp.broken = False
    scene.lose("metadata")
    scene.rebuild()
    assert scene.run().outcomes["stored"] == 1
    assert backup.files() == {"photos/2019/05/a.heic": b"raw", "photos/2019/05/a.png": b"stamped raw"}


def test_the_groups_of_copies_come_back_from_their_listing(scene):
    listing = scene.backup.read("metadata/deduplication.json")
    scene.lose("metadata/catalog")
    scene.backup.library.add(photo("new.jpg"), b"new")
    del scene.backup.library.items["copy.jpg"]
    scene.rebuild()
    scene.run()
    assert scene.backup.read("metadata/deduplication.json") == listing


def test_a_missing_file_is_dropped_and_stored_again(scene):
    for path in ("photos/2019/05/b.png", "photos/2019/05/b.jpg"):
        scene.backup.destination.remove(path)
    done = scene.rebuild()
    assert (done.dropped, done.contents, done.lost_items) == (1, 2, 1)
    assert "photos/2019/05/b.png is not there" in "".join(done.warnings)
    with StateStore.open(scene.backup.directory / "state") as store:
        accounts = {report.ended: report for report in store.bind("test", "").runs(2)}
    assert (accounts["completed"].complete, accounts["stopped"].complete) == (True, False)
    assert "1 files were not there as recorded" in accounts["stopped"].reason
    assert scene.run().outcomes["stored"] == 1
    assert scene.backup.read("photos/2019/05/b.png") == b"stamped two"


def test_a_file_of_another_length_is_not_taken_for_what_was_stored(scene):
    overwrite(scene, "photos/2019/05/b.png", b"cut")
    done = scene.rebuild()
    assert (done.dropped, done.found) == (1, 1)
    assert "has 3 bytes instead of 11" in done.warnings[0]
    scene.run()
    assert b"stamped two" in scene.backup.files().values()
    assert scene.backup.read("photos/2019/05/b.png") == b"cut"


@pytest.mark.parametrize(("content", "rehash"), [(b"cut", False), (b"stamped tvo", True)])
def test_a_file_that_is_not_what_its_metadata_file_says_is_not_passed_over(scene, content, rehash):
    overwrite(scene, "photos/2019/05/b.png", content)
    scene.lose("metadata/catalog")
    done = scene.rebuild(rehash=rehash)
    assert (done.dropped, done.from_metadata) == (1, 2)
    assert "photos/2019/05/b.png has" in done.warnings[0]
    scene.run()
    assert b"stamped two" in scene.backup.files().values()
    assert scene.backup.read("photos/2019/05/b.png") == content


def test_a_file_of_the_same_length_is_seen_when_it_is_hashed(scene):
    overwrite(scene, "photos/2019/05/b.png", b"stamped tvo")
    assert scene.rebuild().dropped == 0
    done = scene.rebuild(rehash=True)
    assert (done.dropped, done.from_metadata, done.found) == (1, 0, 1)
    assert "has other bytes" in done.warnings[0]
    scene.run()
    assert b"stamped two" in scene.backup.files().values()


def test_hashing_sound_files_finds_nothing(scene):
    remembered = scene.remembered()
    assert scene.rebuild(rehash=True).warnings == []
    assert scene.remembered() == remembered


def overwrite(scene, path, content):
    upload = scene.backup.destination.begin(path)
    upload.write(content)
    upload.commit(replace=True)


def test_an_original_that_is_missing_is_said_and_put_back(scene):
    scene.backup.destination.remove("photos/2019/05/b.jpg")
    done = scene.rebuild()
    assert (done.dropped, done.contents) == (0, 3)
    assert "photos/2019/05/b.jpg is not there" in done.warnings[0]
    scene.run()
    assert scene.backup.read("photos/2019/05/b.jpg") == b"two"


def catalogs(backup):
    return [stat.path for stat in backup.destination.list("metadata/catalog")]


def test_half_a_line_at_the_end_is_a_killed_runs(scene):
    (path,) = catalogs(scene.backup)
    lines = scene.backup.read(path)
    overwrite(scene, path, lines + b'{"content":{"content":"00')
    remembered = scene.remembered()
    done = scene.rebuild()
    assert (done.cut, done.damaged) == (1, 0)
    assert "ends in the middle of a line" in done.warnings[0]
    assert scene.remembered() == remembered


def test_what_a_damaged_line_hides_comes_from_the_metadata_file(scene):
    (path,) = catalogs(scene.backup)
    lines = scene.backup.read(path).splitlines(keepends=True)
    (number,) = [n for n, line in enumerate(lines) if b'"content":{' in line and b'"name":"b.jpg"' in line]
    lines[number] = b"\xff" + lines[number][1:]
    overwrite(scene, path, b"".join(lines))
    contents, items, *_ = scene.remembered()
    done = scene.rebuild()
    assert (done.damaged, done.from_metadata, done.lost_items) == (1, 1, 0)
    assert "a line is damaged" in done.warnings[0]
    after, items_after, *_ = scene.remembered()
    assert [record.path for record in after] == [record.path for record in contents]
    assert items_after == items
    assert scene.run().outcomes["unchanged"] == 4


def test_a_membership_that_a_damaged_line_hides_comes_from_the_metadata_file(scene):
    scene.backup.library.add(photo("copy.jpg", content_token="2", albums=(AlbumRef("p", "Paris"),)), b"one")
    scene.run()
    path = catalogs(scene.backup)[-1]
    lines = scene.backup.read(path).splitlines(keepends=True)
    (number,) = [n for n, line in enumerate(lines) if line.startswith(b'{"content":{') and b"Paris" in line]
    lines[number] = b"x" + lines[number]
    overwrite(scene, path, b"".join(lines))
    remembered = scene.remembered()
    assert scene.rebuild().damaged == 1
    contents = {record.name: record.albums for record in scene.remembered()[0]}
    assert contents["a.jpg"] == (ROME, AlbumRef("p", "Paris"))
    assert contents == {record.name: record.albums for record in remembered[0]}


def test_a_catalog_by_a_newer_version_and_a_key_that_is_none_are_damage(scene):
    (path,) = catalogs(scene.backup)
    overwrite(scene, path, scene.backup.read(path) + b'{"v":2}\n{"gone_content":"00"}\n')
    assert scene.rebuild().damaged == 2


def test_the_lines_of_runs_that_overlap_are_put_in_order(scene):
    record, *_ = scene.remembered()[0]
    moments = {name: 2_524_608_000 + second for name, second in (("old", 3), ("new", 4), ("newest", 5))}

    def lines(*names):
        return b"".join(catalog.moment(moments[name]) + catalog.encode(changed(record, name), "test") for name in names)

    (path,) = catalogs(scene.backup)
    scene.backup.destination.move(path, "metadata/catalog/20251231T000000000000Z.jsonl")
    overwrite(scene, "metadata/catalog/20500101T000000000000Z.jsonl", lines("old", "newest"))
    overwrite(scene, "metadata/catalog/20500101T000001000000Z.jsonl", lines("new"))
    scene.rebuild()
    assert [one.recipe for one in scene.remembered()[0] if one.content == record.content] == ["newest"]


def changed(record, recipe):
    return StateBatch(contents=[msgspec.structs.replace(record, recipe=recipe)])


def test_removals_are_taken_in_their_place(scene):
    contents, items, *_ = scene.remembered()
    kept = next(record for record in contents if record.name == "b.jpg")
    gone = StateBatch(gone_items=["b.jpg"], gone_contents=[kept.content])
    back = StateBatch(contents=[kept], items=[("b.jpg", items["b.jpg"])])
    overwrite(scene, "metadata/catalog/run-7.jsonl", catalog.encode(gone, "test") + catalog.encode(back, "test"))
    scene.rebuild()
    assert scene.remembered()[:2] == (contents, items)
    overwrite(scene, "metadata/catalog/run-8.jsonl", catalog.encode(gone, "test"))
    scene.backup.destination.remove("photos/2019/05/b.png")
    scene.rebuild()
    assert "b.jpg" not in scene.remembered()[1]


def test_the_catalog_of_a_killed_run_is_read_where_it_waits(scene, tmp_path):
    (path,) = catalogs(scene.backup)
    waiting = tmp_path / "catalog.jsonl"
    waiting.write_bytes(scene.backup.read(path))
    remembered = scene.remembered()
    scene.lose("metadata/catalog")
    scene.spools = (("run-001", waiting),)
    assert scene.rebuild().is_from_catalog
    assert scene.remembered() == remembered


def test_interrupted_it_begins_again(scene):
    remembered = scene.remembered()
    scene.stop.set()
    with pytest.raises(InterruptedRunError):
        scene.rebuild()
    scene.stop.clear()
    with StateStore.open(scene.backup.directory / "state") as store:
        assert needs_rebuilding(scene.task(store))
    scene.rebuild()
    with StateStore.open(scene.backup.directory / "state") as store:
        assert not needs_rebuilding(scene.task(store))
    assert scene.remembered() == remembered


def test_it_is_needed_where_the_state_knows_nothing_of_a_library(scene):
    def needed():
        with StateStore.open(scene.backup.directory / "state") as store:
            return needs_rebuilding(scene.task(store))

    assert not needed()
    scene.lose()
    assert needed()
    scene.lose("metadata/catalog")
    assert needed()
    scene.lose("metadata")
    assert (
        not needed()
    ), "a run finds the files by their names and bytes, and hashing all of them is for a person to ask"
