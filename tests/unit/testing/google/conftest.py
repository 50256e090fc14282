"""An emulator whose answers are all checked, and a client that sees the bytes as they come."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from syncengine.testing.google import Clock, GoogleEmulator, Library

START = 1_780_000_000.0


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return str(self.json["error"]["errors"][0]["reason"])


@dataclass
class Caller:
    emulator: GoogleEmulator
    token: str = ""
    sent: list[str] = field(default_factory=list)

    def call(
        self,
        method: str,
        url: str,
        query: Any = None,
        *,
        body: Any = None,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own; a body that breaks off raises ``http.client.IncompleteRead``."""
        where = urlsplit(url)
        path = where.path + ("?" + (where.query or urlencode(query or {}, doseq=True)))
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        payload = None
        if form is not None:
            payload, sent["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        elif isinstance(body, bytes):
            payload = body
        elif body is not None:
            payload, sent["Content-Type"] = json.dumps(body), "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", where.port or 80, timeout=20)
        try:
            connection.request(method, path, payload, {**sent, **(headers or {})})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, url: str, query: Any = None, **headers: str) -> Reply:
        return self.call("GET", url, query, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def drive(self, path: str, query: Any = None, **headers: str) -> Reply:
        return self.get(self.emulator.root("www.googleapis.com") + "/drive/v3/" + path, query, **headers)

    def library(self, path: str, query: Any = None) -> Reply:
        return self.get(self.emulator.root("photoslibrary.googleapis.com") + "/v1/" + path, query)

    def search(self, **body: Any) -> Reply:
        return self.call(
            "POST", self.emulator.root("photoslibrary.googleapis.com") + "/v1/mediaItems:search", body=body
        )

    def picker(self, method: str, path: str, query: Any = None, **body: Any) -> Reply:
        url = self.emulator.root("photospicker.googleapis.com") + "/v1/" + path
        return self.call(method, url, query, body=body if method == "POST" else None)

    def oauth(self, path: str, **form: str) -> Reply:
        return self.call("POST", self.emulator.root("oauth2.googleapis.com") + path, form=form)

    def switch(self, method: str, name: str, **body: Any) -> Reply:
        return self.call(method, f"{self.emulator.url}/_emulator/{name}", body=body or None)


@pytest.fixture
def emulator() -> Iterator[GoogleEmulator]:
    """An emulator on a clock that stands still; every answer has Google's shape when the test ends."""
    with GoogleEmulator(Library(Clock(START)), check_answers=True) as running:
        yield running
    assert running.shape_violations == []
    assert not running.failures


@pytest.fixture
def caller(emulator: GoogleEmulator) -> Caller:
    """A client with a token for everything."""
    return Caller(emulator, emulator.authority.mint()["access_token"])
