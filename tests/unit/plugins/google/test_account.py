"""The access token of a run: renewed in time, once for all threads, and ended with a sentence that says what to do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from syncengine.api import FatalError, ItemError, RetryableError
from syncengine_plugins.google.account import GoogleAccount
from syncengine_plugins.google.client_file import OAuthClient
from syncengine_plugins.google.endpoints import GoogleEndpoints
from syncengine_plugins.google.grant import ENTRY, load_grant
from syncengine_plugins.google.token_endpoint import TokenEndpoint
from syncengine_plugins.google.transport import Transport
from tests.unit.plugins.google.scripted import Reply


@pytest.fixture
def account(signed_in, emulator, clock):
    transport = Transport(GoogleEndpoints.at(emulator.url))
    yield GoogleAccount(signed_in.store, TokenEndpoint(transport, clock), profile="mine")
    transport.close()


def asked(emulator) -> int:
    """How often tokens were asked for, once nothing is on its way any more."""
    deadline = time.monotonic() + 5
    while emulator.counters.in_flight and time.monotonic() < deadline:
        time.sleep(0.001)
    return int(emulator.counters.requests["oauth.token"])


def test_a_token_that_lives_is_used(account, emulator):
    before = asked(emulator)
    assert account.token() == account.token()
    assert asked(emulator) == before


def test_a_token_is_renewed_before_it_ends_and_kept(account, emulator, store):
    first = account.token()
    emulator.clock.advance(3600 - 120)
    second = account.token()
    assert second != first
    assert load_grant(store).access_token == second
    assert load_grant(store).issued_at == account.grant.issued_at < account.grant.refreshed_at


def test_many_threads_renew_once(account, emulator):
    emulator.clock.advance(3600)
    before = asked(emulator)
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda number: account.token(), range(32)))
    assert len(tokens) == 1
    assert asked(emulator) == before + 1


def test_a_token_that_was_refused_is_renewed_once(account, emulator):
    stale = account.token()
    before = asked(emulator)
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(account.renewed, [stale] * 16))
    assert stale not in tokens
    assert len(tokens) == 1
    assert asked(emulator) == before + 1


def test_a_clock_that_was_set_back_renews(account, clock):
    first = account.token()
    clock.offset = -3600
    assert account.token() != first


def test_short_lived_tokens_are_still_used_for_a_while(account, emulator):
    emulator.authority.access_seconds = 100
    first = account.renewed(account.token())
    emulator.clock.advance(40)
    assert account.token() == first
    emulator.clock.advance(20)
    assert account.token() != first


def test_an_ended_sign_in_says_what_to_do(account, emulator):
    emulator.authority.revoke_everything()
    emulator.clock.advance(3600)
    with pytest.raises(FatalError, match=r"Google has ended the sign-in of profile mine .*invalid_grant") as caught:
        account.token()
    assert "syncengine auth login PROFILE" in caught.value.advice
    assert "In production" not in caught.value.advice


def test_one_that_ended_after_seven_days_is_explained(account, emulator):
    next(iter(emulator.authority.clients.values())).testing = True
    for grant in emulator.authority.vault.grants:
        grant.client.testing = True
    emulator.clock.advance(7 * 86400 + 60)
    with pytest.raises(FatalError) as caught:
        account.token()
    assert "lived for 7 days" in caught.value.advice
    assert "In production" in caught.value.advice


def test_a_sign_in_made_meanwhile_is_taken_over(account, signed_in, user, emulator):
    emulator.authority.revoke_everything()
    user.shown.clear()
    signed_in.source.sign_in(signed_in.store, user)
    fresh = load_grant(signed_in.store)
    assert account.renewed(account.token()) == fresh.access_token
    assert account.grant.refresh_token == fresh.refresh_token


def test_what_the_user_did_last_stays(account, signed_in, store, emulator):
    emulator.clock.advance(3600)
    store.delete(ENTRY)  # signed out while the run goes on
    account.token()
    assert store.entries == {}


def test_google_out_of_reach_is_tried_again_and_may_pass_later(account, emulator, clock):
    emulator.clock.advance(3600)
    emulator.faults.status("oauth.token", 503, times=2)
    assert account.token()
    assert len(clock.waits) == 2
    emulator.clock.advance(3600)
    emulator.faults.status("oauth.token", 503, times=None)
    with pytest.raises(RetryableError, match="answered 503"):
        account.token()


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage",
        b"[]",
        b'{"access_token": "a b"}',
        b'{"access_token": "a\\r\\nX-Header: 1"}',
        b'{"access_token": ""}',
        b'{"access_token": "a", "expires_in": "nan"}',
        b'{"access_token": "a", "expires_in": -5}',
        b'{"access_token": "a", "expires_in": 1e300}',
        b'{"access_token": "a", "refresh_token": "b c"}',
        b'{"access_token": 5}',
        b"{}",
    ],
)
def test_a_token_that_is_none_is_not_taken(server, clock, answer):
    server.replies(Reply(body=answer))
    transport = Transport(GoogleEndpoints.at(server.url))
    with pytest.raises(RetryableError, match="not what it should be"):
        TokenEndpoint(transport, clock).renew(OAuthClient("1-a", "s"), "1//r")
    transport.close()


def test_the_token_endpoint_does_not_redirect(server, clock):
    server.replies(Reply(307, b"", {"Location": "/elsewhere"}))
    transport = Transport(GoogleEndpoints.at(server.url))
    with pytest.raises(ItemError, match="redirect, which is not followed"):
        TokenEndpoint(transport, clock).renew(OAuthClient("1-a", "s"), "1//r")
    assert [asked.path for asked in server.asked] == ["/token"]
    transport.close()


def test_nobody_signed_in(store, emulator, clock):
    transport = Transport(GoogleEndpoints.at(emulator.url))
    with pytest.raises(FatalError, match="nobody has signed in to Google for profile mine"):
        GoogleAccount(store, TokenEndpoint(transport, clock), profile="mine")
    transport.close()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"garbage", "cannot be understood"),
        (b'{"client_id": 3}', "cannot be understood"),
    ],
)
def test_an_entry_that_is_none(store, content, complaint):
    store.save(ENTRY, content)
    with pytest.raises(FatalError, match=complaint):
        load_grant(store)


def test_an_entry_of_a_newer_version(signed_in):
    content = signed_in.store.load(ENTRY)
    signed_in.store.save(ENTRY, content.replace(b'"version":1', b'"version":2'))
    with pytest.raises(FatalError, match="newer syncengine"):
        load_grant(signed_in.store)


def test_a_source_whose_grant_covers_too_little_does_not_open(signed_in, tmp_path):
    signed_in.source.scopes = ("https://www.googleapis.com/auth/drive",)
    with pytest.raises(FatalError, match="does not cover: read, change and delete"):
        signed_in.source.opened(signed_in.store, tmp_path)


def test_secrets_are_not_in_a_repr(signed_in):
    grant = load_grant(signed_in.store)
    text = repr(grant) + repr(grant.client) + str(grant) + f"{[grant]}"
    for secret in (grant.refresh_token, grant.access_token, grant.client_secret):
        assert secret not in text
