"""OAuth's endpoints: consent, token, device code, revocation, and who the user is."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from typing import Any
from urllib.parse import unquote_plus, urlencode, urlsplit

from syncengine.testing.google.accounts import scopes as scope_names
from syncengine.testing.google.accounts.authority import CODE_LIFE, Authority
from syncengine.testing.google.accounts.devices import GRANT_TYPE, Devices
from syncengine.testing.google.accounts.grants import Client, PendingCode
from syncengine.testing.google.wire.message import Answer, Request, json_answer, redirect, text_answer
from syncengine.testing.google.wire.problems import ApiError, not_found
from syncengine.testing.google.wire.routing import ACCOUNTS, OAUTH2, OPENID, WWW, Route, route

_OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


class AccountEndpoints:
    """What ``accounts.google.com`` and ``oauth2.googleapis.com`` answer.

    Args:
        authority: clients, consent and tokens.
        devices: devices that wait.
    """

    def __init__(self, authority: Authority, devices: Devices) -> None:
        self._authority = authority
        self._devices = devices

    def routes(self) -> list[Route]:
        """Their addresses, the old ones that clients still use among them."""
        identity = scope_names.IDENTITY
        return [
            *(
                route("oauth.authorize", "GET", ACCOUNTS, path, self.authorize)
                for path in ("/o/oauth2/v2/auth", "/o/oauth2/auth", "/signin/oauth")
            ),
            route("oauth.token", "POST", OAUTH2, "/token", self.token),
            route("oauth.token", "POST", ACCOUNTS, "/o/oauth2/token", self.token),
            route("oauth.token", "POST", WWW, "/oauth2/v4/token", self.token),
            route("oauth.revoke", "POST", OAUTH2, "/revoke", self.revoke),
            route("oauth.device", "POST", OAUTH2, "/device/code", self.device),
            route("oauth.consent", "GET", WWW, "/device", self.device_page),
            route("oauth.tokeninfo", "GET", OAUTH2, "/tokeninfo", self.tokeninfo),
            route("oauth.userinfo", "GET", OPENID, "/v1/userinfo", self.userinfo, scopes=identity),
            route("oauth.userinfo", "GET", WWW, "/oauth2/v3/userinfo", self.userinfo, scopes=identity),
            route("oauth.configuration", "GET", ACCOUNTS, "/.well-known/openid-configuration", self.configuration),
        ]

    def authorize(self, request: Request) -> Answer:
        """The consent page, whose user has already decided."""
        client = self._authority.clients.get(request.one("client_id"))
        target = request.one("redirect_uri")
        complaint = _complaint(request, client, target)
        if complaint is not None or client is None:
            return complaint or _page(401, "invalid_client", "The OAuth client was not found.")
        consent = self._authority.consent
        state = {"state": request.one("state")} if request.one("state") else {}
        if consent.deny:
            return redirect(_with_query(target, {"error": "access_denied"} | state))
        granted = consent.grant(scope_names.split(request.one("scope")))
        pending = PendingCode(
            client,
            target,
            granted,
            request.one("code_challenge"),
            request.one("code_challenge_method", "plain"),
            request.one("access_type") == "offline",
            self._authority.clock.now() + CODE_LIFE,
        )
        code = self._authority.new_code(pending, request.one("prompt", request.one("approval_prompt")))
        found = state | {"code": code, "scope": scope_names.join(granted), "authuser": "0", "prompt": "consent"}
        return redirect(_with_query(target, found))

    def token(self, request: Request) -> Answer:
        """Tokens for a code, a refresh token or a device code."""
        form = request.form()
        client = self._authority.client(*_client_credentials(request, form))
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            redirect_uri, verifier = form.get("redirect_uri", ""), form.get("code_verifier", "")
            return _fresh(self._authority.exchange(client, form.get("code", ""), redirect_uri, verifier))
        if kind == "refresh_token":
            return _fresh(self._authority.refresh(client, form.get("refresh_token", ""), form.get("scope", "")))
        if kind == GRANT_TYPE:
            return _fresh(self._devices.poll(client, form.get("device_code", "")))
        raise ApiError(400, f"Invalid grant_type: {kind}", "unsupported_grant_type")

    def device(self, request: Request) -> Answer:
        """Codes for a device; Google's page names no secret here."""
        form = request.form()
        client = self._authority.clients.get(form.get("client_id", ""))
        if client is None:
            raise ApiError(401, "The OAuth client was not found.", "invalid_client")
        return _fresh(self._devices.start(client, form.get("scope", ""), request.base(WWW) + "/device"))

    def device_page(self, request: Request) -> Answer:
        """Where the user types the code; ``?user_code=`` approves, ``&deny=1`` refuses."""
        code = request.one("user_code")
        if not code:
            return text_answer("<h1>Connect a device</h1><form><input name=user_code><button>Next</button></form>")
        if not self._devices.decide(code, approve=not request.one("deny")):
            raise not_found("That code does not exist.")
        return text_answer("<h1>Done. You can close this page.</h1>")

    def revoke(self, request: Request) -> Answer:
        """Take a grant back."""
        self._authority.revoke(request.form().get("token") or request.one("token"))
        return json_answer({})

    def tokeninfo(self, request: Request) -> Answer:
        """What an access token stands for."""
        access = self._authority.vault.access.get(request.one("access_token"))
        now = self._authority.clock.now()
        if access is None or not access.alive(now):
            raise ApiError(400, "Invalid Value", "invalid_token")
        return json_answer(
            {
                "azp": access.grant.client.id,
                "aud": access.grant.client.id,
                "scope": scope_names.join(access.scopes),
                "exp": str(int(access.expires)),
                "expires_in": str(int(access.expires - now)),
                "email": access.grant.account,
                "email_verified": "true",
                "access_type": "offline" if access.grant.refresh_token else "online",
            }
        )

    def userinfo(self, request: Request) -> Answer:
        """Who the user is."""
        subject = hashlib.sha256(request.account.encode()).hexdigest()[:21]
        return json_answer(
            {
                "sub": subject,
                "name": self._authority.consent.name,
                "email": request.account,
                "email_verified": True,
            }
        )

    def configuration(self, request: Request) -> Answer:
        """OpenID Connect's discovery document."""
        accounts, oauth2 = request.base(ACCOUNTS), request.base(OAUTH2)
        return json_answer(
            {
                "issuer": "https://accounts.google.com",
                "authorization_endpoint": f"{accounts}/o/oauth2/v2/auth",
                "device_authorization_endpoint": f"{oauth2}/device/code",
                "token_endpoint": f"{oauth2}/token",
                "userinfo_endpoint": f"{request.base(OPENID)}/v1/userinfo",
                "revocation_endpoint": f"{oauth2}/revoke",
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["plain", "S256"],
            }
        )


def _client_credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Id and secret of the client, from the ``Authorization`` header (RFC 6749, 2.3.1) or from the form."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise ApiError(401, "The OAuth client was not found.", "invalid_client") from None
    return unquote_plus(client_id), unquote_plus(secret)


def _complaint(request: Request, client: Client | None, target: str) -> Answer | None:
    """The page that a bad authorization request gets; Google never sends those to the redirect address."""
    if client is None:
        return _page(401, "invalid_client", "The OAuth client was not found.")
    refused = _refused_redirect(target) or _refused_question(request)
    return _page(400, *refused) if refused else None


def _refused_question(request: Request) -> tuple[str, str] | None:
    """Why a question is not understood: error and sentence."""
    unknown = scope_names.split(request.one("scope")) - scope_names.KNOWN
    if request.one("response_type") != "code":
        return "unsupported_response_type", "Only the response type code is supported."
    if unknown or not request.one("scope"):
        return "invalid_scope", f"Some requested scopes were invalid: {scope_names.join(unknown)}"
    if request.one("code_challenge_method", "plain") not in ("plain", "S256"):
        return "invalid_request", "Invalid code_challenge_method."
    return None


def _refused_redirect(target: str) -> tuple[str, str] | None:
    """Why a desktop client may not be answered at an address: only loopback addresses of any port are right."""
    if target == _OUT_OF_BAND:
        return "invalid_request", "The out-of-band (OOB) flow has been blocked."
    address = urlsplit(target)
    if address.scheme == "http" and address.hostname in ("127.0.0.1", "localhost", "::1"):
        return None
    try:
        private = ipaddress.ip_address(address.hostname or "").is_private
    except ValueError:
        private = False
    if private:
        return "invalid_request", f"device_id and device_name are required for private IP: {target}"
    return "redirect_uri_mismatch", "The redirect URI in the request does not match the ones of the OAuth client."


def _page(status: int, error: str, message: str) -> Answer:
    """An error page of the consent screen."""
    return text_answer(f"<h1>Error {status}: {error}</h1><p>{message}</p>", status)


def _with_query(target: str, values: dict[str, str]) -> str:
    """An address with more parameters."""
    return target + ("&" if "?" in target else "?") + urlencode(values)


def _fresh(value: dict[str, Any]) -> Answer:
    """An answer with tokens, which nobody may keep."""
    return json_answer(value, headers={"Cache-Control": "no-cache, no-store, max-age=0, must-revalidate"})
