"""No two contents ever share a path."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from syncengine.api import Asset, ItemError
from syncengine.engine.target_paths import PathChooser
from syncengine.engine.work import Work
from syncengine.records import ContentRecord, StateBatch
from tests.unit.engine.photos import photo

WANTED = "photos/2019/05/a.jpg"


def work(name, content=b""):
    item = photo(name)
    asset = Asset(path=Path(), name=name, kind=item.kind, item=item)
    return Work(
        item=item, why="new", asset=asset, fetched=asset, content=hashlib.sha256(content or name.encode()).digest()
    )


def stored(path, content):
    key = hashlib.sha256(content).digest()
    return ContentRecord(
        content=key, path=path, source_sha256=key, stored_sha256=key, source_size=1, stored_size=1,
        mtime=None, item="", name="", profile="test",
    )  # fmt: skip


@pytest.fixture
def choose(backup):
    """Chooses paths in a state where some are owned."""

    def chosen(works, *, owners=(), before="", reserved=""):
        with backup.parts() as parts:
            parts.state.commit(StateBatch(contents=[stored(path, content) for path, content in owners]))
            chooser = PathChooser(parts, works)
            chooser.reserve(reserved)
            return [chooser.choose(one.asset, one, before) for one in works]

    return chosen


def suffixed(content, name="a", extension=".jpg", digits=6):
    return f"photos/2019/05/{name}~{hashlib.sha256(content).hexdigest()[:digits]}{extension}"


def test_a_free_name_is_taken_as_it_is(choose):
    assert choose([work("a.jpg")]) == [WANTED]


def test_two_of_one_batch_have_two_names_without_regard_to_case(choose):
    assert choose([work("a.jpg", b"1"), work("A.JPG", b"2")]) == [WANTED, suffixed(b"2", "A", ".JPG")]


def test_a_name_that_another_content_owns_gets_a_suffix_of_its_own_hash(choose):
    assert choose([work("a.jpg", b"new")], owners=[(WANTED, b"other")]) == [suffixed(b"new")]


def test_a_name_that_the_content_owns_itself_is_its_own(choose):
    assert choose([work("a.jpg", b"new")], owners=[(WANTED, b"new")]) == [WANTED]


def test_a_name_that_is_reserved_is_not_given_away(choose):
    assert choose([work("a.jpg", b"new")], reserved=WANTED.upper()) == [suffixed(b"new")]


def test_a_longer_suffix_is_taken_when_the_short_one_is_owned_too(choose):
    owners = [(WANTED, b"other"), (suffixed(b"new"), b"another")]
    assert choose([work("a.jpg", b"new")], owners=owners) == [suffixed(b"new", digits=16)]


def test_the_path_before_is_kept_while_the_format_is_the_same(choose):
    assert choose([work("a.jpg")], before="elsewhere/old name.JPG") == ["elsewhere/old name.JPG"]
    assert choose([work("a.jpg")], before="elsewhere/old name.heic") == [WANTED]


def test_a_content_to_which_no_name_is_left_fails_alone(choose):
    names = [WANTED, *(suffixed(b"new", digits=digits) for digits in (6, 16, 64))]
    owners = [(name, f"owner {number}".encode()) for number, name in enumerate(names)]
    with pytest.raises(ItemError, match="every name that it could take"):
        choose([work("a.jpg", b"new")], owners=owners)


def test_asking_the_state_once_is_enough_for_a_batch(backup, monkeypatch):
    with backup.parts() as parts:
        asked = []

        class Counting:
            def path_owners(self, paths):
                asked.append(len(paths))
                return parts.state.path_owners(paths)

        chooser = PathChooser(msgspec.structs.replace(parts, state=Counting()), works := [work("a.jpg"), work("b.jpg")])
        for one in works:
            chooser.choose(one.asset, one, "")
    assert asked == [2]
