"""The device flow's answers one by one, whatever HTTP status they come with."""

from __future__ import annotations

import json

import pytest

from syncengine.api import FatalError
from syncengine.testing.google.control.clock import Clock as SharedClock
from syncengine_plugins.google.client_file import OAuthClient
from syncengine_plugins.google.endpoints import GoogleEndpoints
from syncengine_plugins.google.oauth import sign_in
from syncengine_plugins.google.token_endpoint import TokenEndpoint
from syncengine_plugins.google.transport import Transport
from tests.unit.plugins.google.people import FakeClock
from tests.unit.plugins.google.scripted import Reply

CODE = {
    "device_code": "AH-secret",
    "user_code": "ABCD-EFGH",
    "verification_url": "https://evil.example/",
    "interval": 5,
}
TOKENS = {"access_token": "ya29.x", "refresh_token": "1//x", "scope": "openid drive.file", "expires_in": 3599}


def reply(status: int, **body: object) -> Reply:
    return Reply(status, json.dumps(body).encode())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SharedClock())


@pytest.fixture
def signing_in(server, clock, user):
    """Sign in by device code against the script."""
    transport = Transport(GoogleEndpoints.at(server.url))
    endpoint = TokenEndpoint(transport, clock)
    yield lambda: sign_in(OAuthClient("1-a", "s"), ("drive.file",), endpoint, user, way="device")
    transport.close()


def test_it_slows_down_when_asked_to(signing_in, server, clock, user):
    server.replies(
        reply(200, **CODE),
        reply(428, error="authorization_pending"),
        reply(403, error="slow_down"),
        reply(429, error="slow_down"),
        reply(400, error="authorization_pending"),
        reply(200, **TOKENS),
        reply(200, email="someone@example.com"),
    )
    assert signing_in().account == "someone@example.com"
    assert clock.waits == [5, 5, 10, 15, 15]
    assert "ABCD-EFGH" in user.shown[0]
    assert "evil.example" not in user.shown[0]
    assert "AH-secret" not in user.shown[0]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (reply(400, error="expired_token"), "not typed in time"),
        (reply(403, error="access_denied"), "access_denied"),
        (
            reply(400, error="invalid_grant", error_description="Malformed"),
            r"did not accept the sign-in \(invalid_grant",
        ),
        (reply(401, error="invalid_client"), "does not accept the OAuth client"),
        (reply(200, **{**TOKENS, "refresh_token": ""}), "no refresh token"),
        (reply(200, **{**TOKENS, "scope": "openid"}), "not granted: drive.file"),
    ],
)
def test_other_answers_end_it(signing_in, server, answer, complaint):
    server.replies(reply(200, **CODE), answer)
    with pytest.raises(FatalError, match=complaint):
        signing_in()


def test_without_a_word_on_scopes_what_was_asked_for_is_granted(signing_in, server):
    server.replies(reply(200, **CODE), reply(200, **{**TOKENS, "scope": ""}), reply(500))
    grant = signing_in()
    assert "drive.file" in grant.scopes
    assert grant.account == ""
