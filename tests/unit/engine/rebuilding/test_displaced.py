"""Files that are elsewhere than the catalog says when the state is made again, and what is about their old places."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.unit.engine.photos import ROME, assert_checksums_hold, photo, put
from tests.unit.engine.rebuilding.scenes import Rebuilding

B = "photos/2019/05/b.jpg"


@pytest.fixture(name="scene")
def make_scene(backup: Any) -> Rebuilding:
    """Three photos with sidecars, one of them with a copy."""
    backup.metadata = ("json", "xmp")
    backup.library.add(photo("a.jpg", albums=(ROME,), description="on the hill"), b"one")
    backup.library.add(photo("copy.jpg"), b"one")
    backup.library.add(photo("b.jpg"), b"two or so")
    backup.library.add(photo("c.jpg"), b"three")
    backup.run()
    return Rebuilding(backup)


def move(scene: Rebuilding, *paths: str, to: str) -> None:
    for path in paths:
        scene.backup.destination.move(path, path.replace("/2019/05/", to))


def settled(scene: Rebuilding) -> None:
    """Run, lose the state once more, and see that the catalog tells all."""
    assert scene.run().outcomes["unchanged"] == 4 - scene.run().outcomes["updated"]
    remembered = scene.remembered()
    scene.lose()
    done = scene.rebuild()
    assert (done.moved, done.dropped, done.is_from_catalog) == (0, 0, True)
    assert scene.remembered() == remembered
    assert_checksums_hold(scene.backup)
    papers = {path.removeprefix("metadata/") for path in scene.backup.files("metadata/photos")}
    assert papers == {f"{record.path}.json" for record in remembered[0]}
    assert {path for path in scene.backup.files() if path.endswith(".xmp")} == {
        f"{record.path}.xmp" for record in remembered[0]
    }


@pytest.mark.parametrize("papers", [(), (f"{B}.xmp",)])
def test_a_file_is_known_by_its_bytes_and_keeps_what_its_record_knew(
    scene: Rebuilding, papers: tuple[str, ...]
) -> None:
    move(scene, "photos/2019/05/a.jpg", B, *papers, to="/new/")
    (before,) = [record for record in scene.remembered()[0] if record.name == "a.jpg"]
    scene.lose()
    done = scene.rebuild()
    assert (done.moved, done.dropped, done.found, done.warnings) == (2, 0, 0, [])
    (after,) = [record for record in scene.remembered()[0] if record.name == "a.jpg"]
    assert (after.path, after.copies, after.guessed) == ("photos/new/a.jpg", before.copies, False)
    scene.run()
    assert scene.backup.document("photos/new/a.jpg")["description"] == "on the hill"
    settled(scene)


def test_names_that_were_swapped_among_files_of_one_size(scene: Rebuilding) -> None:
    scene.backup.library.add(photo("d.jpg"), b"seven")
    scene.backup.run()
    destination = scene.backup.destination
    destination.move("photos/2019/05/d.jpg", "photos/2019/05/e.jpg")
    destination.move("photos/2019/05/c.jpg", "photos/2019/05/d.jpg")
    scene.lose()
    assert scene.rebuild().moved == 2
    scene.run()
    assert {record.path[-5:]: record.item for record in scene.remembered()[0]}["d.jpg"] == "c.jpg"
    assert scene.backup.document("photos/2019/05/d.jpg")["source"]["id"] == "c.jpg"


def test_a_sidecar_that_is_missing_is_written_again(scene: Rebuilding) -> None:
    before = scene.backup.read(f"{B}.xmp")
    scene.backup.destination.remove(f"{B}.xmp")
    scene.lose()
    assert f"{B}.xmp" not in "".join(scene.rebuild().warnings)
    scene.run()
    assert scene.backup.read(f"{B}.xmp") == before
    settled(scene)


def test_papers_about_a_place_that_a_photo_has_left_go_to_the_trash(scene: Rebuilding) -> None:
    document = scene.backup.read(f"metadata/{B}.json")
    put(scene.backup.destination, "metadata/photos/old/b.jpg.json", document.replace(B.encode(), b"photos/old/b.jpg"))
    put(scene.backup.destination, "photos/old/b.jpg.xmp", scene.backup.read(f"{B}.xmp"))
    put(scene.backup.destination, "metadata/photos/old/notes.json", b"{}")
    scene.rebuild()
    scene.run()
    assert set(scene.backup.files("metadata/photos/old")) == {"metadata/photos/old/notes.json"}
    assert scene.backup.files("photos/old") == {}
    assert len(scene.backup.files(".syncengine/trash")) == 2


def test_what_waits_under_a_name_of_all_digits_beside_its_photo_goes_to_the_trash(scene: Rebuilding) -> None:
    (record,) = [one for one in scene.remembered()[0] if one.name == "b.jpg"]
    put(scene.backup.destination, f"photos/2019/05/b~{record.content.hex()}.jpg", b"made again")
    scene.lose()
    assert scene.rebuild().found == 0
    scene.run()
    settled(scene)
    assert list(scene.backup.files(".syncengine/trash").values()) == [b"made again"]


def test_a_file_that_was_being_replaced_comes_back(scene: Rebuilding) -> None:
    scene.backup.destination.move(B, f".syncengine/trash/run-009/{B}")
    put(scene.backup.destination, B, b"other but")
    scene.lose()
    assert (scene.rebuild().dropped, scene.remembered()[0][0].failure) == (0, "")
    scene.run()
    assert scene.backup.read(B) == b"two or so"
    assert list(scene.backup.files(".syncengine/trash").values()) == [b"other but"]
    settled(scene)


def test_a_sidecar_that_a_killed_run_was_the_first_to_write_is_known(scene: Rebuilding) -> None:
    scene.backup.metadata = ("json",)
    scene.backup.library.add(photo("new.jpg"), b"new")
    scene.backup.run()
    sidecar = scene.backup.read(f"{B}.xmp")  # It is the same of all that say no more.
    put(scene.backup.destination, "photos/2019/05/new.jpg.xmp", sidecar)
    put(scene.backup.destination, "photos/2019/05/a.png.xmp", b"somebody's")
    (record,) = [one for one in scene.remembered()[0] if one.name == "b.jpg"]
    put(scene.backup.destination, f"photos/2019/05/b.jpg~{record.content.hex()}.xmp", b"waiting")
    scene.lose()
    scene.rebuild()
    scene.run()
    assert {one.name: bool(one.sidecar_path) for one in scene.remembered()[0]}["new.jpg"]
    assert {path for path in scene.backup.files() if path.endswith(".xmp")} == {
        f"photos/2019/05/{name}.xmp" for name in ("a.jpg", "b.jpg", "c.jpg", "new.jpg", "a.png")
    }


def test_a_file_that_comes_back_gets_a_metadata_file_about_itself(scene: Rebuilding) -> None:
    document = scene.backup.document(B)
    other = scene.backup.read(f"metadata/{B}.json").replace(document["stored"]["sha256"].encode(), b"0" * 64)
    put(scene.backup.destination, f"metadata/{B}.json", other)
    scene.backup.destination.move(B, f".syncengine/trash/run-009/{B}")
    scene.lose()
    scene.rebuild()
    scene.run()
    assert scene.backup.read(B) == b"two or so"
    assert scene.backup.document(B) == document
    settled(scene)


def test_a_sidecar_of_the_same_length_that_a_killed_run_has_written_is_ours_and_another_is_a_persons(
    scene: Rebuilding,
) -> None:
    a, b = "photos/2019/05/a.jpg", B
    document = scene.backup.read(f"metadata/{a}.json").replace(b"on the hill", b"in the town")
    put(scene.backup.destination, f"metadata/{a}.json", document)
    put(scene.backup.destination, f"{a}.xmp", scene.backup.read(f"{a}.xmp").replace(b"on the hill", b"in the town"))
    put(scene.backup.destination, f"{b}.xmp", edited := scene.backup.read(f"{b}.xmp")[:-1] + b" ")
    before = {record.path: record.sidecar_sha256 for record in scene.remembered()[0]}
    scene.lose()
    scene.rebuild()
    after = {record.path: record.sidecar_sha256 for record in scene.remembered()[0]}
    assert (after[a] == hashlib.sha256(scene.backup.read(f"{a}.xmp")).digest(), after[b]) == (True, before[b])
    scene.run()
    assert scene.backup.read(f"{b}.xmp") == edited
