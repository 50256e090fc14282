"""A photo that is stored in two files, of which one is lost together with the state."""

from __future__ import annotations

import pytest

from syncengine.api import CaptureTime
from tests.unit.engine.photos import Stamp, photo
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
