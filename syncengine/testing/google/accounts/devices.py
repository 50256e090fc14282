"""The device flow (RFC 8628), with Google's field names and its closed list of scopes."""

from __future__ import annotations

import secrets
import threading
from typing import Any

from syncengine.testing.google.accounts import scopes as scope_names
from syncengine.testing.google.accounts.authority import Authority
from syncengine.testing.google.accounts.grants import Client, PendingDevice
from syncengine.testing.google.wire.problems import ApiError

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


class Devices:
    """Devices that wait for their users.

    ``interval`` is the seconds between two polls, ``life`` the seconds that a code lives, ``allowed`` the scopes that
    the flow accepts, and ``approve_at_poll`` the poll at which the user has approved by itself (``None``: never).

    Args:
        authority: hands out the tokens.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._lock = threading.Lock()
        self._waiting: dict[str, PendingDevice] = {}
        self.interval = 5
        self.life = 1800
        self.allowed = frozenset(scope_names.DEVICE)
        self.approve_at_poll: int | None = None

    def start(self, client: Client, asked: str, verification_url: str) -> dict[str, Any]:
        """Codes for a device.

        Args:
            client: who asks.
            asked: the parameter ``scope``.
            verification_url: where the user types the code.

        Raises:
            ApiError: ``invalid_client``, no client for devices; ``invalid_scope``, outside the closed list.
        """
        if client.kind != "device":
            raise ApiError(401, "Invalid client type.", "invalid_client")
        scopes = scope_names.split(asked)
        refused = scopes - self.allowed
        if refused or not scopes:
            raise ApiError(400, f"Invalid device flow scope: {scope_names.join(refused)}", "invalid_scope")
        letters = [secrets.choice(_LETTERS) for _ in range(8)]
        user_code = "".join(letters[:4]) + "-" + "".join(letters[4:])
        device_code = "AH-1" + secrets.token_urlsafe(60)
        with self._lock:
            self._waiting[device_code] = PendingDevice(
                client, scopes, user_code, self._authority.clock.now() + self.life
            )
        return {
            "device_code": device_code,
            "user_code": user_code,
            "expires_in": self.life,
            "interval": self.interval,
            "verification_url": verification_url,
        }

    def decide(self, user_code: str, *, approve: bool = True) -> bool:
        """What the user does with a code; an empty one means every device that waits.

        Args:
            user_code: what the device showed.
            approve: grant or refuse.

        Returns:
            Whether a device waited with this code.
        """
        with self._lock:
            found = [device for device in self._waiting.values() if user_code in ("", device.user_code)]
            for device in found:
                device.state = "approved" if approve else "denied"
        return bool(found)

    def poll(self, client: Client, device_code: str) -> dict[str, Any]:
        """The token endpoint's answer to a device.

        Raises:
            ApiError: ``authorization_pending``, ``slow_down``, ``access_denied``, ``expired_token`` or
                ``invalid_grant``.
        """
        now = self._authority.clock.now()
        with self._lock:
            device = self._waiting.get(device_code)
            if device is None or device.client.id != client.id:
                raise ApiError(400, "Malformed device code.", "invalid_grant")
            hasty, device.polled = device.polls > 0 and now - device.polled < self.interval, now
            device.polls += 1
            if self.approve_at_poll is not None and device.polls >= self.approve_at_poll:
                device.state = "approved"
            _check(device, now, hasty)
            del self._waiting[device_code]
        scopes = self._authority.consent.grant(device.scopes)
        return self._authority.answer(self._authority.grant(client, scopes), first=True)


def _check(device: PendingDevice, now: float, hasty: bool) -> None:
    """Whether a device gets its tokens now.

    Raises:
        ApiError: it does not.
    """
    if now >= device.expires:
        raise ApiError(400, "The device code has expired.", "expired_token")
    if device.state == "denied":
        raise ApiError(403, "Forbidden", "access_denied")
    if hasty:
        raise ApiError(403, "Forbidden", "slow_down")
    if device.state == "waiting":
        raise ApiError(428, "Precondition Required", "authorization_pending")
