from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.api import Asset, Kind, MediaItem
from syncengine_plugins.dedup import sha256
from syncengine_plugins.dedup.sha256 import Sha256, Sha256Options


class Index:
    def __init__(self) -> None:
        self.known: dict[bytes, bytes] = {}

    def get(self, fingerprint: bytes) -> bytes | None:
        return self.known.get(fingerprint)

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self.known.items()


def digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
def dedup(index: Index) -> Sha256:
    made = Sha256(Sha256Options())
    made.load(index)
    return made


def test_it_looks_at_what_was_fetched_and_decodes_nothing(dedup: Sha256) -> None:
    assert (dedup.method, dedup.stage, dedup.decodes) == ("sha256", "fetched", False)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_fingerprint_is_the_hash_of_any_kind_of_file(dedup: Sha256, kind: Kind) -> None:
    item = MediaItem(id="1", name="a", kind=kind, content_token="t")
    asset = Asset(path=Path("a"), name="a", kind=kind, item=item, sha256=digest(1))
    assert dedup.fingerprint(asset) == digest(1)
    assert dedup.fingerprint(Asset(path=Path("a"), name="a", kind=kind, item=item)) is None


def test_what_was_stored_before_and_what_is_being_stored_are_found(dedup: Sha256, index: Index) -> None:
    assert dedup.match(digest(1)) is None
    index.known[digest(1)] = b"content 1"
    dedup.add(digest(2), b"content 2")
    for number in (1, 2):
        found = dedup.match(digest(number))
        assert found is not None
        assert (found.content, found.distance, found.skip) == (b"content %d" % number, 0, True)
    assert dedup.match(digest(3)) is None


def test_the_first_content_of_a_fingerprint_stays(dedup: Sha256) -> None:
    dedup.add(digest(1), b"first")
    dedup.add(digest(1), b"second")
    found = dedup.match(digest(1))
    assert found is not None
    assert found.content == b"first"


def test_what_the_state_knows_is_forgotten_and_what_it_does_not_know_is_kept(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sha256, "_RECENT", 100)
    dedup = Sha256(Sha256Options())
    dedup.load(index)
    for number in range(1000):
        dedup.add(digest(number), digest(number))
        if number % 2:
            index.known[digest(number)] = digest(number)
    matches = [dedup.match(digest(number)) for number in range(1000)]
    assert [match and match.content for match in matches] == [digest(number) for number in range(1000)]
    remembered = sum(digest(number) in dedup._added for number in range(1, 1000, 2))
    assert remembered < 400
