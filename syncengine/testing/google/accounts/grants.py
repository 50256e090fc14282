"""Clients, grants and tokens: what lives how long.

Refresh tokens die as Google's page on expiration says: revoked, unused for six months, the oldest of more than 100
for one account and client, and after seven days for a client in testing mode that has more than identity scopes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from syncengine.testing.google.accounts.scopes import IDENTITY

DAY = 86400
TESTING_LIFE = 7 * DAY
UNUSED_LIFE = 182 * DAY
LIVE_GRANTS = 100


@dataclass
class Client:
    """An OAuth client.

    Args:
        id: ``client_id``.
        secret: ``client_secret``.
        kind: a desktop program, or a device with limited input.
        testing: the project is "External" and in testing.
    """

    id: str
    secret: str
    kind: Literal["desktop", "device"] = "desktop"
    testing: bool = False


@dataclass
class Grant:
    """What a user has granted a client.

    Args:
        client: to whom.
        account: the user's e-mail address.
        scopes: what.
        issued: when, seconds since 1970.
        refresh_token: empty when none was handed out.
    """

    client: Client
    account: str
    scopes: frozenset[str]
    issued: float
    refresh_token: str = ""
    used: float = 0.0
    dead: bool = False
    superseded: bool = False

    def life_left(self, now: float) -> float | None:
        """How many seconds the refresh token has left; ``None`` where its life has no fixed end."""
        short_lived = self.client.testing and not self.scopes <= IDENTITY
        return self.issued + TESTING_LIFE - now if short_lived else None

    def refreshable(self, now: float) -> bool:
        """Whether the refresh token still works."""
        left = self.life_left(now)
        unused = now - max(self.used, self.issued) >= UNUSED_LIFE
        return not (self.dead or self.superseded or unused or (left is not None and left <= 0))


@dataclass
class AccessToken:
    """An access token.

    Args:
        token: its text.
        grant: what it stands for.
        expires: seconds since 1970.
        scopes: what it allows.
    """

    token: str
    grant: Grant
    expires: float
    scopes: frozenset[str]

    def alive(self, now: float) -> bool:
        """Whether it opens anything."""
        return now < self.expires and not self.grant.dead


@dataclass
class PendingCode:
    """An authorization code that waits to be exchanged.

    Args:
        client: who asked.
        redirect_uri: where it was sent.
        scopes: what the user granted.
        challenge: PKCE's ``code_challenge``; empty without PKCE.
        method: PKCE's ``code_challenge_method``.
        offline: whether a refresh token is due.
        expires: seconds since 1970.
    """

    client: Client
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str
    method: str
    offline: bool
    expires: float


@dataclass
class PendingDevice:
    """A device that waits for its user.

    Args:
        client: who asked.
        scopes: for what.
        user_code: what the user types.
        expires: seconds since 1970.
        polled: when the device asked last.
        polls: how often it asked.
        state: what the user did.
    """

    client: Client
    scopes: frozenset[str]
    user_code: str
    expires: float
    polled: float = 0.0
    polls: int = 0
    state: Literal["waiting", "approved", "denied"] = "waiting"


@dataclass
class Consent:
    """What the user does on the consent page.

    Args:
        deny: refuse everything.
        allow: scopes that are granted at most; ``None`` grants what is asked.
        account: the user's e-mail address.
        name: the user's name.
    """

    deny: bool = False
    allow: frozenset[str] | None = None
    account: str = "someone@example.com"
    name: str = "Some One"

    def grant(self, scopes: frozenset[str]) -> frozenset[str]:
        """The scopes that stay ticked."""
        return scopes if self.allow is None else scopes & self.allow


@dataclass
class Vault:
    """Every grant and access token."""

    grants: list[Grant] = field(default_factory=list)
    access: dict[str, AccessToken] = field(default_factory=dict)

    def by_refresh_token(self, token: str) -> Grant | None:
        """The grant that a refresh token stands for."""
        return next((grant for grant in self.grants if token and grant.refresh_token == token), None)

    def add(self, grant: Grant) -> None:
        """Keep a grant; the oldest of more than 100 for its account and client dies."""
        self.grants.append(grant)
        alive = [other for other in self.grants if other.refresh_token and not (other.dead or other.superseded)]
        alike = [other for other in alive if (other.account, other.client.id) == (grant.account, grant.client.id)]
        for oldest in alike[: max(len(alike) - LIVE_GRANTS, 0)]:
            oldest.superseded = True
