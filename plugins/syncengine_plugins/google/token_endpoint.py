"""What Google's OAuth endpoints are asked: exchange a code, renew a token, revoke one, begin and poll the device flow.

These few requests are made here and not by ``requests-oauthlib`` or ``google-auth``: those log whole requests and
answers, tokens included, follow redirects with secrets in hand, drop ``refresh_token_expires_in``, and take plain HTTP
for a loopback address only by a switch for the whole process.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from syncengine.api import FatalError, ItemError, RetryableError
from syncengine_plugins.google.answers import presentable, retry_after
from syncengine_plugins.google.client_file import OAuthClient
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.endpoints import host_of
from syncengine_plugins.google.transport import Transport, Wire, failure

T = TypeVar("T")

_LARGEST = 256 << 10
_TRIES = 4
_CENTURY = 100 * 365 * 86400.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
_WRONG_CLIENT = frozenset({"invalid_client", "unauthorized_client", "deleted_client", "disabled_client"})
_TEMPORARY = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A token, as Google hands it out. Durations are in seconds.

    ``refresh_token_expires_in`` comes with clients in testing mode and with access that the user limited in time.
    """

    access_token: str
    expires_in: float = 3600.0
    refresh_token: str = ""
    scope: str = ""
    refresh_token_expires_in: float | None = None
    skew: float = 0.0

    @property
    def is_sound(self) -> bool:
        """Whether it can be used: its tokens go into a header, its durations into a calendar."""
        durations = (self.expires_in, self.refresh_token_expires_in or 0.0)
        tokens = (self.access_token, self.refresh_token or "-")
        return all(map(_TOKEN.fullmatch, tokens)) and all(0 <= duration < _CENTURY for duration in durations)

    def __repr__(self) -> str:
        return f"TokenAnswer(scope={self.scope!r})"


class DeviceCode(msgspec.Struct, frozen=True, kw_only=True):
    """What the device flow begins with. Durations are in seconds; Google's name for the page is not the RFC's."""

    device_code: str
    user_code: str
    verification_url: str = ""
    verification_uri: str = ""
    expires_in: float = 1800.0
    interval: float = 5.0

    @property
    def page(self) -> str:
        """Where the user types the code."""
        return self.verification_url or self.verification_uri

    def __repr__(self) -> str:
        return "DeviceCode(...)"


class OAuthRefusedError(Exception):
    """An OAuth endpoint says no, by RFC 6749 5.2.

    Args:
        code: such as ``invalid_grant``.
        description: in Google's words.
    """

    def __init__(self, code: str, description: str = "") -> None:
        self.code = code
        self.description = description
        super().__init__(f"{code}: {description}" if description else code)


class TokenEndpoint:
    """Google's OAuth endpoints. May be used from several threads.

    Args:
        transport: knows where they are.
        clock: for the pauses between tries.
    """

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self.endpoints = transport.endpoints
        self.clock = clock
        self._transport = transport

    def exchange(self, client: OAuthClient, code: str, verifier: str, redirect_uri: str) -> TokenAnswer:
        """Return the tokens for a code from the consent page.

        Raises:
            OAuthRefusedError: Google says no.
            RetryableError: out of reach.
            FatalError: the client is wrong.
        """
        return self._token(
            client,
            {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": redirect_uri},
        )

    def renew(self, client: OAuthClient, refresh_token: str) -> TokenAnswer:
        """Return a new access token; raises as ``exchange`` does."""
        return self._token(client, {"grant_type": "refresh_token", "refresh_token": refresh_token})

    def begin_device(self, client: OAuthClient, scopes: tuple[str, ...]) -> DeviceCode:
        """Return the code that the user is to type; raises as ``exchange`` does."""
        form = {"client_id": client.client_id, "scope": " ".join(scopes)}
        answer, _ = self._post(self.endpoints.device_uri, form, "the code for another device")
        return _converted(answer, DeviceCode, "the code for another device")

    def poll_device(self, client: OAuthClient, device_code: str) -> TokenAnswer:
        """Return the tokens once the user typed the code; until then, raises ``OAuthRefusedError`` that says so."""
        grant_type = "urn:ietf:params:oauth:grant-type:device_code"
        return self._token(client, {"grant_type": grant_type, "device_code": device_code})

    def revoke(self, token: str) -> bool:
        """Make a token worthless, with all that were granted together with it; return whether it now is.

        Raises:
            OAuthRefusedError: Google says no.
            RetryableError: out of reach.
        """
        try:
            self._post(self.endpoints.revoke_uri, {"token": token}, "the end of the sign-in")
        except OAuthRefusedError as error:
            if error.code != "invalid_token":  # that one was dead already
                raise
        return True

    def account(self, access_token: str) -> str:
        """Return the e-mail address of whose token it is, or an empty text when Google does not say."""
        wire = Wire(method="GET", url=self.endpoints.userinfo_uri, what="whose sign-in it is", token=access_token)
        try:
            status, body, _ = self._send(wire)
        except (ItemError, FatalError):
            return ""
        answer = _object(body) if status == 200 else {}
        return presentable_account(answer.get("email"))

    def _token(self, client: OAuthClient, form: dict[str, str]) -> TokenAnswer:
        form = {**form, "client_id": client.client_id, "client_secret": client.client_secret}
        answer, skew = self._post(self.endpoints.token_uri, form, "the sign-in")
        tokens = _converted(answer, TokenAnswer, "the sign-in")
        if not tokens.is_sound:
            raise RetryableError("the sign-in: Google's answer is not what it should be")
        return msgspec.structs.replace(tokens, skew=skew)

    def _post(self, url: str, form: dict[str, str], what: str) -> tuple[dict[str, Any], float]:
        """Return the answer, and by how many seconds Google's clock is ahead."""
        wire = Wire(method="POST", url=url, what=what, form=form)
        for tried in range(_TRIES):
            try:
                return self._post_once(wire)
            except RetryableError as error:
                if tried + 1 == _TRIES:
                    raise
                self.clock.wait(max(error.after or 0.0, (1 + self.clock.jitter()) * 2**tried))
        raise AssertionError

    def _post_once(self, wire: Wire) -> tuple[dict[str, Any], float]:
        status, body, headers = self._send(wire)
        answer = _object(body)
        if status == 200:
            return answer, _skew(headers.get("Date"), self.clock.now())
        code = answer.get("error")
        code = presentable(code) if isinstance(code, str) else ""
        if status >= 500 or (status in (408, 429) and code != "slow_down") or code in _TEMPORARY:
            after = retry_after(headers.get("Retry-After"), self.clock.now())
            raise RetryableError(f"{wire.what}: {host_of(wire.url)} answered {status}", after=after)
        if code in _WRONG_CLIENT:
            raise FatalError(
                f"Google does not accept the OAuth client ({code})",
                advice="download its JSON anew from the Google Cloud console, name it in 'credentials', and run "
                "'syncengine auth login PROFILE'",
            )
        raise OAuthRefusedError(code or f"answer {status}", presentable(answer.get("error_description")))

    def _send(self, wire: Wire) -> tuple[int, bytes, Mapping[str, str]]:
        with self._transport.send(wire) as answer:
            try:
                body = b"".join(_bounded(answer.iter_content(1 << 16)))
            except OSError as error:  # the root of what requests raises
                raise failure(error, wire.what, host_of(wire.url)) from None
            return answer.status_code, body, answer.headers


def presentable_account(value: object) -> str:
    """Return an e-mail address as Google names it, fit for showing; empty when it is none."""
    if not isinstance(value, str) or not re.fullmatch(r"[^\s\x00-\x1f\x7f]{1,128}@[^\s\x00-\x1f\x7f]{1,128}", value):
        return ""
    return value if value.isprintable() else ""


def _bounded(chunks: Any) -> Any:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > _LARGEST:
            raise RetryableError("the sign-in: Google's answer does not end")
        yield chunk


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _converted(answer: dict[str, Any], kind: type[T], what: str) -> T:
    try:
        return msgspec.convert(answer, kind, strict=False)
    except msgspec.ValidationError:
        raise RetryableError(f"{what}: Google's answer is not what it should be") from None


def _skew(date: str | None, now: float) -> float:
    try:
        return email.utils.parsedate_to_datetime(date or "").timestamp() - now
    except (ValueError, OverflowError):
        return 0.0
