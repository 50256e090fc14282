"""The device flow."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.testing.google.accounts import scopes
from syncengine.testing.google.accounts.authority import DESKTOP_CLIENT, DEVICE_CLIENT

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def start(caller: Any, scope: str = scopes.DRIVE_FILE, client_id: str = DEVICE_CLIENT.id) -> Any:
    return caller.oauth("/device/code", client_id=client_id, scope=scope)


def poll(caller: Any, code: str) -> Any:
    identity = {"client_id": DEVICE_CLIENT.id, "client_secret": DEVICE_CLIENT.secret}
    return caller.oauth("/token", grant_type=GRANT, device_code=code, **identity)


def test_a_device_waits_for_its_user(caller: Any) -> None:
    begun = start(caller).json
    assert begun["verification_url"].endswith("/device")
    assert (begun["interval"], begun["expires_in"]) == (5, 1800)
    waiting = poll(caller, begun["device_code"])
    assert (waiting.status, waiting.json["error"]) == (428, "authorization_pending")
    hasty = poll(caller, begun["device_code"])
    assert (hasty.status, hasty.json["error"]) == (403, "slow_down")
    assert caller.get(begun["verification_url"], {"user_code": begun["user_code"]}).status == 200
    caller.emulator.clock.advance(5)
    tokens = poll(caller, begun["device_code"]).json
    assert tokens["scope"] == scopes.DRIVE_FILE
    assert tokens["refresh_token"]
    assert poll(caller, begun["device_code"]).json["error"] == "invalid_grant"


def test_the_user_may_refuse(caller: Any) -> None:
    begun = start(caller).json
    assert caller.emulator.devices.decide(begun["user_code"], approve=False)
    refused = poll(caller, begun["device_code"])
    assert (refused.status, refused.json["error"]) == (403, "access_denied")


def test_the_code_grows_old(caller: Any) -> None:
    begun = start(caller).json
    caller.emulator.clock.advance(1800)
    assert poll(caller, begun["device_code"]).json["error"] == "expired_token"


def test_the_user_may_be_done_at_a_poll(caller: Any) -> None:
    caller.emulator.devices.approve_at_poll = 2
    begun = start(caller).json
    assert poll(caller, begun["device_code"]).status == 428
    caller.emulator.clock.advance(5)
    assert poll(caller, begun["device_code"]).status == 200


@pytest.mark.parametrize("scope", [scopes.PICKER, scopes.DRIVE_READONLY])
def test_the_closed_list_of_scopes(caller: Any, scope: str) -> None:
    refused = start(caller, scope)
    assert (refused.status, refused.json["error"]) == (400, "invalid_scope")
    assert scope in refused.json["error_description"]
    caller.emulator.devices.allowed |= {scope}
    assert start(caller, scope).status == 200


@pytest.mark.parametrize("client_id", [DESKTOP_CLIENT.id, "nobody"])
def test_clients_of_another_kind_are_refused(caller: Any, client_id: str) -> None:
    assert start(caller, client_id=client_id).json["error"] == "invalid_client"


def test_a_code_that_nobody_has(caller: Any) -> None:
    assert poll(caller, "AH-1nonsense").json["error"] == "invalid_grant"
    assert caller.get(caller.emulator.root("www.googleapis.com") + "/device", {"user_code": "XXXX-XXXX"}).status == 404
