"""What a sign-in brought, as it is kept encrypted."""

from __future__ import annotations

from typing import Any

import msgspec

from syncengine.api import CredentialStore, FatalError
from syncengine_plugins.google.client_file import OAuthClient

#: The name of the entry in the profile's store.
ENTRY = "google"

_NEWEST = 1


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a user granted, and the tokens that prove it. Moments are seconds since the epoch by this machine's clock.

    Args:
        client_id: of the OAuth client that was signed in with; tokens are worth nothing with another.
        client_secret: of the same.
        refresh_token: good for new access tokens.
        access_token: good for about an hour.
        renew_at: when to get a new access token.
        scopes: what was granted.
        account: e-mail address of who signed in; empty when it is not known.
        issued_at: when the user signed in.
        refreshed_at: when Google last gave an access token.
        refresh_expires_at: when the refresh token ends, if Google said so.
        skew: seconds by which Google's clock was ahead of this machine's at the last answer.
        version: of this record.
    """

    client_id: str
    client_secret: str
    refresh_token: str
    access_token: str
    renew_at: float
    scopes: tuple[str, ...]
    account: str = ""
    issued_at: float
    refreshed_at: float
    refresh_expires_at: float | None = None
    skew: float = 0.0
    version: int = _NEWEST

    def __repr__(self) -> str:
        return f"Grant(account={self.account!r})"

    def __rich_repr__(self) -> Any:
        yield "account", self.account

    @property
    def client(self) -> OAuthClient:
        """The client that was signed in with."""
        return OAuthClient(self.client_id, self.client_secret)


def load_grant(store: CredentialStore) -> Grant | None:
    """Return what is kept, or ``None`` when nobody signed in.

    Raises:
        FatalError: it cannot be read, or a newer version kept it.
    """
    content = store.load(ENTRY)
    if content is None:
        return None
    try:
        grant = msgspec.json.decode(content, type=Grant)
    except msgspec.MsgspecError:
        raise FatalError(
            "what was kept of the sign-in with Google cannot be understood",
            advice="run 'syncengine auth login PROFILE' again",
        ) from None
    if grant.version > _NEWEST:
        raise FatalError("the sign-in with Google was kept by a newer syncengine", advice="update syncengine")
    return grant


def save_grant(store: CredentialStore, grant: Grant) -> None:
    """Keep a grant in place of what was there."""
    store.save(ENTRY, msgspec.json.encode(grant))
