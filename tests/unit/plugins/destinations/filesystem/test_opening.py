from __future__ import annotations

import errno
import json
import os
import unicodedata
import uuid
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import FatalError, Registry
from syncengine_plugins.destinations import filesystem
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions


def made(path: Path | str) -> FilesystemDestination:
    return FilesystemDestination(FilesystemOptions(path=str(path)))


def opened(path: Path | str) -> FilesystemDestination:
    destination = made(path)
    destination.open()
    return destination


def refused(path: Path | str, match: str) -> FatalError:
    with pytest.raises(FatalError, match=match) as caught:
        made(path).open()
    assert caught.value.advice
    return caught.value


def test_it_registers_itself() -> None:
    registry = Registry()
    filesystem.syncengine_register(registry)
    assert registry.get("destination", "filesystem") is FilesystemDestination


def test_a_home_directory_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert made("~/backup").location == str(tmp_path / "backup")


def test_a_relative_path_outlives_a_change_of_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    destination = made("backup")
    monkeypatch.chdir("/")
    destination.open()
    destination.close()
    assert (tmp_path / "backup/.syncengine/format.json").is_file()


def test_what_is_not_mounted_is_not_filled(tmp_path: Path) -> None:
    error = refused(tmp_path / "mnt" / "nas", "nor does")
    assert "mount" in error.advice
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_root(root: Path) -> None:
    root.write_bytes(b"a file")
    refused(root, "is not a directory")


def test_a_root_below_a_file_is_refused(root: Path) -> None:
    root.write_bytes(b"a file")
    refused(root / "below", "is not a directory")


def test_the_root_itself_may_be_a_link(tmp_path: Path, root: Path) -> None:
    (tmp_path / "disk").mkdir()
    root.symlink_to(tmp_path / "disk")
    opened(root).close()
    assert (tmp_path / "disk/.syncengine/format.json").is_file()


def test_a_link_in_place_of_syncengines_own_directory_is_refused(tmp_path: Path, root: Path) -> None:
    root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (root / ".syncengine").symlink_to(tmp_path / "elsewhere")
    refused(root, "no directory")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_format_is_written_once(root: Path) -> None:
    first = opened(root)
    text = (root / ".syncengine/format.json").read_text()
    first.close()
    assert json.loads(text) == {"format": 1, "id": first_id(text), "made_by": "syncengine destination.filesystem"}
    second = opened(root)
    assert second.identity == first_id(text)
    assert (root / ".syncengine/format.json").read_text() == text
    second.close()


def first_id(text: str) -> str:
    found = json.loads(text)["id"]
    assert len(found) == 36
    return str(found)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "id": ""}', '{"format": "1", "id": "x"}', "\0" * 200],
)
def test_a_damaged_format_is_never_a_new_identity(root: Path, text: str) -> None:
    file = root / ".syncengine/format.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    refused(root, "format.json is damaged")
    assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]


def test_a_format_that_is_a_link_or_a_pipe_is_not_read(tmp_path: Path, root: Path) -> None:
    file = root / ".syncengine/format.json"
    file.parent.mkdir(parents=True)
    (tmp_path / "other.json").write_text('{"format": 1, "id": "of another"}')
    file.symlink_to(tmp_path / "other.json")
    refused(root, "cannot be used")
    file.unlink()
    os.mkfifo(file)
    refused(root, "format.json is damaged")


def test_unknown_fields_of_a_known_format_are_left_alone(root: Path) -> None:
    file = root / ".syncengine/format.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"format": 1, "id": "mine", "later": true}')
    destination = opened(root)
    assert destination.identity == "mine"
    destination.close()
    assert file.read_text() == '{"format": 1, "id": "mine", "later": true}'


def test_a_newer_format_is_left_as_it_is(root: Path) -> None:
    file = root / ".syncengine/format.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"format": 2, "id": "mine"}')
    refused(root, "format 2")
    assert list(file.parent.iterdir()) == [file]


def test_two_who_open_a_new_root_at_once_agree(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = uuid.uuid4
    others: list[FilesystemDestination] = []
    calls = count(1)

    def racing() -> uuid.UUID:
        # The first names the run's directory, the second is the new identity.
        if next(calls) == 2:
            others.append(opened(root))
        return real()

    monkeypatch.setattr(uuid, "uuid4", racing)
    destination = opened(root)
    (other,) = others
    assert other.identity == destination.identity
    destination.close()
    other.close()


def test_opening_twice_keeps_the_first(destination: FilesystemDestination) -> None:
    staging = destination.staging()
    destination.open()
    assert destination.staging() == staging


def test_use_before_open_is_fatal(root: Path) -> None:
    with pytest.raises(FatalError, match="not open"):
        made(root).stat("a.jpg")


def test_capabilities_are_those_of_this_file_system(destination: FilesystemDestination) -> None:
    found = destination.capabilities
    assert found.hardlinks
    assert found.symlinks
    assert found.rename
    assert found.case_sensitive


def test_no_links_where_the_file_system_refuses(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "symlink", refuse)
    destination = opened(root)
    assert not destination.capabilities.hardlinks
    assert not destination.capabilities.symlinks
    destination.close()


def test_a_file_system_that_ignores_case_and_decomposes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lstat, listdir = os.lstat, os.listdir
    monkeypatch.setattr(os, "lstat", lambda name, **given: lstat("Second" if name == "sECOND" else name, **given))
    monkeypatch.setattr(os, "listdir", lambda fd: [unicodedata.normalize("NFD", name) for name in listdir(fd)])
    destination = opened(root)
    assert not destination.capabilities.case_sensitive
    assert destination._here.probed.decomposes
    destination.close()


@pytest.mark.parametrize(
    ("code", "match"),
    [
        (errno.EROFS, "read-only"),
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "is full"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "read or write error"),
        (errno.ESTALE, "went away"),
    ],
)
def test_a_root_that_cannot_be_written_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch, code: int, match: str
) -> None:
    opened(root).close()
    real = os.open

    def refuse(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(code, os.strerror(code))
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    error = refused(root, match)
    assert str(root) in error.reason


def test_a_root_without_permission_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir()

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(os, "open", refuse)
    refused(root, "no permission")


def test_a_failed_open_leaves_no_run_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(root).close()

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("syncengine_plugins.destinations.filesystem.opening.probe", refuse)
    refused(root, "is full")
    assert list((root / ".syncengine/tmp").iterdir()) == []


def test_free_space_is_what_an_ordinary_user_has(destination: FilesystemDestination, root: Path) -> None:
    found = os.statvfs(root)
    space = destination.free_space()
    assert space is not None
    assert abs(space - found.f_bavail * found.f_frsize) < 1 << 30


def test_free_space_is_unknown_where_nobody_says(
    destination: FilesystemDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nought:
        f_bavail = f_frsize = f_blocks = 0

    monkeypatch.setattr(os, "fstatvfs", lambda fd: Nought)
    assert destination.free_space() is None


@pytest.mark.parametrize("call", ["link", "symlink"])
def test_a_disk_that_fails_during_the_trial_is_no_disk_without_links(
    root: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(FatalError, match="read or write error"):
        FilesystemDestination(FilesystemOptions(path=str(root))).open()
