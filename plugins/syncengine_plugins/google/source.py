"""What every source that reads from Google has: its options, its sign-in, its session."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

from syncengine.api import (
    CredentialStore,
    FatalError,
    ItemError,
    Meta,
    NeedsSignIn,
    PluginOptions,
    RunContext,
    SignedIn,
    SignedOut,
    SignInScreen,
    SignInStatus,
    SignInWay,
    Source,
)
from syncengine_plugins.google import scopes as google_scopes
from syncengine_plugins.google.account import LOGIN, GoogleAccount
from syncengine_plugins.google.client_file import OAuthClient, read_client_file
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.endpoints import GoogleEndpoints
from syncengine_plugins.google.grant import ENTRY, load_grant, save_grant
from syncengine_plugins.google.oauth import sign_in
from syncengine_plugins.google.prospects import status_of, warnings_on
from syncengine_plugins.google.quota import DailyQuota, MemoryCounters
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.google.token_endpoint import OAuthRefusedError, TokenEndpoint
from syncengine_plugins.google.transport import Transport

_CONNECTIONS_PAGE = "https://myaccount.google.com/connections"


class GoogleOptions(PluginOptions, frozen=True):
    """Options that every source that reads from Google has."""

    credentials: Annotated[
        str,
        Meta(
            min_length=1,
            description="The OAuth client file that you downloaded from the Google Cloud console (type 'Desktop app'); "
            "'syncengine auth login' reads it.",
        ),
    ] = "credentials.json"
    endpoint: Annotated[
        str,
        Meta(description="For tests: where an emulator stands in for Google. https, or http at a loopback address."),
    ] = ""


GoogleOptionsT = TypeVar("GoogleOptionsT", bound=GoogleOptions)


class GoogleSource(Source[GoogleOptionsT], NeedsSignIn):
    """Base of the sources that read from Google. ``session`` is there between ``open`` and ``close``."""

    #: Tells the time and waits; tests put another one here.
    clock: Clock = Clock()

    session: GoogleSession

    @abstractmethod
    def wanted_scopes(self) -> tuple[str, ...]:
        """Return the scopes that these options need, none more."""

    def open(self, context: RunContext) -> None:
        """Open a session with the profile's sign-in; touches no network.

        Raises:
            FatalError: nobody signed in, or not with the scopes that are needed now.
        """
        super().open(context)
        self.clock = self.clock.for_run(context.stopping)
        store = context.credentials
        if store is None:
            raise FatalError("there is nowhere to keep a sign-in", advice="start the run with 'syncengine run'")
        transport = Transport(GoogleEndpoints.at(self.options.endpoint))
        try:
            account = GoogleAccount(store, TokenEndpoint(transport, self.clock), profile=context.profile)
            self._check_scopes(account.grant.scopes)
        except FatalError:
            transport.close()
            raise
        quota = DailyQuota(account.grant.client.project, context.counters or MemoryCounters(), self.clock)
        self.session = GoogleSession(account, transport, quota, self.clock)

    def close(self) -> None:
        """Close the session; may be called twice, and without ``open``."""
        if hasattr(self, "session"):
            self.session.close()
        super().close()

    def sign_in(self, store: CredentialStore, screen: SignInScreen, *, way: SignInWay = "browser") -> SignedIn:
        """Sign in to Google and keep the grant; see ``NeedsSignIn``."""
        client = self._client()
        with self._token_endpoint() as endpoint:
            grant = sign_in(client, self.wanted_scopes(), endpoint, screen, way=way)
        save_grant(store, grant)
        return SignedIn(account=grant.account, scopes=grant.scopes, warnings=warnings_on(grant, self.clock.now()))

    def sign_in_status(self, store: CredentialStore) -> SignInStatus:
        """Return what is known of the sign-in; see ``NeedsSignIn``."""
        grant = load_grant(store)
        if grant is None:
            return SignInStatus(signed_in=False, wanted=self.wanted_scopes())
        try:
            client_id = self._client().client_id
        except FatalError:
            client_id = grant.client_id  # the file is only needed for the next sign-in
        return status_of(grant, self.wanted_scopes(), client_id, self.clock.now())

    def sign_out(self, store: CredentialStore) -> SignedOut:
        """Revoke the grant at Google, if it can be reached, and delete it here; see ``NeedsSignIn``."""
        note = ""
        try:
            grant = load_grant(store)
        except FatalError as error:
            store.delete(ENTRY)
            return SignedOut(deleted=True, revoked=False, note=f"{error.reason}; {_revoke_by_hand()}")
        if grant is None:
            return SignedOut(deleted=False, revoked=False)
        try:
            with self._token_endpoint() as endpoint:
                endpoint.revoke(grant.refresh_token)
        except (OAuthRefusedError, ItemError, FatalError) as error:
            note = f"Google did not confirm that the sign-in has ended ({error}); {_revoke_by_hand()}"
        store.delete(ENTRY)
        return SignedOut(deleted=True, revoked=not note, note=note)

    def _client(self) -> OAuthClient:
        return read_client_file(Path(self.options.credentials).expanduser())

    @contextmanager
    def _token_endpoint(self) -> Iterator[TokenEndpoint]:
        transport = Transport(GoogleEndpoints.at(self.options.endpoint))
        try:
            yield TokenEndpoint(transport, self.clock)
        finally:
            transport.close()

    def _check_scopes(self, granted: tuple[str, ...]) -> None:
        if lacking := google_scopes.missing(self.wanted_scopes(), granted):
            names = "; ".join(google_scopes.title(scope) for scope in lacking)
            raise FatalError(f"the sign-in with Google does not cover: {names}", advice=f"{LOGIN} and tick every box")


def _revoke_by_hand() -> str:
    return f"to be sure, remove this app at {_CONNECTIONS_PAGE}"
