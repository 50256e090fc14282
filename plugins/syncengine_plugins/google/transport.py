"""HTTP to Google and nobody else: always with timeouts, redirects looked at one by one, no cookies, no netrc."""

from __future__ import annotations

import http.cookiejar
import logging
import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin

import msgspec

from syncengine.api import FatalError, ItemError, RetryableError
from syncengine_plugins.google.endpoints import GoogleEndpoints, host_of, same_origin

if TYPE_CHECKING:
    import requests

_LOG = logging.getLogger(__name__)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_HOPS = 5
_AGENT = "syncengine"


class Timeouts(NamedTuple):
    """Seconds to wait for a connection, and for each next piece of an answer."""

    connect: float = 15.0
    read: float = 60.0


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it goes out.

    Args:
        method: of HTTP.
        url: whole.
        what: what it is for; messages show this, never the address.
        token: an access token, or ``None``.
        params: the query.
        form: the body, as a form.
        json: the body, as JSON.
        headers: besides those that every request has.
    """

    method: str
    url: str
    what: str
    token: str | None = None
    params: tuple[tuple[str, str], ...] = ()
    form: dict[str, str] | None = None
    json: bytes | None = None
    headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Wire({self.method} {host_of(self.url)} for {self.what})"


class Transport:
    """A pool of connections. May be used from several threads.

    Args:
        endpoints: where Google is; nothing is fetched from elsewhere.
        timeouts: for every request.
        connections: kept open at most.
    """

    def __init__(
        self, endpoints: GoogleEndpoints, *, timeouts: Timeouts = Timeouts(), connections: int = 32  # noqa: B008
    ) -> None:
        # Imported here: takes 60 ms, and a plugin is also loaded only to check its options.
        import requests
        from requests.adapters import HTTPAdapter

        self.endpoints = endpoints
        self._timeouts = timeouts
        session = requests.Session()
        session.headers["User-Agent"] = _AGENT
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=8, pool_maxsize=connections)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        if endpoints.is_loopback:
            # a proxy cannot reach this machine's loopback; what the environment says about certificates still counts
            session.trust_env = False
            session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._session = session

    def send(self, wire: Wire) -> requests.Response:
        """Return the answer, its body not read yet; the caller closes it.

        Redirects are followed: each address is checked first, and the token stays with the origin that it was for.

        Raises:
            ItemError: an address, or one that a redirect names, is not Google's.
            RetryableError: no answer, or none in time.
            FatalError: the certificate is not trusted.
        """
        for _ in range(_MOST_HOPS):
            answer = self._send_once(wire)
            target = answer.headers.get("Location")
            if answer.status_code not in _REDIRECTS or not target:
                return answer
            answer.close()
            wire = _redirected(wire, urljoin(wire.url, target))
        raise RetryableError(f"{wire.what}: {host_of(wire.url)} redirects without end")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _send_once(self, wire: Wire) -> requests.Response:
        import requests  # loaded already

        try:
            self.endpoints.check(wire.url)
        except ValueError as error:
            raise ItemError(f"{wire.what}: {error}; nothing is fetched from there") from None
        headers = {"Accept-Encoding": "identity", **wire.headers}
        if wire.json is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._session.request(
                wire.method,
                wire.url,
                params=list(wire.params),
                data=wire.json if wire.json is not None else wire.form,
                headers=headers,
                auth=_Bearer(wire.token if self.endpoints.may_have_token(wire.url) else None),
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, ValueError, OSError) as error:
            # the library's message may hold the whole address, so it goes no further
            raise failure(error, wire.what, host_of(wire.url)) from None
        _LOG.debug("%s: %s %s answered %d", wire.what, wire.method, host_of(wire.url), answer.status_code)
        return answer


class _Bearer:
    """Sets the token, or sees to it that nothing else sets a password (``requests`` would look into ``.netrc``)."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def failure(error: Exception, what: str, host: str) -> ItemError | FatalError:
    """Return what an exception of ``requests`` means, without anything of the address but the host."""
    import requests  # loaded already

    if isinstance(error, requests.exceptions.SSLError):
        return FatalError(
            f"{what}: the certificate of {host} is not trusted",
            advice="check this machine's clock and its CA certificates; behind a proxy that looks into HTTPS, set "
            "REQUESTS_CA_BUNDLE",
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return RetryableError(f"{what}: the proxy does not let {host} through", advice="check HTTPS_PROXY")
    if isinstance(error, requests.Timeout):
        return RetryableError(f"{what}: {host} did not answer in time")
    if isinstance(error, ValueError):
        return ItemError(f"{what}: {host} cannot be asked ({type(error).__name__})")
    return RetryableError(f"{what}: the connection to {host} failed or was cut ({type(error).__name__})")


def _redirected(wire: Wire, target: str) -> Wire:
    if wire.method != "GET":
        # what it carries was meant for the first address alone
        raise ItemError(f"{wire.what}: {host_of(wire.url)} answers with a redirect, which is not followed")
    token = wire.token if same_origin(wire.url, target) else None
    return msgspec.structs.replace(wire, url=target, token=token, params=())
