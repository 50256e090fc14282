"""Consent, code exchange, refresh, expiry and revocation."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from syncengine.testing.google import Client
from syncengine.testing.google.accounts import scopes

DAY = 86400
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT = "http://127.0.0.1:39999/"


@pytest.fixture
def client(emulator: Any) -> Client:
    return next(iter(emulator.authority.clients.values()))


def consent(caller: Any, client: Client, **changes: str) -> Any:
    query = {
        "client_id": client.id,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": f"{scopes.DRIVE_READONLY} {scopes.PICKER}",
        "state": "s1",
        "access_type": "offline",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    query = {name: value for name, value in (query | changes).items() if value}
    return caller.get(caller.emulator.root("accounts.google.com") + "/o/oauth2/v2/auth", query)


def redirected(reply: Any) -> dict[str, str]:
    assert reply.status == 302
    assert reply.headers["location"].startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["location"]).query).items()}


def exchange(caller: Any, client: Client, code: str, /, **changes: str) -> Any:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client.id,
        "client_secret": client.secret,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    return caller.oauth("/token", **(form | changes))


def refresh(caller: Any, client: Client, token: str, **changes: str) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return caller.oauth("/token", **({**form, "client_id": client.id, "client_secret": client.secret} | changes))


def sign_in(caller: Any, client: Client, **changes: str) -> Any:
    return exchange(caller, client, redirected(consent(caller, client, **changes))["code"]).json


def test_a_code_becomes_tokens_that_open_what_was_granted(caller: Any, client: Client) -> None:
    found = redirected(consent(caller, client))
    assert found["state"] == "s1"
    tokens = exchange(caller, client, found["code"]).json
    assert set(tokens["scope"].split()) == {scopes.DRIVE_READONLY, scopes.PICKER} == set(found["scope"].split())
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3599)
    caller.token = tokens["access_token"]
    assert caller.drive("files").status == 200
    assert caller.library("albums").status == 403


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code": "4/0wrong"}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/"}, "redirect_uri_mismatch"),
        ({"client_secret": "other"}, "invalid_client"),
        ({"client_id": "other"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_an_exchange_that_is_not_right_is_refused(
    caller: Any, client: Client, changes: dict[str, str], error: str
) -> None:
    code = redirected(consent(caller, client))["code"]
    assert exchange(caller, client, code, **changes).json["error"] == error


def test_a_code_is_good_once_and_for_ten_minutes(caller: Any, client: Client) -> None:
    code = redirected(consent(caller, client))["code"]
    assert exchange(caller, client, code).status == 200
    assert exchange(caller, client, code).json["error"] == "invalid_grant"
    late = redirected(consent(caller, client))["code"]
    caller.emulator.clock.advance(601)
    assert exchange(caller, client, late).json["error"] == "invalid_grant"


def test_the_client_may_name_itself_in_the_authorization_header(caller: Any, client: Client) -> None:
    code = redirected(consent(caller, client))["code"]
    basic = base64.b64encode(f"{client.id}:{client.secret}".encode()).decode()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    url = caller.emulator.root("oauth2.googleapis.com") + "/token"
    assert caller.call("POST", url, form=form, headers={"Authorization": f"Basic {basic}"}).status == 200


def test_the_user_may_refuse_or_grant_less(caller: Any, client: Client) -> None:
    caller.emulator.authority.consent.deny = True
    assert redirected(consent(caller, client)) == {"error": "access_denied", "state": "s1"}
    caller.emulator.authority.consent.deny = False
    caller.emulator.authority.consent.allow = frozenset({scopes.PICKER})
    assert sign_in(caller, client)["scope"] == scopes.PICKER


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "other"}, "invalid_client"),
        ({"redirect_uri": "https://example.com/"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://192.168.1.5:80/"}, "device_id and device_name are required for private IP"),
        ({"redirect_uri": "urn:ietf:wg:oauth:2.0:oob"}, "out-of-band"),
        ({"scope": "https://www.googleapis.com/auth/nonsense"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "S512"}, "code_challenge_method"),
    ],
)
def test_a_bad_question_gets_a_page_and_no_redirect(
    caller: Any, client: Client, changes: dict[str, str], error: str
) -> None:
    reply = consent(caller, client, **changes)
    assert reply.status in (400, 401)
    assert error in reply.body.decode()


def test_the_refresh_token_comes_at_the_first_consent_and_when_asked_for(caller: Any, client: Client) -> None:
    assert "refresh_token" in sign_in(caller, client)
    assert "refresh_token" not in sign_in(caller, client)
    assert "refresh_token" in sign_in(caller, client, prompt="consent")
    assert "refresh_token" not in sign_in(caller, client, prompt="consent", access_type="online")


def test_access_tokens_expire_and_are_refreshed(caller: Any, client: Client) -> None:
    tokens = sign_in(caller, client)
    caller.token = tokens["access_token"]
    caller.emulator.clock.advance(3599)
    assert caller.drive("files").status == 401
    again = refresh(caller, client, tokens["refresh_token"]).json
    assert "refresh_token" not in again
    caller.token = again["access_token"]
    assert caller.drive("files").status == 200


def test_a_refresh_may_ask_for_less_and_not_for_more(caller: Any, client: Client) -> None:
    token = sign_in(caller, client)["refresh_token"]
    assert refresh(caller, client, token, scope=scopes.PICKER).json["scope"] == scopes.PICKER
    assert refresh(caller, client, token, scope=scopes.DRIVE).json["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("testing", "scope", "alive"),
    [(True, scopes.PICKER, False), (False, scopes.PICKER, True), (True, "openid email", True)],
)
def test_a_client_in_testing_mode_is_signed_out_after_seven_days(
    caller: Any, client: Client, testing: bool, scope: str, alive: bool
) -> None:
    client.testing = testing
    tokens = sign_in(caller, client, scope=scope)
    token = tokens["refresh_token"]
    assert tokens.get("refresh_token_expires_in") == (None if alive else 7 * DAY)
    caller.emulator.clock.advance(7 * DAY - 1)
    again = refresh(caller, client, token)
    assert again.status == 200
    assert again.json.get("refresh_token_expires_in") == (None if alive else 1)
    caller.emulator.clock.advance(1)
    reply = refresh(caller, client, token)
    assert (reply.status == 200) == alive
    if not alive:
        assert reply.status == 400
        assert reply.json == {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}


def test_a_token_that_nobody_uses_for_half_a_year_dies(caller: Any, client: Client) -> None:
    token = sign_in(caller, client)["refresh_token"]
    for _ in range(3):
        caller.emulator.clock.advance(100 * DAY)
        assert refresh(caller, client, token).status == 200
    caller.emulator.clock.advance(182 * DAY)
    assert refresh(caller, client, token).json["error"] == "invalid_grant"


def test_the_oldest_of_more_than_a_hundred_grants_dies_silently(caller: Any, client: Client) -> None:
    tokens = [caller.emulator.authority.mint(client=client)["refresh_token"] for _ in range(101)]
    assert refresh(caller, client, tokens[0]).json["error"] == "invalid_grant"
    assert refresh(caller, client, tokens[1]).status == 200


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_both(caller: Any, client: Client, which: str) -> None:
    tokens = sign_in(caller, client)
    assert caller.oauth("/revoke", token=tokens[which]).status == 200
    caller.token = tokens["access_token"]
    assert caller.drive("files").status == 401
    assert refresh(caller, client, tokens["refresh_token"]).json["error"] == "invalid_grant"
    caller.token = ""
    assert caller.oauth("/revoke", token=tokens[which]).json["error"] == "invalid_token"
    assert caller.get(caller.emulator.root("oauth2.googleapis.com") + "/revoke").status == 404


def test_removed_scopes_are_granted_and_open_nothing(caller: Any, client: Client) -> None:
    tokens = sign_in(caller, client, scope="https://www.googleapis.com/auth/photoslibrary.readonly")
    caller.token = tokens["access_token"]
    reply = caller.library("albums")
    assert (reply.status, reply.json["error"]["message"]) == (403, "Request had insufficient authentication scopes.")


def test_who_the_user_is(caller: Any, client: Client) -> None:
    tokens = sign_in(caller, client, scope="openid email profile")
    assert tokens["id_token"].count(".") == 2
    caller.token = tokens["access_token"]
    assert caller.get(caller.emulator.root("openidconnect.googleapis.com") + "/v1/userinfo").json["email"]
    info = caller.get(caller.emulator.root("oauth2.googleapis.com") + "/tokeninfo", {"access_token": caller.token})
    assert info.json["aud"] == client.id
    known = caller.get(caller.emulator.root("accounts.google.com") + "/.well-known/openid-configuration").json
    assert known["token_endpoint"] == caller.emulator.root("oauth2.googleapis.com") + "/token"


def test_the_client_file_leads_here(emulator: Any) -> None:
    installed = emulator.client_config()["installed"]
    assert {"auth_uri", "token_uri", "client_id", "client_secret"} <= installed.keys()
    assert installed["token_uri"].startswith(emulator.url)
