"""XMP sidecars beside photos: ours, and those of somebody else."""

from __future__ import annotations

import pytest

from syncengine.api import Kind
from syncengine.engine import planning
from tests.unit.engine.photos import Stamp, assert_checksums_hold, checksums, photo, put

SIDECAR = "photos/2019/05/a.jpg.xmp"


@pytest.fixture(autouse=True)
def with_sidecars(backup):
    backup.metadata = ("json", "xmp")


@pytest.mark.parametrize("batch", [1, 256])
@pytest.mark.parametrize("sidecar_first", [True, False])
def test_a_sidecar_of_the_library_and_the_one_that_we_write_both_have_a_name(backup, monkeypatch, batch, sidecar_first):
    monkeypatch.setattr(planning, "BATCH_ITEMS", batch)
    items = [(photo("1", name="a.jpg.xmp", kind=Kind.OTHER), b"edits of the user"), (photo("2", name="a.jpg"), b"a")]
    for item, content in items if sidecar_first else reversed(items):
        backup.library.add(item, content)
    assert backup.run().outcomes["stored"] == 2
    assert {b"edits of the user", b"a"} <= set(backup.files().values())
    assert set(checksums(backup)) == set(backup.files())
    assert_checksums_hold(backup)
    assert backup.run().outcomes["unchanged"] == 2


def test_a_sidecar_that_another_program_has_edited_is_never_written_again(backup):
    backup.library.add(photo("a.jpg", metadata_token="1"), b"a")
    backup.run()
    put(backup.destination, SIDECAR, b"edited")
    backup.library.add(photo("a.jpg", metadata_token="2", description="new"), b"a")
    assert backup.run().outcomes["updated"] == 1
    assert backup.read(SIDECAR) == b"edited"
    assert backup.document("photos/2019/05/a.jpg")["description"] == "new"
    assert SIDECAR not in checksums(backup)


def test_our_own_sidecar_is_written_again_when_metadata_change(backup):
    backup.library.add(photo("a.jpg", metadata_token="1", description="old"), b"a")
    backup.run()
    backup.library.add(photo("a.jpg", metadata_token="2", description="a new text"), b"a")
    backup.run()
    assert b"a new text" in backup.read(SIDECAR)
    assert_checksums_hold(backup)


def test_a_file_that_leaves_its_name_takes_our_papers_about_it_along(backup):
    stamp = Stamp(extension=".png", broken=True)
    backup.transforms = (stamp,)
    backup.library.add(photo("a.heic"), b"raw")
    backup.run()
    assert "photos/2019/05/a.heic.xmp" in backup.files()
    stamp.broken = False
    backup.run()
    assert set(backup.files()) == {"photos/2019/05/a.heic", "photos/2019/05/a.png", "photos/2019/05/a.png.xmp"}
    assert "metadata/photos/2019/05/a.heic.json" not in backup.files("metadata")
    assert_checksums_hold(backup)


def test_a_sidecar_that_was_edited_stays_when_the_file_leaves_its_name(backup):
    stamp = Stamp(extension=".png", broken=True)
    backup.transforms = (stamp,)
    backup.library.add(photo("a.heic"), b"raw")
    backup.run()
    put(backup.destination, "photos/2019/05/a.heic.xmp", b"edited")
    stamp.broken = False
    backup.run()
    assert backup.read("photos/2019/05/a.heic.xmp") == b"edited"
