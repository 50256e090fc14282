"""What Google's refusals mean: try again, stop for today, stop altogether, or only this item.

The shape of an error is that of all Google JSON APIs: ``{"error": {"code", "message", "status", "errors": [{"reason"}],
"details": [{"reason", "metadata"}]}}``, in which ``errors`` and ``details`` may be missing.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from syncengine.api import FatalError, ItemError, RetryableError
from syncengine_plugins.google.endpoints import host_of

#: Google asks to wait at least this long after a 429: https://developers.google.com/photos/overview/best-practices
LEAST_WAIT = 30.0
#: No ``Retry-After`` is believed beyond this; what lasts longer is the next run's.
LONGEST_WAIT = 900.0

M = TypeVar("M", float, None)

_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_TOO_FAST = frozenset({"ratelimitexceeded", "userratelimitexceeded", "rate_limit_exceeded", "resource_exhausted"})
_DAY_IS_OVER = frozenset({"dailylimitexceeded", "downloadquotaexceeded"})
_NO_SCOPE = frozenset({"insufficientpermissions", "access_token_scope_insufficient", "insufficient_scope"})
_API_OFF = frozenset({"accessnotconfigured", "service_disabled"})
_PER_DAY = re.compile(r"per ?day|daily", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
# an address, or a word so long that it may be a token
_UNFIT = re.compile(r"https?://\S+|[A-Za-z0-9_\-./+=]{40,}")


class GoogleAnswerError(ItemError):
    """Google refuses this one request, and would refuse it again.

    Args:
        reason: in words.
        status: of HTTP.
        codes: Google's own reasons, in lower case.
    """

    def __init__(self, reason: str, *, status: int, codes: frozenset[str] = frozenset()) -> None:
        self.status = status
        self.codes = codes
        super().__init__(reason)


class DayIsOverError(Exception):
    """The day's quota is used up; the session adds when the next day begins.

    Args:
        reason: in words.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is an error.

    Args:
        what: what was asked for.
        host: who answered.
        status: of HTTP.
        codes: Google's reasons, in lower case.
        message: Google's words, made fit for showing.
        quota: the names of the quotas that are used up.
        after: seconds to wait, when the answer says so.
    """

    what: str
    host: str
    status: int
    codes: frozenset[str] = frozenset()
    message: str = ""
    quota: str = ""
    after: float | None = None

    def __str__(self) -> str:
        said = f": {self.message}" if self.message else ""
        return f"{self.what}: {self.host} answered {self.status}{said}"

    @property
    def is_signed_out(self) -> bool:
        """Whether the access token was not accepted."""
        return self.status == 401

    def error(self) -> Exception:
        """Return the error that it is to the caller."""
        if self.codes & _API_OFF:
            return FatalError(
                str(self), advice="enable this API for the project of your OAuth client in the Google Cloud console"
            )
        if self._lacks_scope():
            return FatalError(
                str(self), advice="run 'syncengine auth login PROFILE' and tick every box that is asked for"
            )
        if self._is_quota() and (self.codes & _DAY_IS_OVER or _PER_DAY.search(f"{self.quota} {self.message}")):
            return DayIsOverError(str(self))
        if self.status == 429:
            return RetryableError(str(self), after=max(LEAST_WAIT, self.after or 0.0))
        if self.status in _TEMPORARY or self.codes & _TOO_FAST:
            return RetryableError(str(self), after=self.after)
        return GoogleAnswerError(str(self), status=self.status, codes=self.codes)

    def _is_quota(self) -> bool:
        return self.status in (403, 429)

    def _lacks_scope(self) -> bool:
        said = "insufficient authentication scopes" in self.message.lower()
        return self.status == 403 and (bool(self.codes & _NO_SCOPE) or said)


def read_refusal(what: str, url: str, status: int, *, headers: Mapping[str, str], body: bytes, now: float) -> Refusal:
    """Return what an answer other than 200 to 299 says.

    Args:
        what: what was asked for.
        url: where.
        status: of HTTP.
        headers: of the answer.
        body: its beginning; need not be JSON.
        now: seconds since the epoch; the answer's own date wins, for this machine's clock may be off.
    """
    error = _error_object(body)
    details = [part for part in _list(error.get("details")) if isinstance(part, dict)]
    metadata = [part["metadata"] for part in details if isinstance(part.get("metadata"), dict)]
    reasons = [part.get("reason") for part in (*_list(error.get("errors")), *details) if isinstance(part, dict)]
    challenge = "insufficient_scope" if "insufficient_scope" in headers.get("WWW-Authenticate", "") else None
    codes = {str(code).lower() for code in (*reasons, error.get("status"), challenge) if isinstance(code, str)}
    return Refusal(
        what=what,
        host=host_of(url),
        status=status,
        codes=frozenset(codes),
        message=presentable(error.get("message") or _said_in_html(status, body)),
        quota=" ".join(str(part.get("quota_limit", "")) for part in metadata),
        after=retry_after(headers.get("Retry-After"), _moment(headers.get("Date"), now)),
    )


def presentable(text: object) -> str:
    """Return a server's words as one short line, without addresses, tokens and control characters."""
    if not isinstance(text, str):
        return ""
    line = " ".join("".join(character if character.isprintable() else " " for character in text[:2000]).split())
    return _UNFIT.sub("…", line)[:300].rstrip(" .")


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks to wait, by RFC 9110 10.2.3; bounded.

    Args:
        value: seconds, or a date.
        now: seconds since the epoch.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    moment = _moment(value, None)
    return None if moment is None else min(max(moment - now, 0.0), LONGEST_WAIT)


def _moment(value: str | None, otherwise: M) -> float | M:
    """Return a date of HTTP as seconds since the epoch."""
    try:
        return email.utils.parsedate_to_datetime(value or "").timestamp()
    except (ValueError, OverflowError):
        return otherwise


def _said_in_html(status: int, body: bytes) -> str:
    """Return what a 429 says that is a page for people, as the servers of photo bytes send it.

    Pages of other errors repeat the address that was asked, and are not shown.
    """
    if status != 429 or body[:1] != b"<":
        return ""
    return _TAG.sub(" ", body[:2000].decode("utf-8", "replace"))


def _error_object(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
