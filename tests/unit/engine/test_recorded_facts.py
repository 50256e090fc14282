"""What a record knows of its content is enough to make its path again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from syncengine.api import AlbumRef, CaptureTime
from syncengine.engine.layout import PathTemplate
from syncengine.engine.recorded_facts import has_facts, original_asset, stored_asset, stored_name
from tests.unit.engine.conftest import ROME
from tests.unit.engine.photos import MAY, Stamp, photo

LAYOUTS = [
    "photos/{taken:%Y}/{taken:%m}/{name}",
    "{album}/{kind}/{camera}/{stem}-{id}.{ext}",
    "x/{sha256}.{ext}",
    "{taken:%Y%m%dT%H%M%z}/{name}",
]
TIMES = [MAY, None, CaptureTime(origin="exif", wall="2019-12-31T23:59:59", offset=-600)]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("taken", TIMES)
@pytest.mark.parametrize("extension", ["", ".png"])
def test_the_record_alone_gives_the_path_that_the_run_chose(
    backup: Any, layout: str, taken: Any, extension: str
) -> None:
    backup.layout, backup.transforms = layout, (Stamp(extension=extension, keep=True),)
    albums = (AlbumRef("z", "Zoo"), AlbumRef("a", "Alps"))
    listed = photo("1", name="IMG 1.JPG", taken=taken, albums=albums)
    backup.library.add(listed, b"one", described=msgspec.structs.replace(listed, camera="Pixel 4"))
    backup.run()
    (record,) = backup.contents()
    template = PathTemplate(layout, ROME)
    assert template.path_of(stored_asset(record)) == record.path
    assert template.path_of(original_asset(record)) == record.original_path.replace(f"~{record.content.hex()[:6]}", "")


def test_what_is_told_later_is_in_the_record_as_well(backup: Any) -> None:
    backup.library.add(photo("1.jpg", metadata_token="a"), b"one")
    backup.run()
    later = CaptureTime(origin="source", instant=1_600_000_000_000)
    backup.library.add(photo("1.jpg", metadata_token="b", taken=later, camera="Pixel 5"), b"one")
    backup.run()
    (record,) = backup.contents()
    assert (record.camera, record.taken) == ("Pixel 5", ("source", 1_600_000_000_000, None, None))


def test_the_name_is_guessed_for_a_record_that_does_not_know_it(backup: Any) -> None:
    backup.transforms = (Stamp(extension=".png"),)
    backup.library.add(photo("1.jpg"), b"one")
    backup.run()
    (record,) = backup.contents()
    older = msgspec.structs.replace(record, stored_name="", kind="", taken=None)
    assert not has_facts(older)
    assert stored_name(older) == "1.png" == stored_name(record)
