"""Parts that were there once."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncengine_plugins.sources.takeout.known_exports import KnownExports

_STAMP = "takeout-20250101T000000Z"
_OTHER = "takeout-20260101T000000Z"


def _missing(cache: Path, *names: str) -> tuple[str, ...]:
    return KnownExports(cache).missing(names)


def test_a_last_part_that_left_is_missing_until_it_is_back(tmp_path: Path) -> None:
    assert _missing(tmp_path, f"{_STAMP}-1-001.zip", f"{_STAMP}-1-002.zip") == ()
    for _ in range(2):
        (said,) = _missing(tmp_path, f"{_STAMP}-1-001.zip")
        assert said.startswith(f"{_STAMP}-1-002.zip: it was here before")
    assert _missing(tmp_path, f"{_STAMP}-1-001.zip", f"{_STAMP}-1-002.tgz") == ()


def test_an_export_that_left_as_a_whole_is_not_missed(tmp_path: Path) -> None:
    _missing(tmp_path, f"{_STAMP}-001.zip", f"{_OTHER}-001.zip", f"{_OTHER}-002.zip")
    assert _missing(tmp_path, f"{_OTHER}-001.zip", f"{_OTHER}-002.zip") == ()
    assert _missing(tmp_path) == ()


def test_each_export_and_batch_has_its_own_last_part(tmp_path: Path) -> None:
    _missing(tmp_path, f"{_STAMP}-1-001.zip", f"{_STAMP}-3-001.zip", f"{_STAMP}-3-002.zip")
    assert len(_missing(tmp_path, f"{_STAMP}-1-001.zip", f"{_STAMP}-3-001.zip")) == 1


@pytest.mark.parametrize("harm", [b"", b"{", b"[]", b'{"a": 1}', b"\xff"])
def test_a_damaged_memory_is_made_anew(tmp_path: Path, harm: bytes) -> None:
    (tmp_path / "exports.json").write_bytes(harm)
    assert _missing(tmp_path, f"{_STAMP}-002.zip") == ()
    assert len(_missing(tmp_path, f"{_STAMP}-001.zip")) == 1
