"""What crash tests of the whole command have found, each small enough to be read."""

from __future__ import annotations

import pytest

from syncengine.api import FatalError
from syncengine.testing.faults import Fault, Faults, FaultyDestination
from tests.unit.engine.photos import ROME, Stamp, assert_checksums_hold, photo


def test_a_lost_original_is_put_back_in_the_run_that_learns_something_new_of_its_photo(backup):
    backup.transforms = (Stamp(extension=".png", keep=True),)
    backup.library.add(photo("a.jpg"), b"a")
    backup.run()
    backup.destination.remove("photos/2019/05/a.jpg")
    backup.library.add(photo("a.jpg", metadata_token="2", description="new"), b"a")
    backup.run()
    assert set(backup.files()) == {"photos/2019/05/a.jpg", "photos/2019/05/a.png"}
    assert backup.document("photos/2019/05/a.png")["description"] == "new"
    assert backup.run().outcomes["unchanged"] == 1


@pytest.mark.parametrize("killed", ["first", "second"])
def test_a_sidecar_that_a_killed_run_has_written_is_known_again_though_the_source_has_changed(backup, killed):
    backup.metadata = ("json", "xmp")
    good = backup.destination
    backup.library.add(photo("a.jpg"), b"a")
    if killed == "second":
        backup.run()
        backup.library.add(photo("a.jpg", metadata_token="2", albums=(ROME,)), b"a")
    backup.destination = FaultyDestination(good, Faults([Fault("flush", FatalError("gone"), at=2)]))
    backup.run()
    backup.destination = good
    backup.library.add(photo("a.jpg", metadata_token="3", description="new"), b"a")
    backup.run()
    assert b"new" in backup.read("photos/2019/05/a.jpg.xmp")
    assert_checksums_hold(backup)
