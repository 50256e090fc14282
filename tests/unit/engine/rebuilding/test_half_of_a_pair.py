"""Files that are lost together with the state: half of a photo that was stored in two, and what had a name before."""

from __future__ import annotations

import pytest

from syncengine.api import CaptureTime
from tests.unit.engine.photos import Stamp, assert_checksums_hold, photo
from tests.unit.engine.rebuilding.scenes import Rebuilding

AUGUST = CaptureTime(origin="source", instant=1_565_000_000_000)
PAIR = {"photos/2019/05/a.jpg": b"a", "photos/2019/05/a.png": b"stamped a"}


@pytest.mark.parametrize("lost", PAIR)
def test_the_other_half_stays_what_it_is_though_the_photo_has_another_date_now(backup, lost):
    backup.transforms = (Stamp(extension=".png", keep=True),)
    backup.library.add(photo("a.jpg"), b"a")
    backup.run()
    assert backup.files() == PAIR
    rebuilding = Rebuilding(backup)
    backup.destination.remove(lost)
    rebuilding.lose()
    rebuilding.rebuild()
    backup.library.add(photo("a.jpg", taken=AUGUST, metadata_token="2"), b"a")
    assert rebuilding.run().complete
    assert backup.files() == PAIR
    assert rebuilding.run().outcomes["unchanged"] == 1


def test_of_two_contents_that_had_the_same_name_one_after_the_other_only_the_one_that_is_there_is_known(backup):
    backup.library.add(photo("1", name="a.jpg"), b"first")
    backup.run()
    rebuilding = Rebuilding(backup)
    backup.destination.remove("photos/2019/05/a.jpg")
    backup.library.remove("1")
    rebuilding.lose()
    rebuilding.rebuild()
    backup.library.add(photo("2", name="a.jpg"), b"other")
    rebuilding.run()
    rebuilding.lose()
    rebuilding.rebuild()
    assert [record.item for record in backup.contents()] == ["2"]
    rebuilding.run()
    assert_checksums_hold(backup)
