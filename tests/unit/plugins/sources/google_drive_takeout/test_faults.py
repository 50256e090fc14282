"""Whatever Google answers ends in a retry, a failed item or a clean stop, and a later run completes."""

from __future__ import annotations

import io
import tarfile
from contextlib import suppress

import pytest

from syncengine.api import FatalError, ItemError, QuotaError, RetryableError, Selection
from syncengine.testing.google import (
    BytesContent,
    Corrupt,
    Cut,
    EmptyPage,
    Garbage,
    IgnoreRange,
    Meanwhile,
    OtherEtag,
    Redirect,
    Refuse,
    TooLong,
    TooShort,
    WrongLength,
)
from syncengine.testing.google.wire.problems import ApiError
from tests.unit.plugins.sources.google_drive_takeout.drives import (
    DOWNLOADS,
    FIRST,
    GETS,
    LISTS,
    NEWER,
    fetched,
    photo_bytes,
    photos,
    zip_of,
)

# Real requests to the emulator, hundreds of them: together they take half a minute.
pytestmark = pytest.mark.slow

SIZE = 200_000
NAMES = ("a.jpg", "b.jpg", "c.jpg")
WANTED = {name: photo_bytes(name, SIZE) for name in NAMES}
#: A rule under which nothing is filtered, and nothing is brought along with the sidecars.
PLAIN = Selection(exclude_names=("no such name",))
REQUESTS = 1 + len(NAMES) + len(NAMES)  # the directory, sidecars, photos
#: Every request for bytes; one of each kind in the quick loop.
EACH = [pytest.param(at, marks=() if at in {1, 2, REQUESTS} else pytest.mark.slow) for at in range(1, REQUESTS + 1)]

PASSING = {
    "401": Refuse(ApiError(401)),
    "404": Refuse(ApiError(404)),
    "408": Refuse(ApiError(408)),
    "416": Refuse(ApiError(416)),
    "429": Refuse(ApiError(429)),
    "429 with a time": Refuse(ApiError(429, headers={"Retry-After": "40"})),
    "429 with a far time": Refuse(ApiError(429, headers={"Retry-After": "99999999"})),
    "403 too fast": Refuse(ApiError(403, reason="userRateLimitExceeded")),
    "500": Refuse(ApiError(500)),
    "503": Refuse(ApiError(503)),
    "cut at once": Cut(0),
    "cut": Cut(500),
    "reset": Cut(500, reset=True),
    "too long": TooLong(1000),
    "too short": TooShort(100),
    "length too large": WrongLength(1000),
    "length too small": WrongLength(-100),
    "another tag": OtherEtag(),
    "a redirect in a circle": Redirect("/drive/v3/files"),
}


def restore(user, folder=""):
    """A run that fetches everything, and tries again as the engine does."""
    with user.opened(folder) as source:
        found = {item.name: tried(source, item) for item in source.scan(PLAIN)}
        return found, source.inventory()


def tried(source, item):
    for _ in range(3):
        try:
            return fetched(source, item)
        except RetryableError:
            continue
    return fetched(source, item)


@pytest.fixture
def archive(user):
    return user.add(FIRST, photos(*NAMES, size=SIZE))


@pytest.mark.parametrize("at", EACH)
@pytest.mark.parametrize("effect", PASSING.values(), ids=PASSING.keys())
def test_a_passing_fault_of_a_download_is_tried_again(user, emulator, archive, effect, at):
    rule = emulator.faults.add(DOWNLOADS, effect, at=at)
    found, inventory = restore(user)
    assert rule.seen >= at
    assert found == WANTED
    assert inventory.complete


@pytest.mark.parametrize("at", EACH)
@pytest.mark.parametrize("where", [0, 60_000])
def test_spoiled_bytes_are_read_again(user, emulator, archive, at, where):
    emulator.faults.add(DOWNLOADS, Corrupt(where), at=at)
    found, inventory = restore(user)
    if at > 1:  # a spoiled directory may name other members than the archive has
        assert found == WANTED
        assert inventory.complete
    emulator.faults.clear()
    assert set(restore(user)[0].values()) <= set(WANTED.values())


@pytest.mark.parametrize("endpoint", [LISTS, GETS, "oauth.token"])
@pytest.mark.parametrize(
    "effect",
    [effect for name, effect in PASSING.items() if name not in {"404", "416", "another tag", "a redirect in a circle"}],
    ids=[name for name in PASSING if name not in {"404", "416", "another tag", "a redirect in a circle"}],
)
def test_a_passing_fault_of_another_request_is_tried_again(user, emulator, archive, endpoint, effect):
    if endpoint == "oauth.token":
        emulator.clock.advance(4000)
        if isinstance(effect, Refuse) and effect.problem.status in {401, 403}:
            pytest.skip("at the token endpoint, that is a refusal that does not pass")
    emulator.faults.add(endpoint, effect)
    found, inventory = restore(user)
    assert found == WANTED
    assert inventory.complete


def restored_or_not(user):
    """Return what a run gets and its account, or why it stopped."""
    try:
        return *restore(user), None
    except ItemError as error:
        return None, None, error.reason
    except FatalError as error:
        return None, None, f"{error.reason}; {error.advice}"


@pytest.mark.parametrize("endpoint", [LISTS, GETS])
@pytest.mark.parametrize("status", [400, 403, 404])
def test_another_request_that_is_refused_is_said_and_a_later_run_completes(user, emulator, archive, endpoint, status):
    for times in (1, None):
        emulator.faults.status(endpoint, status, times=times)
        found, inventory, reason = restored_or_not(user)
        if reason:
            assert str(status) in reason
        else:
            assert found == WANTED or not inventory.complete
        emulator.faults.clear()
        assert restore(user)[0] == WANTED
        (user.directory / "cache" / "takeout.sqlite").unlink()


@pytest.mark.parametrize("endpoint", [LISTS, GETS])
def test_garbage_is_asked_for_again(user, emulator, archive, endpoint):
    emulator.faults.add(endpoint, Garbage())
    assert restore(user)[0] == WANTED


def test_empty_pages_are_turned(user, emulator, archive):
    emulator.faults.add(LISTS, EmptyPage(), times=3)
    assert restore(user)[0] == WANTED


@pytest.mark.parametrize("endpoint", [LISTS, DOWNLOADS, GETS])
@pytest.mark.parametrize(
    "effect", [Refuse(ApiError(503)), Refuse(ApiError(429)), Garbage(), Cut(0), Refuse(ApiError(401))], ids=repr
)
def test_a_lasting_fault_stops_the_run_and_a_later_one_completes(user, emulator, archive, endpoint, effect):
    emulator.faults.add(endpoint, effect, times=None)
    with pytest.raises(FatalError) as caught:
        restore(user)
    assert caught.value.advice
    assert len(str(caught.value)) < 400
    emulator.faults.clear()
    assert restore(user)[0] == WANTED


def test_a_lasting_fault_after_the_scan_fails_items_then_stops(user, emulator):
    names = [f"{number}.jpg" for number in range(15)]
    user.add(FIRST, photos(*names, size=SIZE))
    with user.opened() as source:
        items = list(source.scan(PLAIN))
        emulator.faults.status(DOWNLOADS, 503, times=None)
        for item in items[:9]:
            with pytest.raises(ItemError, match="503"):
                fetched(source, item)
        with pytest.raises(FatalError, match="10 times in a row"):
            fetched(source, items[9])
    emulator.faults.clear()
    assert set(restore(user)[0]) == set(names)


@pytest.mark.parametrize("reason", ["dailyLimitExceeded", "downloadQuotaExceeded"])
@pytest.mark.parametrize("at", [1, 3, REQUESTS])
def test_a_used_up_day_ends_the_run(user, emulator, archive, reason, at):
    emulator.faults.add(DOWNLOADS, Refuse(ApiError(403, reason=reason)), at=at, times=None)
    with pytest.raises(QuotaError, match=reason if reason == "never" else "403"):
        restore(user)
    emulator.faults.clear()
    assert restore(user)[0] == WANTED


@pytest.mark.parametrize("endpoint", [LISTS, DOWNLOADS])
def test_a_used_up_day_in_the_new_form_ends_the_run(user, emulator, archive, endpoint):
    emulator.faults.daily_quota(endpoint)
    with pytest.raises(QuotaError) as caught:
        restore(user)
    assert "run again after" in caught.value.advice


def test_a_revoked_sign_in_ends_the_run(user, emulator, archive):
    emulator.clock.advance(4000)
    emulator.faults.reason("oauth.token", "invalid_grant", times=None)
    with pytest.raises(FatalError, match="ended the sign-in") as caught:
        restore(user)
    assert "auth login" in caught.value.advice


def test_a_sign_in_revoked_in_the_middle_ends_the_run(user, emulator, archive):
    with user.opened() as source:
        items = list(source.scan(PLAIN))
        emulator.clock.advance(4000)
        emulator.faults.reason("oauth.token", "invalid_grant", times=None)
        with pytest.raises(FatalError, match="ended the sign-in"):
            fetched(source, items[0])


def test_nobody_signed_in(user, archive):
    user.store.entries.clear()
    with pytest.raises(FatalError, match="nobody has signed in"), user.opened():
        pass


def test_a_scope_that_was_not_granted(user, archive):
    user.sign_in(frozenset({"openid"}))
    with pytest.raises(FatalError, match=r"does not cover: read the files in Google Drive"), user.opened():
        pass


def test_a_scope_that_google_misses(user, emulator, archive):
    emulator.faults.reason(LISTS, "insufficientPermissions", times=None)
    with pytest.raises(FatalError) as caught, user.opened():
        pass
    assert "auth login" in caught.value.advice


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_off_by_an_hour(user, emulator, archive, hours):
    emulator.faults.clock_offset = 3600.0 * hours
    user.clock.offset = 3600.0 * hours
    assert restore(user)[0] == WANTED
    emulator.clock.advance(3500)
    assert restore(user)[0] == WANTED


@pytest.mark.parametrize("at", EACH)
def test_an_archive_deleted_while_it_is_read(user, emulator, archive, at):
    user.add(NEWER, photos("kept.jpg", size=SIZE))
    emulator.faults.add(DOWNLOADS, Refuse(ApiError(404)), at=at)
    emulator.faults.add(DOWNLOADS, Meanwhile(lambda: user.drive.delete(archive)), at=at)
    user.drive.update(archive)
    with user.opened() as source:
        failed = set()
        for item in source.scan(PLAIN):
            try:
                assert tried(source, item) == photo_bytes(item.name, SIZE)
            except ItemError:
                failed.add(item.name)
        inventory = source.inventory()
    assert "kept.jpg" not in failed
    if archive not in user.drive.files:
        assert not inventory.complete
    emulator.faults.clear()
    found, inventory = restore(user)
    assert "kept.jpg" in found
    assert inventory.complete


def test_an_archive_replaced_while_it_is_listed(user, emulator, archive):
    new = BytesContent(zip_of(photos("new.jpg", size=SIZE)))
    emulator.faults.add(DOWNLOADS, Meanwhile(lambda: user.drive.replace(archive, new)), at=2)
    with user.opened() as source:
        for item in source.scan(PLAIN):
            with pytest.raises(ItemError, match="the next run reads it again"):
                tried(source, item)
        inventory = source.inventory()
    assert not inventory.complete
    assert "the next run reads it again" in " ".join(inventory.missing)
    found, inventory = restore(user)
    assert found == {"new.jpg": photo_bytes("new.jpg", SIZE)}
    assert inventory.complete


@pytest.mark.parametrize("etags", [False, True])
def test_an_archive_replaced_while_it_is_fetched(user, emulator, archive, etags):
    user.drive.etags = etags
    with user.opened() as source:
        items = {item.name: item for item in source.scan(PLAIN)}
        assert tried(source, items["a.jpg"]) == WANTED["a.jpg"]
        user.drive.replace(archive, BytesContent(zip_of(photos("z.jpg", *NAMES, size=SIZE))))
        before = user.asked(DOWNLOADS)
        for name in ("b.jpg", "c.jpg"):
            with pytest.raises(ItemError, match="the next run reads it again"):
                tried(source, items[name])
        assert user.asked(DOWNLOADS) <= before + 2
        assert not source.inventory().complete
    assert restore(user)[0] == {**WANTED, "z.jpg": photo_bytes("z.jpg", SIZE)}


def test_another_copy_is_read_where_an_archive_is_gone(user, emulator, archive):
    user.add(NEWER, photos(*NAMES, size=SIZE))
    with user.opened() as source:
        items = list(source.scan(PLAIN))
        user.drive.delete(archive)
        assert {item.name: tried(source, item) for item in items} == WANTED


@pytest.mark.parametrize("at", [1, 2, REQUESTS])
def test_a_banned_archive_fails_alone(user, emulator, archive, at):
    emulator.faults.reason(DOWNLOADS, "cannotDownloadFile", at=at, times=None)
    with user.opened() as source:
        for item in source.scan(PLAIN):
            with suppress(ItemError):
                tried(source, item)
        assert "403" in " ".join(source.inventory().missing)
    emulator.faults.clear()
    found, inventory = restore(user)
    assert found == WANTED
    assert inventory.complete


def test_a_server_that_ignores_ranges_gives_a_small_archive_all_the_same(user, emulator, archive):
    emulator.faults.add(DOWNLOADS, IgnoreRange(), times=None)
    assert restore(user)[0] == WANTED


def test_a_server_that_ignores_ranges_is_not_let_send_large_archives(user, emulator):
    user.add(FIRST, photos(*NAMES, size=4_000_000))
    with user.opened() as source:
        items = {item.name: item for item in source.scan(PLAIN)}
        emulator.faults.add(DOWNLOADS, IgnoreRange(), times=None)
        assert tried(source, items["a.jpg"]) == photo_bytes("a.jpg", 4_000_000)
        with pytest.raises(ItemError, match="whole file instead of the range"):
            tried(source, items["c.jpg"])
    emulator.faults.clear()
    assert set(restore(user)[0]) == set(NAMES)


def test_a_cut_goes_on_from_the_last_byte(user, emulator):
    user.add(FIRST, photos("large.mp4", size=9_000_000))
    with user.opened() as source:
        (item,) = source.scan(PLAIN)
        emulator.counters.reset()
        emulator.faults.add(DOWNLOADS, Cut(3_000_000))
        assert fetched(source, item) == photo_bytes("large.mp4", 9_000_000)
    assert user.asked(DOWNLOADS) == 2
    assert emulator.counters.sent[DOWNLOADS] < 9_300_000


def test_lasting_damage_is_an_item_error(user, emulator):
    content = bytearray(zip_of(photos(*NAMES, size=SIZE)))
    content[content.index(b"photo b.jpg") + 99] ^= 0xFF
    user.drive.add_file(FIRST, BytesContent(bytes(content)))
    with user.opened() as source:
        items = {item.name: item for item in source.scan(PLAIN)}
        with pytest.raises(ItemError, match="checksum") as caught:
            tried(source, items["b.jpg"])
        assert not isinstance(caught.value, RetryableError)
        assert tried(source, items["c.jpg"]) == WANTED["c.jpg"]
        assert source.inventory().complete


@pytest.mark.parametrize("size", [0, 21, 5000, 300_000])
def test_an_archive_that_is_none_makes_the_inventory_incomplete(user, size):
    user.add(NEWER, photos(*NAMES, size=SIZE))
    user.drive.add_file(FIRST, BytesContent(b"x" * size))
    found, inventory = restore(user)
    assert found == WANTED
    assert not inventory.complete
    assert FIRST in inventory.missing[0]


def _tgz(user):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in photos(*NAMES, size=SIZE):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    content = BytesContent(stream.getvalue() + bytes(500_000))
    return user.drive.add_file(FIRST.replace(".zip", ".tgz"), content)


@pytest.mark.parametrize("effect", [Cut(2000), Refuse(ApiError(503)), TooShort(500)], ids=repr)
def test_a_tgz_is_downloaded_through_faults(user, emulator, effect):
    _tgz(user)
    emulator.faults.add(DOWNLOADS, effect)
    assert restore(user)[0] == WANTED


def test_a_spoiled_tgz_is_downloaded_again_by_the_next_run(user, emulator):
    _tgz(user)
    emulator.faults.add(DOWNLOADS, Corrupt(1000))
    _, inventory = restore(user)
    assert not inventory.complete
    assert "MD5" in inventory.missing[0]
    found, inventory = restore(user)
    assert found == WANTED
    assert inventory.complete


def test_a_tgz_that_could_not_be_downloaded_goes_on_in_the_next_run(user, emulator):
    file = _tgz(user)
    emulator.faults.add(DOWNLOADS, Cut(300_000))
    emulator.faults.status(DOWNLOADS, 503, at=2, times=None)
    with pytest.raises(FatalError, match="503"):
        restore(user)
    emulator.faults.clear()
    emulator.counters.reset()
    assert restore(user)[0] == WANTED
    assert emulator.counters.sent[DOWNLOADS] <= file.head.content.size - 200_000


@pytest.mark.parametrize("file_id", ["../about", "a?alt=media", "x" * 300])
def test_an_id_that_leads_elsewhere_is_not_used(user, file_id):
    user.add(NEWER, photos(*NAMES, size=SIZE))
    user.drive.add_file(FIRST, BytesContent(zip_of(photos("x.jpg"))), file_id=file_id)
    found, inventory = restore(user)
    assert found == WANTED
    assert "id that cannot be used" in inventory.missing[0]
