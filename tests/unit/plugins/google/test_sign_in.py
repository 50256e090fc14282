"""Signing in, by each way, against an emulated Google."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import requests

from syncengine.api import FatalError
from syncengine.testing.google.accounts.authority import DEVICE_CLIENT
from syncengine_plugins.google import scopes
from syncengine_plugins.google.grant import load_grant


def of_day(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_the_browser_comes_back_to_this_machine(source, store, user, emulator):
    done = source.sign_in(store, user)
    assert done.account == emulator.authority.consent.account
    assert set(done.scopes) == {scopes.DRIVE_READ, *scopes.IDENTITY}
    grant = load_grant(store)
    assert grant is not None
    assert grant.refresh_token
    question = parse_qs(urlsplit(user.url).query)
    assert question["code_challenge_method"] == ["S256"]
    assert question["access_type"] == ["offline"]
    assert question["redirect_uri"][0].startswith("http://127.0.0.1:")


def test_the_address_can_be_pasted(source, store, user):
    user.has_browser = False
    assert source.sign_in(store, user, way="paste").account
    assert load_grant(store) is not None


def test_a_pasted_address_may_be_quoted_and_wrapped(source, store, user):
    def wrapped(question: str) -> str:
        address = user.last_address()
        return f" '{address[:60]} {address[60:]}' "

    user.answers = wrapped
    assert source.sign_in(store, user, way="paste").account


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda url: "hello", "does not begin with"),
        (lambda url: url.split("code=")[1].split("&")[0], "does not begin with"),
        (lambda url: url.replace("127.0.0.1", "evil.example"), "does not begin with"),
        (lambda url: url.replace("127.0.0.1", "127.0.0.1.evil.example"), "does not begin with"),
        (lambda url: url.replace("http://127.0.0.1", "http://127.0.0.1@evil.example"), "does not begin with"),
        (lambda url: url.replace("state=", "state=x"), "another sign-in"),
        (lambda url: url.replace("code=", "kode="), "no code"),
        (lambda url: url.replace("http:", "ftp:"), "does not begin with"),
        (lambda url: "http://[::1", "no address"),
        (lambda url: "", "does not begin with"),
    ],
)
def test_a_wrong_address_is_explained_and_asked_for_again(source, store, user, change, complaint):
    wrong_once = [change]
    user.answers = lambda question: (wrong_once.pop()(user.last_address()) if wrong_once else user.last_address())
    assert source.sign_in(store, user, way="paste").account
    assert complaint in user.shown[-1]


def test_three_wrong_addresses_are_enough(source, store, user):
    user.answers = lambda question: "nonsense"
    with pytest.raises(FatalError, match="not pasted"):
        source.sign_in(store, user, way="paste")
    assert store.entries == {}


def test_strangers_at_the_port_do_not_disturb(source, store, user):
    def visit(url: str) -> None:
        back = parse_qs(urlsplit(url).query)["redirect_uri"][0]
        with socket.create_connection(("127.0.0.1", urlsplit(back).port), timeout=5):  # says nothing
            for path in ("favicon.ico", "?state=guessed&code=stolen", "?error=access_denied&state=guessed"):
                answer = requests.get(back + path, timeout=5)
                assert answer.status_code in (400, 404)
            requests.get(url, timeout=10).close()

    user.visit = visit
    assert source.sign_in(store, user).account


def test_a_refusal_on_the_page_is_explained(source, store, user, emulator):
    emulator.authority.consent.deny = True
    with pytest.raises(FatalError, match="access_denied") as caught:
        source.sign_in(store, user)
    assert "test users" in caught.value.advice
    assert store.entries == {}


def test_an_unticked_box_is_named(source, store, user, emulator):
    emulator.authority.consent.allow = frozenset(scopes.IDENTITY)
    with pytest.raises(FatalError, match=r"not granted: read the files in Google Drive \(drive.readonly\)") as caught:
        source.sign_in(store, user)
    assert "tick every box" in caught.value.advice
    assert store.entries == {}


def test_an_earlier_sign_in_stays_when_the_next_one_fails(signed_in, user, emulator):
    before = dict(signed_in.store.entries)
    emulator.authority.consent.deny = True
    with pytest.raises(FatalError):
        signed_in.source.sign_in(signed_in.store, user)
    assert signed_in.store.entries == before


def test_nobody_in_front_of_the_browser(source, store, user, monkeypatch):
    monkeypatch.setattr("syncengine_plugins.google.oauth._PATIENCE", 0.05)
    user.has_browser = False
    with pytest.raises(FatalError, match="nobody signed in within"):
        source.sign_in(store, user)
    assert "There is no browser" in user.shown[0]


def test_a_client_that_google_does_not_know(source, store, user, emulator):
    user.answers = lambda question: _then_forget_the_client(user, emulator)
    with pytest.raises(FatalError, match=r"does not accept the OAuth client \(invalid_client\)") as caught:
        source.sign_in(store, user, way="paste")
    assert "Google Cloud console" in caught.value.advice


def _then_forget_the_client(user, emulator) -> str:
    address = user.last_address()
    emulator.authority.clients.clear()
    return str(address)


@pytest.fixture
def device(source, client_file, emulator):
    """A source with a client for devices, whose scope the device flow allows."""
    client_file.write_bytes(msgspec.json.encode(emulator.client_config(DEVICE_CLIENT)))
    source.scopes = ("https://www.googleapis.com/auth/drive.file",)
    return source


def test_the_device_flow(device, store, user, emulator, clock):
    typed = []

    def wait(seconds: float) -> None:
        clock.waits.append(seconds)
        emulator.clock.advance(seconds)
        if len(clock.waits) == 3 and not typed:
            typed.append(user.shown[-1].split(": ")[1])
            assert emulator.devices.decide(typed[0], approve=True)

    clock.wait = wait
    assert device.sign_in(store, user, way="device").account
    assert len(clock.waits) == 3
    assert min(clock.waits) >= 5


def test_the_device_flow_refused(device, store, user, emulator, clock):
    clock.wait = lambda seconds: emulator.devices.decide(user.shown[-1].split(": ")[1], approve=False)
    with pytest.raises(FatalError, match="access_denied"):
        device.sign_in(store, user, way="device")


def test_nobody_types_the_code(device, store, user, clock):
    with pytest.raises(FatalError, match="not typed in time"):
        device.sign_in(store, user, way="device")
    assert sum(clock.waits) <= 1800


def test_the_device_flow_explains_scopes_that_it_cannot_get(device, store, user):
    device.scopes = (scopes.DRIVE_READ,)
    with pytest.raises(FatalError, match="invalid_scope") as caught:
        device.sign_in(store, user, way="device")
    assert "without --device" in caught.value.advice


def test_a_desktop_client_cannot_use_the_device_flow(source, store, user):
    with pytest.raises(FatalError, match="TVs and Limited Input devices"):
        source.sign_in(store, user, way="device")


@pytest.fixture
def in_testing(emulator):
    """The OAuth client is in testing, and Google says how long its refresh tokens live."""
    for client in emulator.authority.clients.values():
        client.testing = True
    return emulator


def test_status_of_a_client_in_testing(source, store, user, in_testing, tmp_path):
    done = source.sign_in(store, user)
    assert "in testing" in done.warnings[0]
    done_at = load_grant(store).refreshed_at
    status = source.sign_in_status(store)
    assert status.signed_in
    assert status.account == done.account
    assert status.missing == ()
    assert status.expires == pytest.approx(of_day(in_testing.clock.now() + 7 * 86400), abs=timedelta(minutes=2))
    assert "In production" in status.warnings[0]
    in_testing.clock.advance(2 * 86400)
    with source.opened(store, tmp_path) as run:
        run.session.account.token()
    assert load_grant(store).refreshed_at > done_at
    assert source.sign_in_status(store).expires == pytest.approx(status.expires, abs=timedelta(minutes=2))
    in_testing.clock.advance(6 * 86400)
    assert "ended" in source.sign_in_status(store).warnings[0]


def test_status_of_a_client_in_production(source, store, user, emulator, clock):
    source.sign_in(store, user)
    status = source.sign_in_status(store)
    assert status.expires == pytest.approx(of_day(clock.now() + 180 * 86400), abs=timedelta(minutes=2))
    assert "if the OAuth client is still in testing" in status.warnings[0]
    emulator.clock.advance(8 * 86400)
    assert source.sign_in_status(store).warnings == ()
    emulator.clock.advance(160 * 86400)
    assert "unused since" in source.sign_in_status(store).warnings[0]


def test_status_when_the_source_needs_more_than_was_granted(signed_in):
    signed_in.source.scopes = (scopes.DRIVE_FULL,)
    status = signed_in.source.sign_in_status(signed_in.store)
    assert status.missing == (scopes.DRIVE_FULL,)
    assert "not granted: read, change and delete" in status.warnings[0]


def test_the_wider_scope_covers_the_narrow_one():
    assert scopes.missing([scopes.DRIVE_READ], [scopes.DRIVE_FULL]) == ()
    assert scopes.missing([scopes.DRIVE_FULL], [scopes.DRIVE_READ]) == (scopes.DRIVE_FULL,)


def test_status_notices_another_client_file(signed_in, client_file):
    client_file.write_text(client_file.read_text().replace("emulator-desktop.", "emulator-other."))
    assert "another OAuth client" in signed_in.source.sign_in_status(signed_in.store).warnings[-1]
    client_file.unlink()
    assert signed_in.source.sign_in_status(signed_in.store).signed_in


def test_status_notices_a_clock_that_is_off(source, store, user, emulator, clock):
    clock.offset = -3600
    source.sign_in(store, user)
    assert "60 minutes behind Google's" in source.sign_in_status(store).warnings[-1]


def test_status_of_nobody(source, store):
    status = source.sign_in_status(store)
    assert not status.signed_in
    assert status.wanted == (scopes.DRIVE_READ,)


def test_reset_revokes_and_deletes(signed_in, emulator):
    grant = load_grant(signed_in.store)
    done = signed_in.source.sign_out(signed_in.store)
    assert done.deleted
    assert done.revoked
    assert done.note == ""
    assert signed_in.store.entries == {}
    assert emulator.authority.vault.by_refresh_token(grant.refresh_token) is None or not (
        emulator.authority.vault.by_refresh_token(grant.refresh_token).refreshable(emulator.clock.now())
    )
    assert signed_in.source.sign_out(signed_in.store).deleted is False


def test_reset_of_a_sign_in_that_google_has_ended_already(signed_in, emulator):
    emulator.authority.revoke(load_grant(signed_in.store).refresh_token)
    done = signed_in.source.sign_out(signed_in.store)
    assert done.deleted
    assert done.revoked


def test_reset_without_google_still_deletes_and_says_so(signed_in, emulator):
    emulator.faults.status("oauth.revoke", 503, times=None)
    done = signed_in.source.sign_out(signed_in.store)
    assert done.deleted
    assert not done.revoked
    assert "myaccount.google.com" in done.note
    assert signed_in.store.entries == {}
