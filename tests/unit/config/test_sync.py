"""``sync``: what happens to what left the source."""

from __future__ import annotations

import pytest

from syncengine.config.profile import Sync
from syncengine.config.quantities import most

SMALLEST = """\
version: 1
source: {takeout: {path: ./in}}
destination: {filesystem: {path: ./out}}
"""


@pytest.mark.parametrize(
    ("written", "sync"),
    [
        ("", Sync(mode="additive", max_delete=(50, 1.0), trash_days=30)),
        ("sync: {mode: mirror}\n", Sync(mode="mirror")),
        ("sync: {mode: mirror, max_delete: 200}\n", Sync(mode="mirror", max_delete=(200, None))),
        ("sync: {mode: mirror, max_delete: 0}\n", Sync(mode="mirror", max_delete=(0, None))),
        ("sync: {mode: mirror, max_delete: 2.5%}\n", Sync(mode="mirror", max_delete=(None, 2.5))),
        ("sync: {mode: mirror, trash_days: 90}\n", Sync(mode="mirror", trash_days=90)),
    ],
)
def test_sync_becomes_a_value(load, written: str, sync: Sync) -> None:
    assert load(SMALLEST + written).sync == sync


@pytest.mark.parametrize("text", ["", "-1", "1.5", "101%", "%", "1 %%", "²", "lots"])
def test_what_is_neither_a_number_nor_a_percentage(text: str) -> None:
    with pytest.raises(ValueError, match="percentage such as 1%"):
        most(text)
