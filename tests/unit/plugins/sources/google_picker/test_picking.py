"""From the link to the end of the session."""

from __future__ import annotations

import json

import pytest

from syncengine.api import FatalError, Kind, Selection
from syncengine.testing.contracts.source import fetched
from syncengine.testing.google import EmptyPage
from syncengine_plugins.sources.google_picker import invitation as shown
from syncengine_plugins.sources.google_picker.invitation import PLAINLY, drawn, invitation
from tests.contract.google_account import signed_in
from tests.unit.plugins.google.people import User
from tests.unit.plugins.sources.google_visits import JULY, bytes_of

ALL = ["tower.heic", "sea.jpg", "clip.mp4", "old.jpg"]


def asked(google, endpoint):
    return google.counters.requests[f"picker.{endpoint}"]


def test_what_is_picked_is_listed_and_fetched_and_the_session_closed(visitor, google):
    found = visitor.visit()
    assert found.names == ALL
    assert found.contents == bytes_of(google)
    assert found.inventory.complete
    assert found.inventory.counts == {"items": 4, "media": 4, "videos": 1}
    assert google.picker.open == {}
    assert (asked(google, "sessions.create"), asked(google, "sessions.delete")) == (1, 1)


def test_the_link_is_shown_once_with_what_is_lost(visitor):
    visitor.visit()
    assert len(visitor.said) == 1
    assert "/picker/" in visitor.said[0]
    assert "me@example.com" in visitor.said[0]
    assert "removes GPS" in visitor.said[0]
    assert "encoded" in visitor.said[0]
    assert "30 minutes" in visitor.said[0]
    assert "waiting for you to pick photos" in visitor.ticks[0]
    assert "█" not in visitor.said[0]


def test_google_is_asked_as_often_as_it_says(visitor, google):
    google.picker.poll_interval, google.picker.pick_at_poll = 7.5, 4
    visitor.visit()
    assert sum(visitor.clock.waits) == pytest.approx(30, abs=1)
    assert asked(google, "sessions.get") == 4


def test_an_item_has_what_google_says_of_it(visitor):
    items = {item.name: item for item in visitor.visit().items}
    sea = items["sea.jpg"]
    assert (sea.taken.instant, sea.taken.origin, sea.camera) == (int(JULY * 1000), "source", "Google")
    assert sea.raw["mediaFile"]["filename"] == "sea.jpg"
    assert "baseUrl" not in json.dumps(sea.raw)
    assert items["clip.mp4"].kind is Kind.VIDEO
    assert "encoded" in items["clip.mp4"].notes[0]


def test_picking_twice_gives_the_same_ids_and_tokens(visitor, google):
    first = {item.id: (item.content_token, item.metadata_token) for item in visitor.visit().items}
    google.clock.advance(86400)
    again = visitor.visit(known=first)
    assert {item.id: (item.content_token, item.metadata_token) for item in again.items} == first
    assert again.contents == {}
    assert google.counters.requests["media.picker"] == 4
    assert google.picker.open == {}


def test_nobody_picks_and_the_run_ends_cleanly(visitor, google):
    google.picker.pick_at_poll = None
    with pytest.raises(FatalError, match="nobody picked any photos within 30 minutes") as caught:
        visitor.visit()
    assert "the link stays good until" in caught.value.advice
    assert sum(visitor.clock.waits) == pytest.approx(1800, abs=10)


def test_what_was_picked_after_that_is_fetched_by_the_next_run_without_asking(visitor, google):
    google.picker.pick_at_poll = None
    with pytest.raises(FatalError):
        visitor.visit()
    google.picker.pick()
    visitor.said.clear()
    assert visitor.visit().contents == bytes_of(google)
    assert visitor.said == []
    assert asked(google, "sessions.create") == 1
    assert google.picker.open == {}


def test_a_link_that_nobody_used_makes_room_for_a_new_one(visitor, google):
    google.picker.pick_at_poll = None
    for _ in range(3):
        with pytest.raises(FatalError, match="nobody picked"):
            visitor.visit()
    assert len(google.picker.open) == 1
    assert len(set(visitor.said)) == 3


def test_a_session_that_ends_early_is_waited_for_no_longer(visitor, google):
    google.picker.pick_at_poll, google.picker.life = None, 600
    with pytest.raises(FatalError, match="nobody picked any photos"):
        visitor.visit()
    assert sum(visitor.clock.waits) == pytest.approx(600, abs=10)
    google.picker.pick_at_poll, google.picker.life = 1, 86400
    assert visitor.visit().contents == bytes_of(google)


@pytest.mark.parametrize("offset", [-3600.0, 3600.0])
def test_a_clock_that_is_off_by_an_hour_is_reckoned_with(visitor, google, offset):
    visitor.clock.offset = offset
    visitor.store = signed_in(google, skew=-offset)
    google.picker.pick_at_poll, google.picker.life = None, 600
    with pytest.raises(FatalError, match="nobody picked any photos"):
        visitor.visit()
    assert "waits 10 minutes" in visitor.said[0]
    google.picker.pick_at_poll = 1
    assert visitor.visit().contents == bytes_of(google)


def test_waiting_ends_when_the_run_is_asked_to_end_and_the_link_stays(visitor, google):
    google.picker.pick_at_poll = None
    visitor.stopping = True
    assert visitor.visit().items == []
    assert visitor.clock.waits == []
    visitor.stopping = False
    google.picker.pick()
    assert visitor.visit().contents == bytes_of(google)
    assert asked(google, "sessions.create") == 1


def test_an_interrupted_run_goes_on_with_the_same_picks(visitor, google):
    with visitor.opened() as source:
        items = list(source.scan(Selection()))
        fetched(source, items[0])
        assert "3 of the picked items are not fetched" in source.inventory().warnings[1]
    assert len(google.picker.open) == 1
    found = visitor.visit(known={items[0].id})
    assert len(found.contents) == 3
    assert asked(google, "sessions.create") == 1
    assert google.picker.open == {}


def test_rehearsals_and_limited_runs_keep_the_session(visitor, google):
    for taken in range(4):
        with visitor.opened() as source:
            items = list(source.scan(Selection()))
            for item in items[:taken]:
                fetched(source, item)
    assert len(google.picker.open) == 1
    visitor.visit()
    assert google.picker.open == {}
    assert asked(google, "sessions.create") == 1


def test_what_never_comes_does_not_keep_the_session_for_ever(visitor, google):
    clip = next(item for item in google.library.photos.items.values() if item.is_video)
    clip.status = "FAILED"
    for _ in range(3):
        assert list(visitor.visit().failed) == ["clip.mp4"]
    assert asked(google, "sessions.create") == 1
    assert google.picker.open == {}


def test_what_the_selection_does_not_want_need_not_be_fetched(visitor, google):
    select = Selection(kinds=(Kind.PHOTO,))
    with visitor.opened() as source:
        for item in source.scan(select):
            if item.kind is Kind.PHOTO:
                fetched(source, item)
    assert google.picker.open == {}


def test_nothing_picked_is_nothing_listed(visitor, google):
    google.picker.selection = []
    found = visitor.visit()
    assert (found.items, found.inventory.complete) == ([], True)
    assert google.picker.open == {}


def test_many_pages_in_step(visitor, google):
    for number in range(230):
        google.library.photos.add(f"{number}.jpg", created=JULY + 1000 + number)
    google.faults.add("picker.mediaItems.list", EmptyPage(), at=2, times=3)
    found = visitor.visit()
    assert len(found.contents) == 234


def test_a_memory_that_is_damaged_costs_a_new_picking(visitor, google):
    google.picker.pick_at_poll = None
    with pytest.raises(FatalError):
        visitor.visit()
    (visitor.directory / "picker.sqlite").write_bytes(b"this is no database, but long enough to be taken for one" * 99)
    google.picker.pick_at_poll = 1
    google.counters.reset()
    assert visitor.visit().contents == bytes_of(google)


def test_a_memory_that_cannot_be_written_is_a_clean_stop(visitor):
    (visitor.directory / "picker.sqlite").mkdir()
    with pytest.raises(FatalError, match=r"picker.sqlite cannot be used") as caught:
        visitor.visit()
    assert "make room" in caught.value.advice


@pytest.mark.parametrize("session_id", ["", "..", "a/b", "a?b", "../v1/mediaItems"])
def test_a_remembered_session_chooses_no_path(visitor, google, session_id):
    from syncengine_plugins.sources.google_picker.memory import Memory, OpenSession

    memory = Memory(visitor.directory)
    memory.keep(OpenSession(session_id))
    memory.close()
    assert visitor.visit().contents == bytes_of(google)
    assert google.counters.statuses[404] == 0


def test_a_code_is_drawn_where_a_person_can_see_it(visitor, monkeypatch):
    class Terminal:
        encoding = "utf-8"

        def isatty(self):
            return True

    monkeypatch.setattr(shown.sys, "__stderr__", Terminal())
    visitor.visit()
    assert "▄" in visitor.said[0]
    Terminal.encoding = "ascii"
    assert not shown.shows_codes()


def test_a_code_holds_the_whole_link_and_fits_a_terminal():
    lines = drawn("https://photos.google.com/picker/" + "a" * 60).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) < 60
    assert len(lines) < 30


def test_at_sign_in_the_user_hears_what_is_lost(visitor, google, tmp_path):
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(google.client_config()))
    source, user = visitor.make(credentials=str(path)), User()
    source.clock = visitor.clock
    done = source.sign_in(visitor.store, user)
    user.rest()
    assert PLAINLY in done.warnings
    assert any(scope.endswith("photospicker.mediaitems.readonly") for scope in done.scopes)


def test_an_invitation_without_an_account():
    assert "signed in as" not in invitation("https://photos.google.com/picker/x", "", 30, with_code=False)
