"""Requests to Google's APIs: signed in, paced, counted, and tried again when that makes sense."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec

from syncengine.api import FatalError, QuotaError, QuotaKeeper, RetryableError
from syncengine_plugins.google.account import LOGIN, GoogleAccount
from syncengine_plugins.google.answers import LONGEST_WAIT, DayIsOverError, GoogleAnswerError, Refusal, read_refusal
from syncengine_plugins.google.call import Call
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.download import Download
from syncengine_plugins.google.endpoints import GoogleEndpoints
from syncengine_plugins.google.limits import GOOGLE_LIMITS, ApiLimits
from syncengine_plugins.google.pacing import TokenBucket
from syncengine_plugins.google.transport import Transport, Wire

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

_LOG = logging.getLogger(__name__)

_LARGEST_JSON = 64 << 20
_LARGEST_ERROR = 64 << 10


class GoogleSession:
    """A signed-in client of Google's APIs. May be used from several threads.

    Every call may raise: ``FatalError`` (signed out, a scope or an API is missing), ``QuotaError`` (nothing more
    today), ``RetryableError`` (still failing after the call's tries), ``GoogleAnswerError`` (this request is refused:
    400, 404, 416 and the like), ``ItemError`` (an address that is not Google's).

    Args:
        account: whose token is sent.
        transport: the connections.
        quota: counts what the day allows.
        clock: for the pauses.
        limits: the pace of each kind of request; Google's when ``None``.
    """

    def __init__(
        self,
        account: GoogleAccount,
        transport: Transport,
        quota: QuotaKeeper,
        clock: Clock,
        *,
        limits: Mapping[str, ApiLimits] | None = None,
    ) -> None:
        self.account = account
        self.quota = quota
        self._transport = transport
        self._clock = clock
        self._buckets = {name: TokenBucket(limit, clock) for name, limit in (limits or GOOGLE_LIMITS).items()}

    @property
    def endpoints(self) -> GoogleEndpoints:
        """Where Google is."""
        return self._transport.endpoints

    def json(self, call: Call, kind: type[T]) -> T:
        """Return an answer.

        Args:
            call: what to ask.
            kind: a Struct, or another type that msgspec knows; an answer that is no such thing is tried again.
        """

        def decoded(answer: requests.Response) -> T:
            with answer:
                body = Download(answer, call.what).read(_LARGEST_JSON)
            try:
                return msgspec.json.decode(body, type=kind)
            except msgspec.MsgspecError:
                raise RetryableError(f"{call.what}: Google's answer is not what it should be") from None

        return self._tried(call, decoded)

    def run(self, call: Call) -> None:
        """Ask for something whose answer says nothing, such as a deletion."""
        self._tried(call, lambda answer: answer.close())

    @contextmanager
    def stream(self, call: Call) -> Iterator[Download]:
        """Give an answer whose body is read piece by piece.

        ``call.tries`` counts until the body begins; what is cut later is a ``RetryableError``.
        """
        answer = self._tried(call, lambda answer: answer)
        try:
            yield Download(answer, call.what)
        finally:
            answer.close()

    def close(self) -> None:
        """Close the connections and save what was counted; may be called twice."""
        try:
            self.quota.flush()
        finally:
            self._transport.close()

    def _tried(self, call: Call, use: Callable[[requests.Response], T]) -> T:
        tried = 1
        while True:
            try:
                return use(self._once(call))
            except RetryableError as error:
                if tried >= call.tries:
                    raise
                pause = self._pause(error, tried)
                _LOG.info("%s; trying again in %.0f s", error.reason, pause)
                self._clock.wait(pause)
            except DayIsOverError as error:
                raise QuotaError(error.reason, again=self.quota.resets()) from None
            tried += 1

    def _pause(self, error: RetryableError, tried: int) -> float:
        """Return the seconds to wait before the next try: what Google asks for at least, longer each time."""
        backoff = (1 + self._clock.jitter()) * 2.0 ** (tried - 1)
        asked = (error.after or 0.0) * 1.5 ** (tried - 1)
        return min(max(backoff, asked + self._clock.jitter() if asked else 0.0), LONGEST_WAIT)

    def _once(self, call: Call) -> requests.Response:
        token = self.account.token() if call.bearer else None
        answer = self._send(call, token)
        if answer.status_code == 401 and token is not None:
            answer.close()
            answer = self._send(call, self.account.renewed(token))
        if 200 <= answer.status_code < 300 or answer.status_code in call.allow:
            return answer
        raise self._error(call, answer)

    def _send(self, call: Call, token: str | None) -> requests.Response:
        if call.api:
            self.quota.spend(call.api, call.units)
        if bucket := self._buckets.get(call.api):
            bucket.take(call.units)
        return self._transport.send(
            Wire(
                method=call.method,
                url=call.url,
                what=call.what,
                token=token,
                params=call.params,
                json=None if call.body is None else msgspec.json.encode(call.body),
                headers=dict(call.headers),
            )
        )

    def _error(self, call: Call, answer: requests.Response) -> Exception:
        with answer:
            refusal = self._refusal(call, answer)
        if refusal.status != 401 or not call.bearer:
            return refusal.error()
        if call.api.endswith(".media"):
            # the address of these bytes may have expired; the sign-in itself has its own errors
            return GoogleAnswerError(str(refusal), status=401, codes=refusal.codes)
        return FatalError(f"{refusal}, with a token that it gave a moment ago", advice=LOGIN)

    def _refusal(self, call: Call, answer: requests.Response) -> Refusal:
        try:
            body = Download(answer, call.what).read(_LARGEST_ERROR)
        except RetryableError:
            body = b""
        return read_refusal(
            call.what,
            answer.url or call.url,
            answer.status_code,
            headers=answer.headers,
            body=body,
            now=self._clock.now(),
        )
