"""The device flow: a code is typed into a page on another device (RFC 8628).

Google takes it only from clients of type "TVs and Limited Input devices", and only for a short list of scopes; whether
the Picker's is among them is not documented:
https://developers.google.com/identity/protocols/oauth2/limited-input-device
"""

from __future__ import annotations

from urllib.parse import urlsplit

from syncengine.api import FatalError, SignInScreen
from syncengine_plugins.google.answers import presentable
from syncengine_plugins.google.client_file import OAuthClient
from syncengine_plugins.google.endpoints import GoogleEndpoints
from syncengine_plugins.google.token_endpoint import DeviceCode, OAuthRefusedError, TokenAnswer, TokenEndpoint

_SLOWER = 5.0  # seconds to add when asked to slow down, by RFC 8628 3.5
_LONGEST = 1800.0
_PAGE = "https://www.google.com/device"
_PAGE_HOSTS = frozenset({"www.google.com", "google.com", "accounts.google.com"})
_OTHER_WAY = "sign in without --device (with --no-browser, any browser on any machine will do)"


def grant_by_device(
    client: OAuthClient, asked: tuple[str, ...], endpoint: TokenEndpoint, screen: SignInScreen
) -> TokenAnswer:
    """Show a code, wait until it is typed, and return the tokens.

    Raises:
        FatalError: not possible with this client or these scopes, refused, or not in time.
        OAuthRefusedError: any other refusal.
    """
    code = _begin(client, asked, endpoint)
    page = presentable_page(code.page, endpoint.endpoints)
    screen.show(f"On any device, open {page} and type this code: {presentable(code.user_code)[:40]}")
    clock = endpoint.clock
    interval = min(max(code.interval, 1.0), 60.0)
    end = clock.steady() + min(code.expires_in, _LONGEST)
    while clock.steady() + interval <= end:
        clock.wait(interval)
        try:
            return endpoint.poll_device(client, code.device_code)
        except OAuthRefusedError as error:
            # what counts is the code in the answer; Google's HTTP statuses for these are not the RFC's
            if error.code == "slow_down":
                interval += _SLOWER
            elif error.code == "access_denied":
                raise FatalError(
                    "the sign-in was refused on Google's page (access_denied)", advice="run it again"
                ) from None
            elif error.code == "expired_token":
                break
            elif error.code != "authorization_pending":
                raise
    raise FatalError("the code was not typed in time", advice="run 'syncengine auth login PROFILE --device' again")


def presentable_page(url: str, endpoints: GoogleEndpoints) -> str:
    """Return the address that the user opens; Google's own when the answer names one that is not Google's."""
    try:
        if endpoints.origin:
            endpoints.check(url)
            return url
        parts = urlsplit(url)
        is_google = parts.scheme == "https" and parts.netloc in _PAGE_HOSTS and url.isascii() and url.isprintable()
    except ValueError:
        is_google = False
    return url if is_google else _PAGE


def _begin(client: OAuthClient, asked: tuple[str, ...], endpoint: TokenEndpoint) -> DeviceCode:
    try:
        return endpoint.begin_device(client, asked)
    except OAuthRefusedError as error:
        if error.code == "invalid_scope":
            raise FatalError(
                "Google does not allow the device flow for what this profile needs (invalid_scope): it is meant for a "
                "short list of scopes, without those of Drive's content and perhaps without the Picker's",
                advice=_OTHER_WAY,
            ) from None
        raise
    except FatalError as error:
        raise FatalError(
            f"{error.reason}; the device flow takes a client of type 'TVs and Limited Input devices'", advice=_OTHER_WAY
        ) from None
