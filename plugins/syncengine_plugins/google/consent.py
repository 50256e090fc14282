"""The question to the user: the address of Google's consent page, and what comes back from it."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs, urlsplit

from syncengine.api import FatalError
from syncengine_plugins.google.answers import presentable
from syncengine_plugins.google.client_file import OAuthClient
from syncengine_plugins.google.endpoints import GoogleEndpoints, is_loopback

_LONGEST_ADDRESS = 16 << 10
_GOOGLE = GoogleEndpoints()


class WrongAddressError(Exception):
    """An address is not the one that the consent page leads to; the message says why, without showing it."""


class ConsentRequest:
    """One question, with its PKCE secret (RFC 7636) and its state against forged answers.

    Args:
        client: who asks.
        scopes: what for.
        endpoints: where the page is.
        redirect_uri: a loopback address; where the answer goes.
    """

    def __init__(
        self, client: OAuthClient, scopes: tuple[str, ...], endpoints: GoogleEndpoints, redirect_uri: str
    ) -> None:
        # Imported here: takes 200 ms, and only a sign-in needs it.
        from google_auth_oauthlib.flow import Flow

        config = {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            # oauthlib builds no address upon plain HTTP, not even a loopback one, so the real page is put in below
            "auth_uri": _GOOGLE.auth_uri,
            "token_uri": _GOOGLE.token_uri,
        }
        flow = Flow.from_client_config({"installed": config}, scopes=list(scopes), redirect_uri=redirect_uri)
        # without "consent" Google gives a refresh token only to the first sign-in
        url, state = flow.authorization_url(access_type="offline", prompt="consent")
        self.url = f"{endpoints.auth_uri}?{urlsplit(url).query}"
        self.redirect_uri = redirect_uri
        self.verifier: str = flow.code_verifier
        self._state: str = state

    def code_in(self, address: str) -> str:
        """Return the code that an answer carries.

        Args:
            address: where the browser was led, whole.

        Raises:
            WrongAddressError: it is no answer to this question.
            FatalError: Google or the user refused.
        """
        fields = parse_qs(_redirect_query(address, self.redirect_uri))
        state = fields.get("state", [""])[0]
        if not hmac.compare_digest(state.encode(), self._state.encode()):
            raise WrongAddressError(
                "it belongs to another sign-in; use the newest link, and the address that it led to"
            )
        if error := fields.get("error", [""])[0]:
            raise _refused(error, fields.get("error_description", [""])[0])
        code = fields.get("code", [""])[0]
        if not code:
            raise WrongAddressError("there is no code in it; copy the whole address")
        return code


def _redirect_query(address: str, redirect_uri: str) -> str:
    """Return the query of an address that leads where ``redirect_uri`` does."""
    if len(address) > _LONGEST_ADDRESS or not address.isprintable():
        raise WrongAddressError("it is no address")
    try:
        parts, wanted = urlsplit(address), urlsplit(redirect_uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise WrongAddressError("it is no address") from None
    if parts.scheme not in ("http", "https"):
        raise WrongAddressError(f"it does not begin with {redirect_uri}; copy the whole address")
    if not is_loopback(host) or parts.scheme != "http" or port != wanted.port:
        raise WrongAddressError(f"it does not begin with {redirect_uri}: copy it after you agreed, when no page loads")
    return parts.query


def _refused(error: str, description: str) -> FatalError:
    code = presentable(error)[:60]
    if code == "access_denied":
        return FatalError(
            "the sign-in was refused on Google's page (access_denied)",
            advice="run the command again and choose Continue; while the OAuth client is in testing, your address must "
            "also be listed under its test users",
        )
    said = presentable(description)
    return FatalError(
        f"Google refused the sign-in ({code}{': ' + said if said else ''})",
        advice="check in the Google Cloud console that the OAuth client is of type 'Desktop app' and that its APIs are "
        "enabled",
    )
