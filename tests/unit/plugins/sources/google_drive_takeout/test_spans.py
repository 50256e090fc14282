from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine_plugins.sources.google_drive_takeout.spans import GAP, LONGEST, Wish, plan


def wishes_of(gaps: list[tuple[int, int, bool | None]]) -> list[Wish]:
    """Lay members one behind the other: (bytes before it, its bytes, whether it is a sidecar; ``None`` is a photo that
    is wanted soon).
    """
    at, made = 0, []
    for gap, length, json in gaps:
        made.append(Wish(at + gap, at + gap + length, bool(json), length, json is None))
        at += gap + length
    return made


class Room:
    """So many bytes of photos, of which those of planned spans are taken."""

    def __init__(self, bytes_in_all):
        self.left = bytes_in_all

    def __call__(self, soon):
        return self.left if soon else self.left // 2


def taken(wishes, room, usual):
    for span in plan(wishes, room, usual):
        room.left -= sum(wish.length for wish in span.wishes if not wish.json)
        yield span


MEMBERS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 1000, GAP, GAP + 1, 10 * GAP]),
        st.sampled_from([1, 700, 900_000, 3_000_000, LONGEST, LONGEST + 1]),
        st.sampled_from([True, False, None]),
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(MEMBERS, st.integers(0, 40_000_000), st.sampled_from([2 << 20, LONGEST]), st.randoms())
def test_every_sidecar_is_in_one_span_and_little_else(members, room, usual, random):
    wishes = wishes_of(members)
    shuffled = random.sample(wishes, len(wishes))
    spans = list(taken(shuffled, Room(room), usual))
    planned = [wish for span in spans for wish in span.wishes]
    assert len(planned) == len(set(planned))
    assert {wish for wish in planned if wish.json} == {wish for wish in wishes if wish.json}
    assert sum(wish.length for wish in planned if not wish.json) <= room
    assert all(wish.length <= room // 2 for wish in planned if not wish.json and not wish.soon)
    assert [span.start for span in spans] == sorted(span.start for span in spans)
    for span in spans:
        assert any(wish.json for wish in span.wishes)
        assert len(span.wishes) == 1 or span.end - span.start <= LONGEST
        wasted = span.end - span.start - sum(wish.length for wish in span.wishes)
        assert wasted <= GAP * (len(span.wishes) - 1)


def test_neighbours_take_one_request():
    wishes = wishes_of([(0, 700, True)] * 1000)
    assert len(list(plan(wishes, Room(0)))) == 1


def test_sidecars_far_apart_take_one_each():
    wishes = wishes_of([(GAP + 1, 700, True)] * 10)
    assert len(list(plan(wishes, Room(0)))) == 10


def test_a_photo_comes_along_where_there_is_room():
    wishes = wishes_of([(0, 2_000_000, None), (0, 700, True)])
    assert [len(span.wishes) for span in plan(wishes, Room(2_000_000))] == [2]
    assert [len(span.wishes) for span in plan(wishes, Room(1_999_999))] == [1]


def test_a_request_takes_no_further_photo_when_it_is_long_enough():
    wishes = wishes_of([(0, 3_000_000, None), (0, 700, True)] * 4)
    room = Room(100_000_000)
    assert [len(span.wishes) for span in plan(wishes, room)] == [8]
    assert [len(span.wishes) for span in plan(wishes, room, 4_000_000)] == [2, 2, 2, 2]
    assert [len(span.wishes) for span in plan(wishes, room, 1_000_000)] == [2, 2, 2, 2]
