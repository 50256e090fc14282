from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine_plugins.dedup import hamming
from syncengine_plugins.dedup.hamming import HammingIndex

HASHES = st.one_of(st.binary(min_size=8, max_size=8), st.integers(0, 15).map(lambda n: n.to_bytes(8, "big")))


def content(number: int) -> bytes:
    return number.to_bytes(31, "big") + b"\0"  # a zero at the end must survive


def distance(first: bytes, second: bytes) -> int:
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_count()


@settings(max_examples=80, deadline=None)
@given(st.lists(HASHES, max_size=40), st.lists(HASHES, max_size=40), HASHES, st.integers(0, 32))
def test_it_finds_what_comparing_all_finds(loaded: list[bytes], added: list[bytes], wanted: bytes, limit: int) -> None:
    index = HammingIndex()
    index.load((fingerprint, content(1000 - place)) for place, fingerprint in enumerate(loaded))
    for place, fingerprint in enumerate(added):
        index.add(fingerprint, content(2000 - place))
    assert len(index) == len(loaded) + len(added)
    # Loaded before added; of loaded ones the smallest content, of added ones the first.
    candidates = [(distance(h, wanted), 0, 1000 - place, 1000 - place) for place, h in enumerate(loaded)]
    candidates += [(distance(h, wanted), 1, place, 2000 - place) for place, h in enumerate(added)]
    best = min(candidates, default=None)
    found = index.nearest(wanted, limit)
    if best is None or best[0] > limit:
        assert found is None
    else:
        assert found == hamming.Neighbour(content(best[3]), best[0])


def test_blocks_join_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "_BLOCK", 4)
    index = HammingIndex()
    for number in range(23):
        index.add((0xFF << number).to_bytes(8, "big"), content(number))
    for number in range(23):
        found = index.nearest((0xFF << number).to_bytes(8, "big"), 0)
        assert found is not None
        assert found.content == content(number)


def test_contents_of_any_length_up_to_32_come_back() -> None:
    index = HammingIndex()
    for size in range(33):
        index.add(size.to_bytes(8, "big"), b"\0" * size)
    for size in range(33):
        found = index.nearest(size.to_bytes(8, "big"), 0)
        assert found is not None
        assert found.content == b"\0" * size


@pytest.mark.parametrize(("fingerprint", "key"), [(b"1234567", b""), (b"123456789", b""), (b"12345678", b"x" * 33)])
def test_other_lengths_are_refused(fingerprint: bytes, key: bytes) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        HammingIndex().add(fingerprint, key)


def test_loading_leaves_out_hashes_of_another_length() -> None:
    index = HammingIndex()
    index.load([(b"short", b"1"), (b"12345678", b"2")])
    assert len(index) == 1


def test_an_entry_takes_41_bytes() -> None:
    index = HammingIndex()
    index.load((number.to_bytes(8, "big"), content(number)) for number in range(10000))
    assert index._hashes.itemsize + len(index._contents) // 10000 == 41
