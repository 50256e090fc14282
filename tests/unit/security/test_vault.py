"""The vault: what it keeps, how, and what it says when it cannot."""

from __future__ import annotations

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.errors import FatalError
from syncengine.security import envelope, private_files
from syncengine.security.vault import Vault, entry_name

SECRET = b'{"refresh_token": "1//0very-secret"}'


def key(number: int = 1) -> str:
    return base64.b64encode(bytes([number]) * 32).decode()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


def test_what_was_saved_is_loaded(state):
    store = Vault(state, {}).of("mine")
    assert store.load("google") is None
    store.save("google", SECRET)
    store.save("google", SECRET + b"2")
    assert Vault(state, {}).of("mine").load("google") == SECRET + b"2"
    assert Vault(state, {}).of("other").load("google") is None
    store.delete("google")
    store.delete("google")
    assert store.load("google") is None


def test_looking_makes_nothing(state):
    store = Vault(state, {}).of("mine")
    assert store.load("google") is None
    store.delete("google")
    assert Vault(state, {}).entries() == []
    assert list(state.iterdir()) == []


def test_only_the_owner_can_read_anything(state):
    before = os.umask(0)
    try:
        Vault(state, {}).of("mine").save("google", SECRET)
    finally:
        os.umask(before)
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*")}
    assert found == {"vault": 0o700, "vault.key": 0o600, "mine@google.sealed": 0o600, ".lock": 0o600}


def test_nothing_is_in_the_clear(state):
    Vault(state, {"SYNCENGINE_KEY": key()}).of("mine").save("google", SECRET)
    assert not any(b"secret" in path.read_bytes() for path in state.rglob("*") if path.is_file())


def test_the_same_secret_never_looks_the_same(state):
    vault = Vault(state, {})
    sealed = set()
    for _ in range(50):
        vault.save("mine@google", SECRET)
        sealed.add((state / "vault/mine@google.sealed").read_bytes())
    assert len(sealed) == 50


@pytest.mark.parametrize(
    "names", [("../x", "google"), ("a/b", "google"), ("", "google"), (".x", "google"), ("a", "../b"), ("a", "B"),
              ("a@b", "google"), ("a", "b@c"), ("a" * 65, "google"), ("a", ""), ("a\n", "b"), ("a\0", "b"), ("ä", "b")],
)  # fmt: skip
def test_names_lead_nowhere_else(state, names):
    profile, name = names
    store = Vault(state, {}).of(profile)
    for call in (lambda: store.load(name), lambda: store.save(name, b"x"), lambda: store.delete(name)):
        with pytest.raises(ValueError, match="do not name an entry"):
            call()
    assert list(state.parent.rglob("*.sealed")) == []


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_changed_bit_is_noticed(state, position, bit):
    vault = Vault(state, {"SYNCENGINE_KEY": key()})
    vault.save("mine@google", SECRET)
    path = state / "vault/mine@google.sealed"
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(FatalError) as caught:
        vault.load("mine@google")
    assert "mine" in caught.value.reason
    assert caught.value.advice


@pytest.mark.parametrize("size", [0, 1, 27, 43, 60])
def test_a_cut_entry_is_damaged(state, size):
    vault = Vault(state, {})
    vault.save("mine@google", SECRET)
    path = state / "vault/mine@google.sealed"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FatalError, match="is damaged") as caught:
        vault.load("mine@google")
    assert "syncengine auth login PROFILE" in caught.value.advice


def test_an_entry_in_anothers_place_is_not_opened(state):
    vault = Vault(state, {})
    vault.save("mine@google", SECRET)
    (state / "vault/mine@google.sealed").rename(state / "vault/other@google.sealed")
    with pytest.raises(FatalError, match="the sign-in of profile other is damaged"):
        vault.load("other@google")


def test_an_entry_of_a_newer_version(state):
    vault = Vault(state, {})
    vault.save("mine@google", SECRET)
    path = state / "vault/mine@google.sealed"
    path.write_bytes(path.read_bytes().replace(b"SEV1", b"SEV2"))
    with pytest.raises(FatalError, match="newer syncengine"):
        vault.load("mine@google")


def test_another_key(state):
    Vault(state, {"SYNCENGINE_KEY": key(1)}).save("mine@google", SECRET)
    for environ in ({"SYNCENGINE_KEY": key(2)}, {}):
        with pytest.raises(FatalError, match="encrypted with the key in SYNCENGINE_KEY, which is missing") as caught:
            Vault(state, environ).load("mine@google")
        assert "put that key back" in caught.value.advice


def test_a_lost_key_file_is_not_replaced_by_a_new_one(state):
    vault = Vault(state, {})
    vault.save("mine@google", SECRET)
    (state / "vault.key").unlink()
    with pytest.raises(FatalError, match="a key file"):
        vault.load("mine@google")
    with pytest.raises(FatalError, match=r"vault.key is missing, and 1 sign-ins need another key"):
        vault.save("other@google", SECRET)
    assert not (state / "vault.key").exists()


@pytest.mark.parametrize(
    ("path", "mode", "advice"),
    [
        ("vault", 0o755, "chmod 700"),
        ("vault", 0o710, "chmod 700"),
        ("vault/mine@google.sealed", 0o640, "chmod 600"),
        ("vault/mine@google.sealed", 0o604, "chmod 600"),
        ("vault.key", 0o644, "chmod 600"),
    ],
)
def test_what_others_can_open_is_refused(state, path, mode, advice):
    vault = Vault(state, {})
    vault.save("mine@google", SECRET)
    (state / path).chmod(mode)
    with pytest.raises(FatalError, match="open to other users") as caught:
        vault.load("mine@google")
    assert advice in caught.value.advice
    assert str(state / path) in caught.value.advice


def test_a_pipe_in_place_of_an_entry_does_not_block(state):
    vault = Vault(state, {})
    vault.save("mine@google", SECRET)
    path = state / "vault/mine@google.sealed"
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(FatalError, match="no regular file"):
        vault.load("mine@google")


def test_a_crash_while_writing_leaves_the_old_entry(state, monkeypatch):
    vault = Vault(state, {})
    vault.save("mine@google", SECRET)

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FatalError, match="No space left on device"):
        vault.save("mine@google", b"new")
    monkeypatch.undo()
    assert vault.load("mine@google") == SECRET
    assert sorted(path.name for path in (state / "vault").iterdir()) == [".lock", "mine@google.sealed"]


def test_what_a_killed_writer_left_is_cleared_away(state):
    vault = Vault(state, {})
    vault.save("mine@google", SECRET)
    (state / "vault" / f"{private_files.TEMPORARY}0123").write_bytes(b"half")
    vault.save("mine@google", SECRET)
    assert sorted(path.name for path in (state / "vault").iterdir()) == [".lock", "mine@google.sealed"]


def test_everything_is_durable_before_save_returns(state, monkeypatch):
    vault = Vault(state, {})
    vault.save("mine@google", SECRET)
    synced = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name.partition("-")[0])
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    vault.save("mine@google", SECRET)
    assert synced == [".writing", "vault"]


def test_many_threads_at_once(state):
    vault = Vault(state, {})

    def work(number: int) -> bytes | None:
        own = Vault(state, {}) if number % 2 else vault
        own.save("mine@google", SECRET + str(number).encode())
        return own.load("mine@google")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(24)))
    assert all(content is not None and content.startswith(SECRET) for content in found)


def test_a_secret_may_be_large_but_not_endless(state):
    vault = Vault(state, {})
    vault.save("mine@google", b"x" * envelope.LARGEST)
    assert vault.load("mine@google") == b"x" * envelope.LARGEST
    with pytest.raises(ValueError, match="at most"):
        vault.save("mine@google", b"x" * (envelope.LARGEST + 1))


def test_entry_names_are_unambiguous():
    assert entry_name("a.b-c_D", "google") == "a.b-c_D@google"
