"""The OAuth side of Google: who may do what, and for how long."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from typing import Any

from syncengine.testing.google.accounts import scopes as scope_names
from syncengine.testing.google.accounts.grants import AccessToken, Client, Consent, Grant, PendingCode, Vault
from syncengine.testing.google.control.clock import Clock
from syncengine.testing.google.wire.problems import ApiError, because

CODE_LIFE = 600

DESKTOP_CLIENT = Client("emulator-desktop.apps.googleusercontent.com", "emulator-desktop-secret")
DEVICE_CLIENT = Client("emulator-device.apps.googleusercontent.com", "emulator-device-secret", "device")


class Authority:
    """Clients, the user's consent, and the tokens that came of it.

    ``access_seconds`` is the life of access tokens (seconds; google-auth refreshes those under 226 at every request).

    Args:
        clock: by which tokens age.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.consent = Consent()
        self.access_seconds = 3599
        self.vault = Vault()
        self.clients: dict[str, Client] = {}
        self._codes: dict[str, PendingCode] = {}
        self._consented: set[tuple[str, str]] = set()
        for client in (DESKTOP_CLIENT, DEVICE_CLIENT):
            self.register(Client(client.id, client.secret, client.kind))

    def register(self, client: Client) -> Client:
        """Make a client known, or replace one."""
        self.clients[client.id] = client
        return client

    def client(self, client_id: str, secret: str) -> Client:
        """The client that names itself.

        Raises:
            ApiError: 401 ``invalid_client``, unknown or with another secret.
        """
        client = self.clients.get(client_id)
        if client is None:
            raise ApiError(401, "The OAuth client was not found.", "invalid_client")
        if not secrets.compare_digest(client.secret.encode(), secret.encode()):
            raise ApiError(401, "The provided client secret is invalid.", "invalid_client")
        return client

    def new_code(self, pending: PendingCode, prompt: str) -> str:
        """Keep what a code stands for and return the code.

        The refresh token is handed out at the first consent, and again only when ``prompt=consent`` asks for it.

        Args:
            pending: what the user granted.
            prompt: the parameter ``prompt``.
        """
        key = (pending.client.id, self.consent.account)
        with self.lock:
            again = key in self._consented and "consent" not in prompt.split()
            pending.offline = pending.offline and not again
            if pending.offline:
                self._consented.add(key)
            code = "4/0" + secrets.token_urlsafe(40)
            self._codes[code] = pending
        return code

    def exchange(self, client: Client, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """Tokens for an authorization code, once.

        Args:
            client: who asks.
            code: what came with the redirect.
            redirect_uri: must be the one of the authorization request.
            verifier: PKCE's ``code_verifier``.

        Raises:
            ApiError: ``invalid_grant`` or ``redirect_uri_mismatch``.
        """
        with self.lock:
            pending = self._codes.pop(code, None)
        if pending is None or pending.client.id != client.id or self.clock.now() >= pending.expires:
            raise ApiError(400, "Malformed auth code.", "invalid_grant")
        if pending.redirect_uri != redirect_uri:
            raise ApiError(400, "Bad Request", "redirect_uri_mismatch")
        check_verifier(pending, verifier)
        grant = self.grant(client, pending.scopes, offline=pending.offline)
        return self.answer(grant, first=True)

    def refresh(self, client: Client, refresh_token: str, asked: str = "") -> dict[str, Any]:
        """A new access token.

        Args:
            client: who asks.
            refresh_token: what it has.
            asked: the parameter ``scope``; empty means all that was granted.

        Raises:
            ApiError: ``invalid_grant`` or ``invalid_scope``.
        """
        now = self.clock.now()
        with self.lock:
            grant = self.vault.by_refresh_token(refresh_token)
            if grant is None or grant.client.id != client.id or not grant.refreshable(now):
                raise ApiError(400, "Token has been expired or revoked.", "invalid_grant")
            narrowed = scope_names.split(asked) or grant.scopes
            if not narrowed <= grant.scopes:
                raise ApiError(400, "Some requested scopes were invalid.", "invalid_scope")
            grant.used = now
            return self.answer(grant, first=False, scopes=narrowed)

    def grant(self, client: Client, scopes: frozenset[str], *, offline: bool = True, refresh_token: str = "") -> Grant:
        """Keep a grant of the user's.

        Args:
            client: to whom.
            scopes: what.
            offline: whether there is a refresh token.
            refresh_token: its text; empty makes one.
        """
        token = (refresh_token or "1//0" + secrets.token_urlsafe(48)) if offline else ""
        made = Grant(client, self.consent.account, scopes, self.clock.now(), token)
        with self.lock:
            self.vault.add(made)
        return made

    def answer(self, grant: Grant, *, first: bool, scopes: frozenset[str] | None = None) -> dict[str, Any]:
        """Make an access token and the token endpoint's answer with it.

        Args:
            grant: what it stands for.
            first: whether the refresh token goes along.
            scopes: fewer than the grant's; ``None`` means all.
        """
        held = scopes or grant.scopes
        access = AccessToken(
            "ya29." + secrets.token_urlsafe(48), grant, self.clock.now() + self.access_seconds, frozenset(held)
        )
        with self.lock:
            self.vault.access[access.token] = access
        answer: dict[str, Any] = {"access_token": access.token, "expires_in": self.access_seconds}
        if first and grant.refresh_token:
            answer["refresh_token"] = grant.refresh_token
        left = grant.life_left(self.clock.now()) if grant.refresh_token else None
        if left is not None:
            answer["refresh_token_expires_in"] = int(left)
        answer |= {"scope": scope_names.join(access.scopes), "token_type": "Bearer"}  # nosec B105: a kind of token
        if scope_names.OPENID in access.scopes:
            answer["id_token"] = _id_token(grant, self.clock.now())
        return answer

    def check(self, token: str, wanted: frozenset[str]) -> AccessToken:
        """The access token, when it opens an endpoint.

        Args:
            token: what came in the ``Authorization`` header.
            wanted: scopes of which one is needed.

        Raises:
            ApiError: 401, unknown or too old; 403, its scopes don't do.
        """
        access = self.vault.access.get(token)
        if access is None or not access.alive(self.clock.now()):
            raise ApiError(401, headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'})
        if not access.scopes & wanted:
            raise because("insufficientPermissions")
        return access

    def revoke(self, token: str) -> None:
        """Take a grant back, by its access or its refresh token.

        Raises:
            ApiError: ``invalid_token``, there is nothing left to take back.
        """
        with self.lock:
            access = self.vault.access.get(token)
            grant = access.grant if access else self.vault.by_refresh_token(token)
            if grant is None or grant.dead:
                raise ApiError(400, "Token expired or revoked", "invalid_token")
            grant.dead = True

    def revoke_everything(self) -> None:
        """As a user does who removes the app's access in the account's settings."""
        with self.lock:
            for grant in self.vault.grants:
                grant.dead = True

    def mint(self, scopes: frozenset[str] | None = None, client: Client | None = None) -> dict[str, Any]:
        """Tokens without the way through the browser.

        Args:
            scopes: what they allow; ``None`` means everything useful.
            client: whose they are; ``None`` means the desktop client.

        Returns:
            The token endpoint's answer, with a refresh token.
        """
        holder = client or self.clients[DESKTOP_CLIENT.id]
        return self.answer(self.grant(holder, scope_names.USEFUL if scopes is None else scopes), first=True)


def check_verifier(pending: PendingCode, verifier: str) -> None:
    """Check PKCE's proof (RFC 7636, 4.6).

    Raises:
        ApiError: ``invalid_grant``, it is missing or not the right one.
    """
    if not pending.challenge:
        return
    if not verifier:
        raise ApiError(400, "Missing code verifier.", "invalid_grant")
    proof = verifier
    if pending.method == "S256":
        proof = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not secrets.compare_digest(proof.encode(), pending.challenge.encode()):
        raise ApiError(400, "Invalid code verifier.", "invalid_grant")


def _id_token(grant: Grant, now: float) -> str:
    """An unsigned JWT: who the user is."""
    claims = {
        "iss": "https://accounts.google.com",
        "aud": grant.client.id,
        "sub": hashlib.sha256(grant.account.encode()).hexdigest()[:21],
        "email": grant.account,
        "email_verified": True,
        "iat": int(now),
        "exp": int(now) + 3600,
    }
    pieces = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(piece).rstrip(b"=").decode() for piece in pieces) + "."
