from __future__ import annotations

from pathlib import Path

import pytest

from syncengine.config import text
from syncengine.config.text import read_text
from syncengine.errors import ConfigError


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "p.yaml: empty; a profile needs at least version, source and destination"),
        (b" \n\t\n", "p.yaml: empty; a profile needs at least version, source and destination"),
        (b"\xef\xbb\xbf", "p.yaml: empty; a profile needs at least version, source and destination"),
        (b"version: 1\nname: caf\xe9\n", "p.yaml:2:10: not UTF-8 (byte 0xe9); save it as UTF-8"),
        ("version: 1\n".encode("utf-16"), "p.yaml: written in UTF-16 or UTF-32; save it as UTF-8"),
        (b"PK\x03\x04\0\0", "p.yaml: a binary file, not a YAML profile"),
        (b"#" * ((1 << 20) + 1), "p.yaml: larger than 1 MiB; this is no profile"),
    ],
)
def test_a_file_that_is_no_text_is_refused(
    content: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_text(Path("p.yaml"))
    assert str(caught.value) == says


def test_what_is_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("profiles").mkdir()
    for name, says in [
        ("missing.yaml", "missing.yaml: no such file"),
        ("profiles", "profiles: a directory; name the YAML file in it"),
        ("a\0b", "a\0b: not a file name"),
        ("x" * 300, "x" * 300 + ": cannot be read: File name too long"),
    ]:
        with pytest.raises(ConfigError) as caught:
            read_text(Path(name))
        assert str(caught.value) == says


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match="may not be read by this user"):
        text.read_text(tmp_path / "p.yaml")


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(b"\xef\xbb\xbfversion: 1\r\n")
    assert read_text(file) == "version: 1\r\n"
