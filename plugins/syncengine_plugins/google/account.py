"""The access token of a run: renewed before it ends, by one thread for all."""

from __future__ import annotations

import threading

import msgspec

from syncengine.api import CredentialStore, FatalError
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.grant import Grant, load_grant, save_grant
from syncengine_plugins.google.token_endpoint import OAuthRefusedError, TokenAnswer, TokenEndpoint

#: Seconds before its end at which a token is renewed, so that no request leaves with one that dies on the way.
_MARGIN = 180.0
#: The clock went back further than this since the token came: nothing it says about the token's age can be trusted.
_BACKWARDS = 60.0
#: How long refresh tokens of clients in testing live: https://developers.google.com/identity/protocols/oauth2
TESTING_LIFE = 7 * 86400.0

LOGIN = "run 'syncengine auth login PROFILE'"


class GoogleAccount:
    """The signed-in account. May be used from several threads.

    Args:
        store: where the grant is kept.
        endpoint: renews tokens.
        profile: its name, for messages.

    Raises:
        FatalError: nobody signed in.
    """

    def __init__(self, store: CredentialStore, endpoint: TokenEndpoint, *, profile: str = "") -> None:
        grant = load_grant(store)
        of = f"profile {profile}" if profile else "this profile"
        if grant is None:
            raise FatalError(f"nobody has signed in to Google for {of}", advice=LOGIN)
        self._of = of
        self._store = store
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._grant = grant

    @property
    def grant(self) -> Grant:
        """What is granted, with the newest tokens."""
        return self._grant

    def token(self) -> str:
        """Return an access token that lives for a while yet.

        Raises:
            FatalError: the sign-in has ended; with what to do.
            RetryableError: Google cannot be reached.
        """
        with self._lock:
            if needs_renewal(self._grant, self._endpoint.clock):
                self._renew()
            return self._grant.access_token

    def renewed(self, stale: str) -> str:
        """Return another token than ``stale``, which Google did not accept; raises as ``token`` does."""
        with self._lock:
            if self._grant.access_token == stale:
                self._renew()
            return self._grant.access_token

    def _renew(self) -> None:
        try:
            answer = self._endpoint.renew(self._grant.client, self._grant.refresh_token)
        except OAuthRefusedError as error:
            if not self._adopt_newer():
                raise self._ended(error) from None
            if needs_renewal(self._grant, self._endpoint.clock):
                self._renew()
            return
        before = self._grant
        self._grant = renewed_grant(before, answer, self._endpoint.clock)
        kept = load_grant(self._store)
        # signed out or in anew while this runs: what the user did last stays
        if kept is not None and kept.refresh_token == before.refresh_token:
            save_grant(self._store, self._grant)

    def _adopt_newer(self) -> bool:
        """Take over a sign-in that somebody made while this runs; return whether there is one."""
        kept = load_grant(self._store)
        if kept is None or kept.refresh_token == self._grant.refresh_token:
            return False
        self._grant = kept
        return True

    def _ended(self, error: OAuthRefusedError) -> FatalError:
        age = self._endpoint.clock.now() - self._grant.issued_at
        hint = ""
        if TESTING_LIFE - 86400 / 2 <= age <= TESTING_LIFE + 86400 * 2:
            hint = "; it lived for 7 days, so set the OAuth client's publishing status to 'In production' first"
        return FatalError(
            f"Google has ended the sign-in of {self._of} ({error})",
            advice=f"{LOGIN}{hint}, then run again: what is stored stays",
        )


def needs_renewal(grant: Grant, clock: Clock) -> bool:
    """Return whether the access token has ended, or will soon, or cannot be judged because the clock was set back."""
    now = clock.now()
    return not grant.access_token or now >= grant.renew_at or now < grant.refreshed_at - _BACKWARDS


def renewed_grant(grant: Grant, answer: TokenAnswer, clock: Clock) -> Grant:
    """Return ``grant`` with the tokens of an answer."""
    now = clock.now()
    lives = max(answer.expires_in - _MARGIN, answer.expires_in / 2)
    ends = grant.refresh_expires_at
    if answer.refresh_token_expires_in is not None:
        ends = now + answer.refresh_token_expires_in
    return msgspec.structs.replace(
        grant,
        access_token=answer.access_token,
        refresh_token=answer.refresh_token or grant.refresh_token,
        renew_at=now + lives,
        scopes=tuple(answer.scope.split()) or grant.scopes,
        refreshed_at=now,
        refresh_expires_at=ends,
        skew=answer.skew,
    )
