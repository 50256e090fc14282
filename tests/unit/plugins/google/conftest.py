"""An emulated Google on a loopback address, a clock that moves only when it is told to, and a user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from syncengine.testing.google.emulator import GoogleEmulator
from tests.unit.plugins.google.people import FakeClock, MemoryStore, PhotoSource, User
from tests.unit.plugins.google.scripted import ScriptedServer


@pytest.fixture
def emulator() -> Iterator[GoogleEmulator]:
    google = GoogleEmulator().start()
    yield google
    google.stop()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def clock(emulator) -> FakeClock:
    return FakeClock(emulator.clock)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def user() -> Iterator[User]:
    person = User()
    yield person
    person.rest()


@pytest.fixture
def client_file(tmp_path: Path, emulator) -> Path:
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(emulator.client_config()))
    return path


@pytest.fixture
def source(emulator, clock, client_file) -> Iterator[PhotoSource]:
    made = PhotoSource.made(client_file, emulator.url, clock)
    yield made
    made.close()


@pytest.fixture
def signed_in(source, store, user) -> SimpleNamespace:
    """A source whose user has signed in."""
    source.sign_in(store, user)
    return SimpleNamespace(source=source, store=store)
