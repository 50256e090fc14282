"""What a verification finds, on a destination in memory and on a disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pytest

from syncengine.api import AlbumRef, Destination, FatalError, ItemError
from syncengine.engine.verification import reading
from syncengine.engine.verification.findings import FindingKind
from syncengine.testing.faults import Faults, FaultyDestination
from tests.unit.engine.photos import ROME, Stamp, photo
from tests.unit.engine.test_run_odd_items import on_disk

PLACE = "photos/2019/05"


def kinds(found):
    return {finding.path: finding.kind.value for finding in found.findings}


def fill(backup, count=6):
    on_disk(backup)
    for number in range(count):
        backup.library.add(photo(f"{number}.jpg", albums=(ROME,) if number < 2 else ()), b"bytes of %d" % number)
    assert backup.run().complete


def disk(backup, path):
    return backup.directory / "disk" / path


def test_all_is_well_after_a_run_with_originals_sidecars_albums_and_metadata(backup, verified):
    backup.transforms = (Stamp(keep=True, extension=".png"),)
    backup.metadata = ("json", "xmp")
    fill(backup)
    found = verified()
    assert (found.ended, found.findings, found.notes) == ("completed", [], ())
    assert (found.recorded, found.checked, found.intact, found.is_proof) == (18, 18, 18, True)
    assert found.bytes_read == sum(len(content) for content in backup.files().values())
    assert not (backup.directory / "verify.jsonl").exists()


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_all_is_well_in_memory_too(backup, verified, place):
    backup.library.add(photo("a.jpg", albums=(ROME, AlbumRef("p", "Paris"))), b"a")
    if place == "disk":
        on_disk(backup)
    backup.run()
    assert verified().is_proof


def test_each_kind_of_damage_is_told_from_the_others(backup, verified):
    fill(backup)
    disk(backup, f"{PLACE}/0.jpg").write_bytes(b"bytes of X")
    disk(backup, f"{PLACE}/1.jpg").write_bytes(b"bytes")
    disk(backup, f"{PLACE}/2.jpg").write_bytes(b"bytes of 2 and more")
    disk(backup, f"{PLACE}/3.jpg").unlink()
    disk(backup, f"{PLACE}/4.jpg").rename(disk(backup, f"{PLACE}/holiday.jpg"))
    disk(backup, "photos/alien.txt").write_text("x")
    disk(backup, f"{PLACE}/.DS_Store").write_text("x")
    found = verified()
    assert kinds(found) == {
        f"{PLACE}/0.jpg": "flipped",
        f"{PLACE}/1.jpg": "truncated",
        f"{PLACE}/2.jpg": "grown",
        f"{PLACE}/3.jpg": "missing",
        f"{PLACE}/4.jpg": "renamed",
        f"{PLACE}/.DS_Store": "extra",
        "photos/alien.txt": "extra",
    }
    assert (found.checked, found.intact, found.is_proof) == (6, 1, False)
    (renamed,) = (finding for finding in found.findings if finding.kind is FindingKind.RENAMED)
    assert renamed.found_at == f"{PLACE}/holiday.jpg"
    assert [finding.path for finding in found.findings if not finding.is_open] == [f"{PLACE}/.DS_Store"]


def test_what_other_programs_leave_is_no_reason_to_worry(backup, verified):
    fill(backup)
    (disk(backup, PLACE) / "@eaDir").mkdir()
    (disk(backup, PLACE) / "@eaDir" / "thumb.jpg").write_bytes(b"x")
    found = verified()
    assert kinds(found) == {f"{PLACE}/@eaDir/thumb.jpg": "extra"}
    assert found.is_proof


def test_a_link_or_a_pipe_in_the_place_of_a_file_is_not_followed_nor_waited_for(backup, verified, tmp_path):
    fill(backup)
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(b"bytes of 2")
    disk(backup, f"{PLACE}/2.jpg").unlink()
    disk(backup, f"{PLACE}/2.jpg").symlink_to(outside)
    disk(backup, f"{PLACE}/3.jpg").unlink()
    os.mkfifo(disk(backup, f"{PLACE}/3.jpg"))
    found = verified()
    assert kinds(found) == {f"{PLACE}/2.jpg": "missing", f"{PLACE}/3.jpg": "missing"}


def test_a_folder_that_became_a_link_is_not_followed(backup, verified, tmp_path):
    fill(backup)
    disk(backup, "photos").rename(tmp_path / "elsewhere")
    disk(backup, "photos").symlink_to(tmp_path / "elsewhere")
    backup.destination.close()
    backup.destination.open()
    found = verified()
    assert set(kinds(found).values()) == {"unreadable"}
    assert len(found.findings) == 6


def test_the_papers_are_looked_at(backup, verified):
    backup.metadata = ("json", "xmp")
    fill(backup)
    disk(backup, f"metadata/{PLACE}/0.jpg.json").write_text("{")
    disk(backup, f"metadata/{PLACE}/1.jpg.json").unlink()
    other = backup.document(f"{PLACE}/3.jpg")
    disk(backup, f"metadata/{PLACE}/2.jpg.json").write_bytes(msgspec.json.encode(other))
    disk(backup, f"{PLACE}/3.jpg.xmp").write_text("edited by another program")
    disk(backup, "metadata/checksums.sha256").write_text("")
    disk(backup, "metadata/notes.txt").write_text("mine")
    found = verified()
    assert kinds(found) == {
        f"metadata/{PLACE}/0.jpg.json": "metadata",
        f"metadata/{PLACE}/1.jpg.json": "metadata",
        f"metadata/{PLACE}/2.jpg.json": "metadata",
        f"{PLACE}/3.jpg.xmp": "flipped",
        "metadata/checksums.sha256": "checksums",
        "metadata/notes.txt": "extra",
    }
    assert found.intact == found.recorded - 1


@pytest.mark.parametrize("style", ["hardlink", "copy"])
def test_the_albums_are_looked_at(backup, verified, style):
    backup.albums = style
    fill(backup)
    assert verified().is_proof
    disk(backup, "albums/Rome/0.jpg").unlink()
    disk(backup, "albums/Rome/1.jpg").unlink()
    disk(backup, "albums/Rome/1.jpg").write_bytes(b"another's")
    disk(backup, "albums/Rome/mine.txt").write_text("x")
    paper = msgspec.json.decode(backup.read("albums/Rome/album.json"))
    disk(backup, "albums/Rome/album.json").write_bytes(msgspec.json.encode({**paper, "members": []}))
    found = verified()
    assert kinds(found) == {
        "albums/Rome/0.jpg": "link",
        "albums/Rome/1.jpg": "link",
        "albums/Rome/album.json": "metadata",
        "albums/Rome/mine.txt": "extra",
    }
    reasons = [finding.reason for finding in found.findings if finding.kind is FindingKind.LINK]
    assert reasons == [
        f"it is no link to {PLACE}/0.jpg: there is no file of that name",
        f"it is no link to {PLACE}/1.jpg: another file is there",
    ]


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_symbolic_links_in_albums_are_looked_at(backup, verified, place):
    backup.albums = "symlink"
    if place == "disk":
        on_disk(backup)
    for number in range(3):
        backup.library.add(photo(f"{number}.jpg", albums=(ROME,)), b"bytes of %d" % number)
    backup.run()
    assert verified().is_proof
    backup.destination.remove("albums/Rome/0.jpg")
    backup.destination.remove("albums/Rome/1.jpg")
    backup.destination.link(f"{PLACE}/2.jpg", "albums/Rome/1.jpg", kind="symlink")
    assert kinds(verified()) == {"albums/Rome/0.jpg": "link", "albums/Rome/1.jpg": "link"}


def test_a_link_that_leads_out_is_not_the_photos(backup, verified, tmp_path):
    backup.albums = "symlink"
    fill(backup)
    (tmp_path / "0.jpg").write_bytes(b"bytes of 0")
    for target in (tmp_path / "0.jpg", "../../../0.jpg", "../../disk/../../0.jpg"):
        disk(backup, "albums/Rome/0.jpg").unlink()
        disk(backup, "albums/Rome/0.jpg").symlink_to(target)
        assert kinds(verified()) == {"albums/Rome/0.jpg": "link"}


def test_folders_that_became_links_are_not_followed_and_hide_nothing_else(backup, verified, tmp_path):
    fill(backup)
    disk(backup, f"{PLACE}/5.jpg").unlink()
    for name in ("albums/Rome", "metadata/photos/2019"):
        disk(backup, name).rename(tmp_path / name.replace("/", "-"))
        disk(backup, name).symlink_to(tmp_path / name.replace("/", "-"))
    backup.destination.close()
    backup.destination.open()
    found = verified()
    assert found.ended == "completed"
    assert kinds(found) == {
        f"{PLACE}/5.jpg": "missing",
        "albums/Rome/album.json": "metadata",
        "albums/Rome/0.jpg": "link",
        "albums/Rome/1.jpg": "link",
        **{f"metadata/{PLACE}/{number}.jpg.json": "metadata" for number in range(6)},
    }


def test_what_could_not_be_looked_at_is_said(backup, verified):
    class Closed(FaultyDestination):
        def list(self, prefix: str) -> Any:
            if prefix in ("albums", "albums/Rome"):
                raise ItemError("no permission for albums")
            return super().list(prefix)

    fill(backup)
    found = verified(destination=Closed(backup.destination, Faults(())), albums="none")
    assert found.notes == ("not all of albums was looked at for files that nobody recorded: no permission for albums",)


def test_where_albums_are_only_lists_no_links_are_missed(backup, verified):
    backup.albums = "manifest"
    fill(backup)
    assert verified().is_proof
    disk(backup, "albums/Rome/album.json").unlink()
    assert kinds(verified()) == {"albums/Rome/album.json": "metadata"}


def test_a_damaged_file_with_a_hard_link_is_damaged_once(backup, verified):
    fill(backup)
    disk(backup, f"{PLACE}/0.jpg").write_bytes(b"bytes of X")
    assert kinds(verified()) == {f"{PLACE}/0.jpg": "flipped"}


def test_a_name_that_nobody_should_have_given_is_only_an_extra(backup, verified):
    fill(backup)
    disk(backup, "photos/a\\nb\n\x1b[31m.jpg").write_bytes(b"")
    (disk(backup, "photos") / os.fsdecode(b"\xff.jpg")).write_bytes(b"")
    assert len(verified().findings) == 2


def test_a_layout_without_folders_looks_at_its_own_files_only(backup, verified):
    backup.layout = "{name}"
    fill(backup)
    disk(backup, "other").mkdir()
    disk(backup, "other/mine.txt").write_text("x")
    disk(backup, "mine.txt").write_text("x")
    assert kinds(verified()) == {"mine.txt": "extra"}


class Unreadable(FaultyDestination):
    """Gives an error in the middle of one file, or refuses to open it."""

    def __init__(self, inner: Destination[Any], name: str, error: Exception, *, on_open: bool = False) -> None:
        super().__init__(inner, Faults(()))
        self._name, self._error, self._on_open = name, error, on_open

    def read(self, path: str) -> BinaryIO:
        stream = super().read(path)
        if not path.endswith(self._name):
            return stream
        stream.close()
        if self._on_open:
            raise self._error
        return _Broken(self._error)  # type: ignore[return-value]  # as much of a stream as it takes


class _Broken:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, size: int) -> bytes:
        raise self._error

    def __enter__(self) -> _Broken:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""


def lost_bytes() -> FatalError:
    error = FatalError("the destination reports a read error")
    error.__cause__ = OSError(errno.EIO, "I/O error")
    return error


@pytest.mark.parametrize(
    ("error", "on_open", "is_refused"),
    [
        (OSError(errno.EIO, "I/O error"), False, False),
        (lost_bytes(), True, False),
        (ItemError("no permission"), True, True),
    ],
    ids=["while reading", "on opening", "no permission"],
)
def test_a_file_that_cannot_be_read_does_not_hide_the_others(backup, verified, error, on_open, is_refused):
    fill(backup)
    disk(backup, f"{PLACE}/5.jpg").unlink()
    found = verified(destination=Unreadable(backup.destination, "05/3.jpg", error, on_open=on_open))
    assert kinds(found) == {f"{PLACE}/3.jpg": "unreadable", f"{PLACE}/5.jpg": "missing"}
    assert next(finding.is_refused for finding in found.findings if finding.kind == "unreadable") == is_refused


def test_a_destination_that_goes_away_ends_it_and_nothing_is_called_missing(backup, verified):
    fill(backup)
    found = verified(
        destination=Unreadable(
            backup.destination, "05/3.jpg", FatalError("it went away", advice="mount it"), on_open=True
        )
    )
    assert (found.ended, found.reason, found.findings) == ("stopped", "it went away; mount it", [])
    assert not found.is_proof


@pytest.mark.parametrize("told", [1, 4, 1000])
def test_large_files_are_told_while_they_are_read(backup, verified, watched, monkeypatch, told):
    monkeypatch.setattr(reading, "_CHUNK", 1)
    monkeypatch.setattr(reading, "_TOLD", told)
    on_disk(backup)
    backup.library.add(photo("a.jpg"), b"of ten or more bytes")
    backup.run()
    found = verified(threads=1)
    assert (watched.read, found.bytes_read) == (20, 20)


def test_nothing_is_read_twice(backup, verified):
    backup.albums = "manifest"
    fill(backup)
    opened: list[str] = []

    class Counting(FaultyDestination):
        def read(self, path: str) -> BinaryIO:
            opened.append(path)
            return super().read(path)

    verified(destination=Counting(backup.destination, Faults(())))
    media = [path for path in opened if path.startswith("photos/")]
    assert sorted(set(media)) == sorted(media)
    assert len(media) == 6


def test_memory_files_of_other_profiles_owe_no_metadata(backup, verified):
    backup.metadata = ()
    fill(backup)
    assert verified(profile="other", metadata=("json",), albums="none").is_proof
    found = verified(metadata=("json",))
    assert [finding.kind.value for finding in found.findings] == ["metadata"] * 6


def test_nothing_is_written_to_the_destination(backup, verified):
    fill(backup)
    disk(backup, f"{PLACE}/3.jpg").unlink()
    before = {path: path.stat().st_mtime_ns for path in Path(backup.directory / "disk").rglob("*")}
    verified()
    assert {path: path.stat().st_mtime_ns for path in Path(backup.directory / "disk").rglob("*")} == before
