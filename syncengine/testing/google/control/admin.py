"""The switches over HTTP: ``/_emulator/...``, for clients on this machine alone.

===============================  ======================================================================================
``GET  /_emulator/counters``     requests and bytes; ``DELETE`` counts from nothing again
``POST /_emulator/faults``       ``{"endpoint": "drive.*", "kind": "status", "status": 503, "at": 3, "times": 2}``
                                 with the kinds ``status`` (``status``, ``retry_after``), ``reason`` (``reason``),
                                 ``daily-quota``, ``cut`` (``after``, ``reset``), ``too-long`` (``extra``),
                                 ``too-short`` (``missing``), ``wrong-length`` (``by``), ``corrupt`` (``at_byte``),
                                 ``etag`` (``value``), ``garbage`` (``text``), ``ignore-range``, ``empty-page``,
                                 ``expired-url``, ``redirect`` (``location``), ``stall`` (``seconds``, ``after``),
                                 ``delete-file`` and ``replace-file`` (``file``, ``after``, ``text``);
                                 ``times: null`` means for ever. ``DELETE`` takes all away
``POST /_emulator/network``      ``{"latency": 0.1, "endpoint": "*", "bandwidth": 1e6, "clock_offset": 3600}``
``POST /_emulator/clock``        ``{"advance": 3600}``
``POST /_emulator/quotas``       ``{"library.requests": 100, "drive.units": null}``; ``GET`` shows them
``POST /_emulator/oauth``        ``{"deny": true, "allow": "scope scope", "access_seconds": 60, "testing": true}``
``POST /_emulator/devices``      ``{"user_code": "", "approve": true, "interval": 1, "allowed": "scope scope"}``
``POST /_emulator/tokens``       ``{"scope": "scope scope"}``: tokens without a browser; ``DELETE`` revokes every grant
``POST /_emulator/picker``       ``{"session": "", "items": ["id"], "pick_at_poll": 2}``
``POST /_emulator/urls``         withdraws every ``baseUrl``
``POST /_emulator/library``      brings files that changed on disk up to date
``GET  /_emulator/endpoints``    the endpoints' names
===============================  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syncengine.testing.google.accounts import scopes
from syncengine.testing.google.content.bytes import BytesContent
from syncengine.testing.google.control import effects
from syncengine.testing.google.wire.message import Answer, Request, json_answer
from syncengine.testing.google.wire.problems import REASONS, ApiError, bad_request, daily_quota, not_found
from syncengine.testing.google.wire.routing import EMULATOR, Handler, Route, route

if TYPE_CHECKING:
    from syncengine.testing.google.emulator import GoogleEmulator

_PLAIN: dict[str, Callable[[dict[str, Any]], effects.Effect]] = {
    "cut": lambda body: effects.Cut(int(body["after"]), bool(body.get("reset"))),
    "too-long": lambda body: effects.TooLong(int(body["extra"])),
    "too-short": lambda body: effects.TooShort(int(body["missing"])),
    "wrong-length": lambda body: effects.WrongLength(int(body["by"])),
    "corrupt": lambda body: effects.Corrupt(int(body.get("at_byte", 0))),
    "etag": lambda body: effects.OtherEtag(str(body.get("value", '"another"'))),
    "garbage": lambda body: effects.Garbage(str(body.get("text", "<html>{"))),
    "ignore-range": lambda body: effects.IgnoreRange(),
    "empty-page": lambda body: effects.EmptyPage(),
    "expired-url": lambda body: effects.ExpiredUrl(),
    "redirect": lambda body: effects.Redirect(str(body["location"])),
    "stall": lambda body: effects.stall(float(body["seconds"]), int(body.get("after", 0))),
    "daily-quota": lambda body: effects.Refuse(
        daily_quota(str(body.get("service", "photoslibrary.googleapis.com")), int(body.get("limit", 10_000)))
    ),
}


class AdminEndpoints:
    """The switches.

    Args:
        emulator: what is switched.
    """

    def __init__(self, emulator: GoogleEmulator) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        """Their addresses."""
        verbs: list[tuple[str, str, Handler]] = [
            ("GET", "counters", lambda request: json_answer(self._emulator.counters.snapshot())),
            ("DELETE", "counters", self._done(self._emulator.counters.reset)),
            ("POST", "faults", self.add_fault),
            ("DELETE", "faults", self._done(self._emulator.faults.clear)),
            ("POST", "network", self.network),
            ("POST", "clock", self.clock),
            ("GET", "quotas", self.quotas),
            ("POST", "quotas", self.quotas),
            ("POST", "oauth", self.oauth),
            ("POST", "devices", self.devices),
            ("POST", "tokens", self.tokens),
            ("DELETE", "tokens", self._done(self._emulator.authority.revoke_everything)),
            ("POST", "picker", self.picker),
            ("POST", "urls", self._done(self._emulator.urls.expire_all)),
            ("POST", "library", self._done(self._emulator.library.rescan)),
            ("GET", "endpoints", lambda request: json_answer({"endpoints": self._emulator.router.endpoints})),
        ]
        return [
            route(f"emulator.{name}", verb, EMULATOR, f"/_emulator/{name}", _local(handler))
            for verb, name, handler in verbs
        ]

    def add_fault(self, request: Request) -> Answer:
        """Add a fault."""
        body = request.json()
        try:
            effect = self._effect(body)
            endpoint, at, times = str(body["endpoint"]), int(body.get("at", 1)), body.get("times", 1)
        except (KeyError, TypeError, ValueError) as error:
            raise bad_request(f"The fault cannot be understood: {error!r}") from None
        self._emulator.faults.add(endpoint, effect, at=at, times=times)
        return json_answer({})

    def network(self, request: Request) -> Answer:
        """Latency, bandwidth and the offset of the ``Date`` header."""
        body, faults = request.json(), self._emulator.faults
        if "latency" in body:
            faults.latency(float(body["latency"]), str(body.get("endpoint", "*")))
        if "bandwidth" in body:
            faults.bandwidth = float(body["bandwidth"]) if body["bandwidth"] else None
        faults.clock_offset = float(body.get("clock_offset", faults.clock_offset))
        return json_answer({})

    def clock(self, request: Request) -> Answer:
        """Move the clock."""
        self._emulator.clock.advance(float(request.json().get("advance", 0)))
        return json_answer({"now": self._emulator.clock.rfc3339()})

    def quotas(self, request: Request) -> Answer:
        """Show and set limits."""
        quotas = self._emulator.quotas
        for name, limit in request.json().items():
            if name not in quotas.limits:
                raise bad_request(f"There is no quota {name}; there are {', '.join(quotas.limits)}.")
            quotas.set(name, limit)
        return json_answer({name: {"limit": one.limit, "used": one.used} for name, one in quotas.limits.items()})

    def oauth(self, request: Request) -> Answer:
        """What the user consents to, and how long tokens live."""
        body, authority = request.json(), self._emulator.authority
        authority.consent.deny = bool(body.get("deny", authority.consent.deny))
        if "allow" in body:
            authority.consent.allow = scopes.split(body["allow"]) if body["allow"] is not None else None
        authority.access_seconds = int(body.get("access_seconds", authority.access_seconds))
        for client in authority.clients.values():
            client.testing = bool(body.get("testing", client.testing))
        return json_answer({})

    def devices(self, request: Request) -> Answer:
        """What the user does with a device's code."""
        body, devices = request.json(), self._emulator.devices
        devices.interval = int(body.get("interval", devices.interval))
        if "allowed" in body:
            devices.allowed = scopes.split(body["allowed"])
        found = "approve" in body and devices.decide(str(body.get("user_code", "")), approve=bool(body["approve"]))
        return json_answer({"found": found})

    def tokens(self, request: Request) -> Answer:
        """Tokens without the way through the browser."""
        asked = scopes.split(str(request.json().get("scope", "")))
        return json_answer(self._emulator.authority.mint(asked or None))

    def picker(self, request: Request) -> Answer:
        """What the user picks, and when."""
        body, sessions = request.json(), self._emulator.picker
        if "pick_at_poll" in body:
            sessions.pick_at_poll, sessions.selection = body["pick_at_poll"], body.get("items")
            return json_answer({})
        try:
            session = sessions.pick(str(body.get("session", "")), body.get("items"))
        except LookupError:
            raise not_found("There is no such session or item.") from None
        return json_answer({"session": session.id, "picked": len(session.picked or [])})

    def _effect(self, body: dict[str, Any]) -> effects.Effect:
        """The effect that a body describes."""
        kind = body["kind"]
        if kind in _PLAIN:
            return _PLAIN[kind](body)
        if kind == "status":
            wait = {"Retry-After": str(body["retry_after"])} if "retry_after" in body else {}
            return effects.Refuse(ApiError(int(body["status"]), headers=wait))
        if kind == "reason":
            status = body.get("status") or REASONS.get(body["reason"], (400, "", ""))[0]
            return effects.Refuse(ApiError(int(status), reason=str(body["reason"])))
        drive, file_id, after = self._emulator.library.drive, str(body["file"]), int(body.get("after", 0))
        if kind == "delete-file":
            return effects.Meanwhile(lambda: drive.delete(file_id), after)
        if kind == "replace-file":
            content = BytesContent(str(body.get("text", "replaced")).encode())
            return effects.Meanwhile(lambda: drive.replace(file_id, content), after)
        raise ValueError(kind)

    @staticmethod
    def _done(action: Callable[[], object]) -> Handler:
        """A handler that does something and answers nothing."""

        def handler(_request: Request) -> Answer:
            action()
            return json_answer({})

        return handler


def _local(handler: Handler) -> Handler:
    """A handler that answers this machine's clients only."""

    def guarded(request: Request) -> Answer:
        if not request.from_loopback:
            raise not_found()
        return handler(request)

    return guarded
