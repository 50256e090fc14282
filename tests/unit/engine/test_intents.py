"""What a batch is about to place, written down before."""

from __future__ import annotations

import pytest

from syncengine.engine.intents import Intent, Intents, read_orphans
from syncengine.engine.spool import INTENTS


def spool_of(directory, run):
    path = directory / run
    path.mkdir()
    return path


def test_what_was_intended_is_read_back(tmp_path):
    spool = spool_of(tmp_path, "run-1")
    intents = Intents(spool, {})
    intents.write([Intent(b"one", b"made", "photos/a.jpg"), Intent(b"one", b"raw", "photos/a.heic")])
    intents.write([Intent(b"\xff\x00", b"\xfe", "photos/b.jpg")])
    assert read_orphans([spool]) == {
        (b"one", b"made"): "photos/a.jpg",
        (b"one", b"raw"): "photos/a.heic",
        (b"\xff\x00", b"\xfe"): "photos/b.jpg",
    }


def test_what_a_run_inherits_is_handed_on_to_the_next(tmp_path):
    first, second = spool_of(tmp_path, "run-1"), spool_of(tmp_path, "run-2")
    Intents(first, {}).write([Intent(b"one", b"made", "photos/a.jpg")])
    Intents(second, read_orphans([first]))
    assert read_orphans([second]) == {(b"one", b"made"): "photos/a.jpg"}


def test_the_newest_intent_counts(tmp_path):
    first, second = spool_of(tmp_path, "run-1"), spool_of(tmp_path, "run-2")
    Intents(first, {}).write([Intent(b"one", b"made", "photos/a.jpg")])
    Intents(second, {}).write([Intent(b"one", b"made", "photos/b.jpg")])
    assert read_orphans([first, second]) == {(b"one", b"made"): "photos/b.jpg"}


@pytest.mark.parametrize("half", [b'["b25l', b"garbage\n", b"\xff\xfe\n", b"\n\n"])
def test_a_half_line_of_a_killed_run_is_passed_over(tmp_path, half):
    spool = spool_of(tmp_path, "run-1")
    Intents(spool, {}).write([Intent(b"one", b"made", "photos/a.jpg")])
    with (spool / INTENTS).open("ab") as stream:
        stream.write(half)
    assert read_orphans([spool]) == {(b"one", b"made"): "photos/a.jpg"}


def test_a_run_that_intended_nothing_leaves_no_file(tmp_path):
    spool = spool_of(tmp_path, "run-1")
    Intents(spool, {}).write([])
    assert list(spool.iterdir()) == []
    assert read_orphans([spool]) == {}
