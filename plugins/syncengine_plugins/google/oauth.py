"""The ways to sign in. Each ends in a grant that covers what was asked for, or in an error that says what to do."""

from __future__ import annotations

import secrets

from syncengine.api import FatalError, SignInScreen, SignInWay
from syncengine_plugins.google import scopes as google_scopes
from syncengine_plugins.google.account import renewed_grant
from syncengine_plugins.google.client_file import OAuthClient
from syncengine_plugins.google.consent import ConsentRequest, WrongAddressError
from syncengine_plugins.google.device import grant_by_device
from syncengine_plugins.google.grant import Grant
from syncengine_plugins.google.loopback import RedirectReceiver
from syncengine_plugins.google.token_endpoint import OAuthRefusedError, TokenAnswer, TokenEndpoint

_PATIENCE = 600.0  # seconds that a user gets to find the password and the phone
_PASTES = 3
_AGAIN = "run 'syncengine auth login PROFILE' again"


def sign_in(
    client: OAuthClient, wanted: tuple[str, ...], endpoint: TokenEndpoint, screen: SignInScreen, *, way: SignInWay
) -> Grant:
    """Have the user sign in, and return what was granted.

    Args:
        client: the user's own OAuth client.
        wanted: the scopes that must be granted.
        endpoint: Google.
        screen: the user.
        way: how.

    Raises:
        FatalError: refused, incomplete, or not in time.
        RetryableError: Google cannot be reached.
    """
    asked = (*google_scopes.IDENTITY, *wanted)
    try:
        if way == "device":
            answer = grant_by_device(client, asked, endpoint, screen)
        elif way == "paste":
            answer = _by_paste(client, asked, endpoint, screen)
        else:
            answer = _by_browser(client, asked, endpoint, screen)
    except OAuthRefusedError as error:
        raise FatalError(f"Google did not accept the sign-in ({error})", advice=_AGAIN) from None
    return _checked(client, wanted, answer, endpoint)


def _by_browser(
    client: OAuthClient, asked: tuple[str, ...], endpoint: TokenEndpoint, screen: SignInScreen
) -> TokenAnswer:
    with RedirectReceiver() as receiver:
        request = ConsentRequest(client, asked, endpoint.endpoints, receiver.redirect_uri)
        receiver.expect(request.code_in)
        if screen.browse(request.url):
            screen.show(
                "Sign in with the browser that opens. If none does, open this address on this machine:\n\n"
                f"{request.url}\n"
            )
        else:
            screen.show(
                "There is no browser to open. Open this address on this machine, or run the command again with "
                f"--no-browser to use another machine's:\n\n{request.url}\n"
            )
        code = receiver.wait(_PATIENCE)
    return endpoint.exchange(client, code, request.verifier, request.redirect_uri)


def _by_paste(
    client: OAuthClient, asked: tuple[str, ...], endpoint: TokenEndpoint, screen: SignInScreen
) -> TokenAnswer:
    # Nothing listens there: the browser ends on a page that does not load, whose address carries the code. A high port
    # by chance, so that nobody else is there to read it (with PKCE, it would be worth nothing to them).
    redirect_uri = f"http://127.0.0.1:{49152 + secrets.randbelow(16000)}/"
    request = ConsentRequest(client, asked, endpoint.endpoints, redirect_uri)
    screen.show(
        f"Open this address in a browser on any machine and sign in:\n\n{request.url}\n\nAfter you agreed, the "
        "browser fails to load a page of 127.0.0.1. That is as it should be: copy the whole address of that page; "
        f"it begins with {redirect_uri}?"
    )
    for _ in range(_PASTES):
        pasted = "".join(screen.ask("Paste the address here").split()).strip("'\"<>")
        try:
            code = request.code_in(pasted)
        except WrongAddressError as error:
            screen.show(f"This is not the address of that page: {error}.")
        else:
            return endpoint.exchange(client, code, request.verifier, redirect_uri)
    raise FatalError("the address of the last page was not pasted", advice=_AGAIN)


def _checked(client: OAuthClient, wanted: tuple[str, ...], answer: TokenAnswer, endpoint: TokenEndpoint) -> Grant:
    granted = tuple(answer.scope.split())
    # by RFC 6749 5.1 a token answer without "scope" grants what was asked for
    if lacking := google_scopes.missing(wanted, granted) if granted else ():
        names = "; ".join(google_scopes.title(scope) for scope in lacking)
        raise FatalError(f"not granted: {names}", advice=f"{_AGAIN} and tick every box on Google's page")
    if not answer.refresh_token:
        raise FatalError(
            "Google gave no refresh token, so the sign-in would end in an hour",
            advice=f"remove this app at https://myaccount.google.com/connections, then {_AGAIN}",
        )
    now = endpoint.clock.now()
    grant = Grant(
        client_id=client.client_id,
        client_secret=client.client_secret,
        refresh_token=answer.refresh_token,
        access_token=answer.access_token,
        renew_at=now,
        scopes=granted or wanted,
        account=endpoint.account(answer.access_token),
        issued_at=now,
        refreshed_at=now,
    )
    return renewed_grant(grant, answer, endpoint.clock)
