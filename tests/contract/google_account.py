"""A signed-in user of an emulated Google, for the sources that read from it."""

from __future__ import annotations

from typing import Any

from syncengine.testing.google import GoogleEmulator
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.grant import Grant, save_grant


class MemoryStore:
    """A ``CredentialStore`` in memory."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}

    def load(self, name: str) -> bytes | None:
        return self.entries.get(name)

    def save(self, name: str, value: bytes) -> None:
        self.entries[name] = value

    def delete(self, name: str) -> None:
        self.entries.pop(name, None)


def signed_in(google: GoogleEmulator, scopes: frozenset[str] | None = None, **more: Any) -> MemoryStore:
    """Return what a sign-in would have kept."""
    tokens = google.authority.mint(scopes)
    client = google.client_config()["installed"]
    now = google.clock.now()
    known: dict[str, Any] = {
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "refresh_token": tokens["refresh_token"],
        "access_token": tokens["access_token"],
        "renew_at": now + 3000,
        "scopes": tuple(tokens["scope"].split()),
        "account": "me@example.com",
        "issued_at": now,
        "refreshed_at": now,
    }
    store = MemoryStore()
    save_grant(store, Grant(**{**known, **more}))
    return store


class Hasty(Clock):
    """Lets time pass without waiting for it."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def steady(self) -> float:
        return super().steady() + self.skipped

    def wait(self, seconds: float) -> None:
        self.skipped += seconds
