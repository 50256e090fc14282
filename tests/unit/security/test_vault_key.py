"""Where the vault's key comes from, and how it is changed."""

from __future__ import annotations

import base64
import contextlib
import os
from pathlib import Path

import msgspec
import pytest

from syncengine.errors import FatalError
from syncengine.security import envelope, passphrase, private_files
from syncengine.security.passphrase import Stretching
from syncengine.security.vault import Vault
from syncengine.security.vault_key import Origin, VaultKey

SECRET = b"1//0secret"
ENTRY = "mine@google"


def key(number: int) -> str:
    return base64.b64encode(bytes([number]) * 32).decode()


@pytest.fixture(autouse=True)
def _quick_scrypt(monkeypatch):
    monkeypatch.setattr(passphrase, "Stretching", QuickStretching)


class QuickStretching(Stretching, frozen=True, kw_only=True):
    """The least cost that is still accepted."""

    n: int = 1 << 14


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


def origin_of(state: Path, entry: str = ENTRY) -> Origin:
    return Origin(envelope.header_of((state / f"vault/{entry}.sealed").read_bytes()).origin)


def sources(tmp_path: Path) -> dict[str, str]:
    """Every source of a key at once, each with another key."""
    credentials = tmp_path / "credentials"
    credentials.mkdir(exist_ok=True)
    (credentials / "syncengine.key").write_text(key(3))
    named = tmp_path / "named.key"
    named.write_text(key(2) + "\n")
    named.chmod(0o600)
    return {
        "SYNCENGINE_KEY": key(1),
        "SYNCENGINE_KEY_FILE": str(named),
        "CREDENTIALS_DIRECTORY": str(credentials),
        "SYNCENGINE_PASSPHRASE": "correct horse battery",
    }


def test_what_is_named_most_directly_seals(state, tmp_path):
    environ = sources(tmp_path)
    found = []
    for name in (*environ, None):
        Vault(state, environ).save(ENTRY, SECRET)
        assert Vault(state, environ).load(ENTRY) == SECRET
        found.append(origin_of(state))
        (state / f"vault/{ENTRY}.sealed").unlink()
        environ.pop(name, None)
    assert found == [Origin.VARIABLE, Origin.FILE, Origin.CREDENTIAL, Origin.PASSPHRASE, Origin.FILE]
    assert (state / "vault.key").exists()


def test_empty_variables_count_as_missing(state):
    environ = dict.fromkeys(
        (
            "SYNCENGINE_KEY",
            "SYNCENGINE_KEY_FILE",
            "SYNCENGINE_PASSPHRASE",
            "CREDENTIALS_DIRECTORY",
            "SYNCENGINE_OLD_KEY",
        ),
        "",
    )
    Vault(state, environ).save(ENTRY, SECRET)
    assert origin_of(state) == Origin.FILE


def test_a_key_may_move(state, tmp_path):
    Vault(state, {}).save(ENTRY, SECRET)
    moved = (state / "vault.key").read_text()
    (state / "vault.key").unlink()
    assert Vault(state, {"SYNCENGINE_KEY": moved}).load(ENTRY) == SECRET
    assert Vault(state, {"SYNCENGINE_OLD_KEY": moved}).load(ENTRY) == SECRET


def test_both_alphabets_of_base64_are_keys(state):
    text = base64.b64encode(b"\xfb\xff" * 16).decode()
    Vault(state, {"SYNCENGINE_KEY": text}).save(ENTRY, SECRET)
    assert Vault(state, {"SYNCENGINE_KEY": text.replace("+", "-").replace("/", "_")}).load(ENTRY) == SECRET


@pytest.mark.parametrize("text", ["short", "x" * 44, key(1)[:-4], key(1) + "AAAA", "ключ", "!" * 44, "A" * 5000])
@pytest.mark.parametrize("where", ["variable", "file", "credential"])
def test_what_is_no_key_is_explained_without_being_shown(state, tmp_path, text, where):
    path = tmp_path / "syncengine.key"
    path.write_text(text)
    path.chmod(0o600)
    environ = {
        "variable": {"SYNCENGINE_KEY": text},
        "file": {"SYNCENGINE_KEY_FILE": str(path)},
        "credential": {"CREDENTIALS_DIRECTORY": str(tmp_path)},
    }[where]
    with pytest.raises(FatalError, match="holds no key") as caught:
        Vault(state, environ).save(ENTRY, SECRET)
    assert text not in str(caught.value)
    assert "openssl rand -base64 32" in caught.value.advice


def test_a_key_file_is_made_once_and_for_the_owner_alone(state, tmp_path):
    path = tmp_path / "named.key"
    environ = {"SYNCENGINE_KEY_FILE": str(path)}
    Vault(state, environ).save(ENTRY, SECRET)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    Vault(state, environ).save("other@google", SECRET)
    assert path.read_bytes() == before
    assert len(base64.b64decode(before)) == 32
    assert not private_files.create(path, b"another")
    assert path.read_bytes() == before


def test_a_key_file_where_none_can_be(state, tmp_path):
    with pytest.raises(FatalError, match="cannot be used"):
        Vault(state, {"SYNCENGINE_KEY_FILE": str(tmp_path / "missing" / "key")}).save(ENTRY, SECRET)


def test_a_passphrase_opens_and_another_does_not(state):
    Vault(state, {"SYNCENGINE_PASSPHRASE": "correct hörse"}).save(ENTRY, SECRET)
    decomposed = "correct ho\u0308rse"
    assert Vault(state, {"SYNCENGINE_PASSPHRASE": decomposed}).load(ENTRY) == SECRET
    with pytest.raises(FatalError, match="the passphrase in SYNCENGINE_PASSPHRASE, which is missing or has changed"):
        Vault(state, {"SYNCENGINE_PASSPHRASE": "wrong horse!"}).load(ENTRY)


def test_a_passphrase_that_is_too_short(state):
    with pytest.raises(FatalError, match="too short") as caught:
        Vault(state, {"SYNCENGINE_PASSPHRASE": "horse"}).save(ENTRY, SECRET)
    assert "horse" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"garbage",
        b'{"salt": "AAAA"}',
        msgspec.json.encode(Stretching(salt=b"s" * 32, n=1 << 30)),
        msgspec.json.encode(Stretching(salt=b"s" * 32, n=(1 << 16) + 1)),
        msgspec.json.encode(Stretching(salt=b"s" * 32, r=10_000)),
        msgspec.json.encode(Stretching(salt=b"s" * 32, n=2)),
        msgspec.json.encode(Stretching(salt=b"s" * 32, version=2)),
    ],
)
def test_a_salt_file_that_cannot_be_followed(state, content):
    environ = {"SYNCENGINE_PASSPHRASE": "correct horse"}
    Vault(state, environ).save(ENTRY, SECRET)
    path = state / "vault/passphrase.json"
    path.unlink()
    if content is not None:
        private_files.create(path, content)
    with pytest.raises(FatalError, match=r"missing or damaged|newer syncengine"):
        Vault(state, environ).load(ENTRY)


def test_scrypt_is_as_costly_as_it_is_said_to_be():
    usual = Stretching(salt=b"s" * 32)
    assert usual.n * usual.r * 128 == 64 << 20
    assert usual.is_sane


def test_rekeying_a_key_file(state):
    vault = Vault(state, {})
    vault.save(ENTRY, SECRET)
    vault.save("other@google", SECRET)
    before = (state / "vault.key").read_bytes()
    done = vault.rekey()
    assert done.entries == 2
    assert done.advice == ()
    assert (state / "vault.key").read_bytes() != before
    assert not (state / "vault.key.next").exists()
    assert Vault(state, {}).load(ENTRY) == Vault(state, {}).load("other@google") == SECRET
    assert Vault(state, {"SYNCENGINE_OLD_KEY": before.decode()}).load(ENTRY) == SECRET
    (state / "vault.key").unlink()
    with pytest.raises(FatalError):
        Vault(state, {"SYNCENGINE_OLD_KEY": before.decode()}).load(ENTRY)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"SYNCENGINE_KEY": key(1)}, {"SYNCENGINE_KEY": key(2), "SYNCENGINE_OLD_KEY": key(1)}),
        ({}, {"SYNCENGINE_KEY": key(2)}),
        ({"SYNCENGINE_KEY": key(1)}, {"SYNCENGINE_OLD_KEY": key(1)}),
        (
            {"SYNCENGINE_PASSPHRASE": "correct horse"},
            {"SYNCENGINE_PASSPHRASE": "battery staple", "SYNCENGINE_OLD_PASSPHRASE": "correct horse"},
        ),
        ({}, {"SYNCENGINE_PASSPHRASE": "battery staple"}),
        ({"SYNCENGINE_PASSPHRASE": "correct horse"}, {"SYNCENGINE_OLD_PASSPHRASE": "correct horse"}),
    ],
)
def test_rekeying_from_anything_to_anything(state, before, after):
    Vault(state, before).save(ENTRY, SECRET)
    done = Vault(state, after).rekey()
    assert done.entries == 1
    kept = {name: value for name, value in after.items() if "OLD" not in name}
    if kept:
        (state / "vault.key").unlink(missing_ok=True)
    assert Vault(state, kept).load(ENTRY) == SECRET
    assert all("take it out" in line or "remove it" in line for line in done.advice)
    assert len(done.advice) == 1


def test_rekeying_with_the_same_key_says_how_to_change_it(state):
    vault = Vault(state, {"SYNCENGINE_KEY": key(1)})
    vault.save(ENTRY, SECRET)
    done = vault.rekey()
    assert done.entries == 0
    assert "SYNCENGINE_OLD_KEY" in done.advice[0]


def test_rekeying_changes_nothing_when_one_entry_cannot_be_opened(state):
    Vault(state, {"SYNCENGINE_KEY": key(9)}).save("another@google", SECRET)
    Vault(state, {"SYNCENGINE_KEY": key(1)}).save(ENTRY, SECRET)
    before = {path: path.read_bytes() for path in (state / "vault").glob("*.sealed")}
    with pytest.raises(FatalError, match="the sign-in of profile another"):
        Vault(state, {"SYNCENGINE_KEY": key(2), "SYNCENGINE_OLD_KEY": key(1)}).rekey()
    assert {path: path.read_bytes() for path in (state / "vault").glob("*.sealed")} == before


@pytest.mark.parametrize("environ", [{}, {"SYNCENGINE_KEY": key(2), "SYNCENGINE_OLD_KEY": key(1)}])
@pytest.mark.parametrize("steps", range(8))
def test_rekeying_may_be_cut_at_any_point(state, monkeypatch, environ, steps):
    before = {"SYNCENGINE_KEY": key(1)} if environ else {}
    entries = [f"profile{number}@google" for number in range(3)]
    for entry in entries:
        Vault(state, before).save(entry, SECRET)
    left = [steps]

    class PowerCutError(Exception):
        pass

    def counting(real):
        def step(*args: object) -> object:
            if left[0] == 0:
                raise PowerCutError
            left[0] -= 1
            return real(*args)

        return step

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", counting(Path.replace))
        patched.setattr(os, "link", counting(os.link))
        with contextlib.suppress(PowerCutError):
            Vault(state, environ).rekey()
    assert [Vault(state, environ).load(entry) for entry in entries] == [SECRET] * 3
    Vault(state, environ).rekey()
    assert [Vault(state, environ).load(entry) for entry in entries] == [SECRET] * 3
    final = {name: value for name, value in environ.items() if name == "SYNCENGINE_KEY"}
    assert [Vault(state, final).load(entry) for entry in entries] == [SECRET] * 3
    assert not (state / "vault.key.next").exists()


def test_a_key_does_not_show_itself():
    secret = VaultKey(Origin.VARIABLE, b"s" * 32)
    assert "ssss" not in repr(secret)
    assert secret.id != secret.sealing[:8]
