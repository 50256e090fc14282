"""A user with a browser, a store in memory, a clock that waits without waiting, and a source of theirs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import requests

from syncengine.api import Album, Inventory, MediaItem, RunContext, Selection, Sink
from syncengine_plugins.google import scopes
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.source import GoogleOptions, GoogleSource


class FakeClock(Clock):
    """Follows the emulator's clock, and moves it instead of waiting."""

    def __init__(self, shared: Any) -> None:
        self.shared = shared
        self.waits: list[float] = []
        self.offset = 0.0  # of this machine's clock against Google's

    def now(self) -> float:
        return float(self.shared.now()) + self.offset

    def steady(self) -> float:
        return float(self.shared.now())

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.shared.advance(seconds)

    def jitter(self) -> float:
        return 0.5


class MemoryStore:
    """A ``CredentialStore`` that keeps nothing secret."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}

    def load(self, name: str) -> bytes | None:
        return self.entries.get(name)

    def save(self, name: str, value: bytes) -> None:
        self.entries[name] = value

    def delete(self, name: str) -> None:
        self.entries.pop(name, None)


class User:
    """Signs in wherever asked to, and remembers what was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.has_browser = True
        self.visit: Callable[[str], None] = lambda url: requests.get(url, timeout=10).close()
        self.answers: Callable[[str], str] = self.last_address
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The address of the consent page, as shown."""
        return next(word for word in "\n".join(self.shown).split() if "/auth?" in word)

    def last_address(self, question: str = "") -> str:
        """Consent, and return the address at which the browser ends."""
        answer = requests.get(self.url, allow_redirects=False, timeout=10)
        answer.close()
        return answer.headers["Location"]

    def show(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, question: str) -> str:
        return self.answers(question)

    def browse(self, url: str) -> bool:
        if self.has_browser:
            thread = threading.Thread(target=self.visit, args=(url,))
            thread.start()
            self._threads.append(thread)
        return self.has_browser

    def rest(self) -> None:
        for thread in self._threads:
            thread.join(10)


class PhotoSource(GoogleSource[GoogleOptions]):
    """Wants to read the Drive."""

    Options = GoogleOptions
    scopes: tuple[str, ...] = (scopes.DRIVE_READ,)

    @classmethod
    def made(cls, client_file: Path, endpoint: str, clock: Clock) -> Self:
        source = cls(GoogleOptions(credentials=str(client_file), endpoint=endpoint))
        source.clock = clock
        return source

    def wanted_scopes(self) -> tuple[str, ...]:
        return self.scopes

    def opened(self, store: Any, directory: Path) -> Self:
        self.open(RunContext(cache=directory, scratch=directory, profile="mine", credentials=store))
        return self

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        return iter(())

    def inventory(self) -> Inventory:
        raise NotImplementedError

    def fetch(self, item: MediaItem, into: Sink) -> None:
        raise NotImplementedError

    def albums(self) -> Iterator[Album]:
        return iter(())
