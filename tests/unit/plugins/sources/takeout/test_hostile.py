"""Archives that want to do harm, and archives that are merely broken: named, counted, and the rest goes on."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from syncengine.api import Inventory, ItemError, MediaItem, Selection
from syncengine.testing.sample_library import TakeoutBuilder, sidecar
from syncengine_plugins.sources.takeout.members import decode_name, shown, unsafe_path
from tests.unit.plugins.sources.takeout.libraries import (
    FIRST,
    PHOTOS,
    SECOND,
    TAKEN,
    YEAR,
    adds_up,
    fetched,
    listed,
    opened,
    write_tgz,
    write_zip,
)

_GOOD = (f"{PHOTOS}/{YEAR}/good.jpg", b"good")
_TGZ = FIRST.replace(".zip", ".tgz")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "parts"
    path.mkdir()
    return path


def _names(items: list[MediaItem]) -> list[str]:
    return sorted(item.name for item in items)


def _said(inventory: Inventory) -> str:
    return "\n".join((*inventory.missing, *inventory.warnings))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../evil.jpg", "leaves the archive"),
        (f"{PHOTOS}/../../../evil.jpg", "leaves the archive"),
        ("/etc/evil.jpg", "absolute"),
        ("C:/evil.jpg", "drive"),
        ("c:evil.jpg", "drive"),
        (f"{PHOTOS}\\{YEAR}\\evil.jpg", "backslash"),
        ("\\\\server\\share\\evil.jpg", "backslash"),
        ("a\0b.jpg", "NUL"),
        ("", "no name"),
    ],
)
def test_unsafe_paths(path: str, reason: str) -> None:
    assert reason in str(unsafe_path(path))


@pytest.mark.parametrize("path", ["a..b/c.jpg", "...", f"{PHOTOS}/what?.jpg", "1:1 crop.jpg", "x/.hidden"])
def test_safe_paths(path: str) -> None:
    assert unsafe_path(path) is None


@pytest.mark.parametrize("path", ["../../evil.jpg", "/evil.jpg", "C:/evil.jpg", f"{PHOTOS}\\evil.jpg"])
@pytest.mark.parametrize("form", ["zip", "tgz"])
def test_slip_is_refused(root: Path, path: str, form: str) -> None:
    builder = TakeoutBuilder()
    builder.file(f"{YEAR}/good.jpg", b"good")
    if form == "zip":
        write_zip(root / FIRST, [(path, b"evil"), _GOOD])
    else:
        with tarfile.open(root / _TGZ, "w:gz") as archive:
            for name, content in ((path, b"evil"), _GOOD):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert inventory.counts["refused"] == 1
    assert "evil.jpg: refused" in _said(inventory)
    assert inventory.complete
    assert adds_up(inventory)
    assert not list(root.parent.rglob("evil*"))


def test_links_and_devices_in_a_zip_are_refused(root: Path) -> None:
    entries = []
    for name, mode in (("link.jpg", 0o120777), ("device.jpg", 0o020666), ("pipe.jpg", 0o010666)):
        entry = zipfile.ZipInfo(f"{PHOTOS}/{YEAR}/{name}")
        entry.create_system, entry.external_attr = 3, mode << 16
        entries.append((entry, b"/etc/passwd"))
    write_zip(root / FIRST, [*entries, _GOOD])
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert inventory.counts["refused"] == 3
    assert _said(inventory).count("a link or a device") == 3


def test_links_and_devices_in_a_tgz_are_refused(root: Path) -> None:
    with tarfile.open(root / _TGZ, "w:gz") as archive:
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)):
            entry = tarfile.TarInfo(f"{PHOTOS}/{YEAR}/{number}.jpg")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        entry = tarfile.TarInfo(_GOOD[0])
        entry.size = len(_GOOD[1])
        archive.addfile(entry, io.BytesIO(_GOOD[1]))
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert inventory.counts["refused"] == 4
    assert adds_up(inventory)


def test_links_in_an_unpacked_export_are_refused(root: Path) -> None:
    folder = root / PHOTOS / YEAR
    folder.mkdir(parents=True)
    (folder / "good.jpg").write_bytes(b"good")
    (root.parent / "secret.jpg").write_bytes(b"secret")
    (folder / "link.jpg").symlink_to(root.parent / "secret.jpg")
    (folder / "folder").symlink_to(root.parent)
    os.mkfifo(folder / "pipe.jpg")
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert inventory.counts["refused"] == 3


def test_a_link_put_in_the_place_of_a_listed_file_is_not_followed(root: Path) -> None:
    folder = root / PHOTOS / YEAR
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"good")
    (root.parent / "secret.jpg").write_bytes(b"evil")
    with opened(root) as source:
        (item,) = source.scan(Selection())
        (folder / "a.jpg").unlink()
        (folder / "a.jpg").symlink_to(root.parent / "secret.jpg")
        with pytest.raises(ItemError):
            fetched(source, item)


@pytest.mark.parametrize("put", ["in a folder", "as an archive"])
def test_a_pipe_put_in_the_place_of_a_listed_file_is_not_waited_for(root: Path, put: str) -> None:
    folder = root / PHOTOS / YEAR
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"a")
    archive = write_zip(root / "takeout-20260101T000000Z-001.zip", [(f"{PHOTOS}/{YEAR}/b.jpg", b"b")])
    replaced = folder / "a.jpg" if put == "in a folder" else archive
    with opened(root) as source:
        items = {item.name: item for item in source.scan(Selection())}
        replaced.unlink()
        os.mkfifo(replaced)
        with pytest.raises(ItemError):
            fetched(source, items["a.jpg" if put == "in a folder" else "b.jpg"])


def _patched(path: Path, change: dict[str, int | bytes], *, of: str) -> Path:
    """Change fields of one member's directory entry: offsets as in APPNOTE 4.3.12."""
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02", 0)
    while of.encode() not in content[at + 46 : at + 46 + int.from_bytes(content[at + 28 : at + 30], "little")]:
        at = content.index(b"PK\x01\x02", at + 4)
    places = {"flags": (8, "<H"), "method": (10, "<H"), "crc": (16, "<L"), "packed": (20, "<L"), "size": (24, "<L")}
    places["offset"] = (42, "<L")
    for field, value in change.items():
        struct.pack_into(places[field][1], content, at + places[field][0], value)
    path.write_bytes(content)
    return path


_TWO = ((f"{PHOTOS}/{YEAR}/bad.jpg", b"bad" * 100), _GOOD)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"flags": 1}, "it is encrypted"),
        ({"flags": 0x41}, "it is encrypted"),
        ({"method": 99}, "compression method 99 is not supported"),
        ({"method": 14}, "compression method 14 is not supported"),
        ({"size": 299}, "its two sizes contradict each other"),
        ({"packed": 1 << 30, "size": 1 << 30}, "it overlaps another member"),
        ({"offset": 1 << 30}, "it lies beyond the end of the archive"),
        ({"method": 8, "size": (1 << 32) - 2}, "it declares more bytes than it can hold"),
    ],
)
def test_members_that_cannot_be_read_are_named_and_missed(
    root: Path, change: dict[str, int | bytes], reason: str
) -> None:
    _patched(write_zip(root / FIRST, _TWO), change, of="bad.jpg")
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert not inventory.complete
    assert f"{YEAR}/bad.jpg: refused, {reason}" in "\n".join(inventory.missing)
    assert adds_up(inventory)


def test_an_archive_that_unpacks_to_too_much_gives_what_is_reasonable(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncengine_plugins.sources.takeout.members._ROOM_FLOOR", 1 << 20)
    monkeypatch.setattr("syncengine_plugins.sources.takeout.members._ROOM_RATIO", 2)
    bombs = [(f"{PHOTOS}/{YEAR}/bomb{number}.jpg", bytes(700_000)) for number in range(3)]
    write_zip(root / FIRST, [_GOOD, *bombs], zipfile.ZIP_DEFLATED)
    items, inventory = listed(root)
    assert _names(items) == ["bomb0.jpg", "good.jpg"]
    assert inventory.counts["refused"] == 2
    assert "more than 100 times its size" in _said(inventory)


def test_overlapping_members_are_refused(root: Path) -> None:
    members = [(f"{PHOTOS}/{YEAR}/{name}.jpg", name.encode() * 50) for name in ("one", "two", "six")]
    path = write_zip(root / FIRST, members)
    with zipfile.ZipFile(path) as archive:
        offset = archive.infolist()[0].header_offset
    _patched(path, {"offset": offset}, of="two.jpg")
    items, inventory = listed(root)
    assert _names(items) == ["one.jpg", "six.jpg"]
    assert "two.jpg: refused, it overlaps another member" in _said(inventory)


def test_a_member_that_holds_others_is_refused(root: Path) -> None:
    members = [(f"{PHOTOS}/{YEAR}/{name}.jpg", name.encode() * 50) for name in ("one", "two", "six")]
    _patched(write_zip(root / FIRST, members), {"packed": 250, "size": 250}, of="one.jpg")
    items, inventory = listed(root)
    assert _names(items) == ["six.jpg", "two.jpg"]
    assert "one.jpg: refused, it overlaps another member" in _said(inventory)


def test_archives_in_archives_are_left_alone(root: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{PHOTOS}/{YEAR}/inner.jpg", bytes(100_000))
    write_zip(root / FIRST, [_GOOD, (f"{PHOTOS}/{YEAR}/nested.zip", inner.getvalue())])
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert inventory.counts["other"] == 1


def test_bytes_beyond_the_declared_size_are_not_handed_out(root: Path) -> None:
    path = write_zip(root / FIRST, [(f"{PHOTOS}/{YEAR}/bad.jpg", bytes(5_000_000))], zipfile.ZIP_DEFLATED)
    _patched(path, {"size": 1000}, of="bad.jpg")
    with opened(root) as source:
        (item,) = source.scan(Selection())
        sink = io.BytesIO()
        with pytest.raises(ItemError, match="more than the 1000 bytes"):
            source.fetch(item, sink)
        assert len(sink.getvalue()) <= 1000


def test_a_large_member_never_hands_out_more_than_it_declares(root: Path) -> None:
    size = 12 << 20
    path = write_zip(root / FIRST, [(f"{PHOTOS}/{YEAR}/bad.mp4", bytes(size + 5))], zipfile.ZIP_DEFLATED)
    _patched(path, {"size": size}, of="bad.mp4")
    with opened(root) as source:
        (item,) = source.scan(Selection())
        sink = io.BytesIO()
        with pytest.raises(ItemError, match="more than the"):
            source.fetch(item, sink)
        assert len(sink.getvalue()) <= size


@pytest.mark.parametrize("size", [0, 10, 100, -1])
def test_a_truncated_zip_is_missing_and_the_others_are_read(root: Path, size: int) -> None:
    write_zip(root / FIRST, [_GOOD])
    content = write_zip(root / SECOND, _TWO).read_bytes()
    (root / SECOND).write_bytes(content[:size])
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert not inventory.complete
    assert inventory.missing == (
        f"{SECOND}: it has no directory at its end: truncated, or its download is not finished",
    )


def test_a_finished_download_replaces_the_truncated_one(root: Path) -> None:
    content = write_zip(root / FIRST, [_GOOD]).read_bytes()
    (root / FIRST).write_bytes(content[:50])
    assert listed(root)[0] == []
    (root / FIRST).write_bytes(content)
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert inventory.complete


def test_a_truncated_tgz_gives_what_comes_before_the_end(root: Path) -> None:
    builder = TakeoutBuilder()
    for number in range(5):
        builder.file(f"{YEAR}/{number}.jpg", os.urandom(5000))
    content = write_tgz(root / _TGZ, builder).read_bytes()
    (root / _TGZ).write_bytes(content[: len(content) // 2])
    with opened(root) as source:
        items = list(source.scan(Selection()))
        assert 0 < len(items) < 5
        assert fetched(source, items[-1]) == builder.members[len(items) - 1].content
        inventory = source.inventory()
    assert not inventory.complete
    assert inventory.missing[0].startswith(f"{_TGZ}: it breaks off")
    assert adds_up(inventory)


def test_every_truncation_of_a_tgz_is_noticed(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.file(f"{YEAR}/a.jpg", b"a")
    content = write_tgz(root / _TGZ, builder).read_bytes()
    for length in range(0, len(content), 7):
        (root / _TGZ).write_bytes(content[:length])
        _, inventory = listed(root)
        assert not inventory.complete, length


def test_a_header_that_asks_for_gigabytes_is_refused(root: Path) -> None:
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 4 << 30
    good = tarfile.TarInfo(_GOOD[0])
    good.size = len(_GOOD[1])
    raw = good.tobuf() + _GOOD[1].ljust(512, b"\0") + entry.tobuf(tarfile.GNU_FORMAT) + bytes(40_000_000)
    (root / _TGZ).write_bytes(gzip.compress(raw, 1))
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert "asks for more memory" in inventory.missing[0]


def test_a_damaged_tar_header_is_not_taken_for_the_end(root: Path) -> None:
    builder = TakeoutBuilder()
    for name in ("a", "b"):
        builder.file(f"{YEAR}/{name}.jpg", b"x")
    raw = bytearray(gzip.decompress(write_tgz(root / _TGZ, builder).read_bytes()))
    raw[1024 + 10] ^= 0xFF
    (root / _TGZ).write_bytes(gzip.compress(raw))
    items, inventory = listed(root)
    assert _names(items) == ["a.jpg"]
    assert inventory.missing == (f"{_TGZ}: a header in it is damaged",)


# Names


def _raw_named(path: Path, name: bytes, content: bytes = b"x") -> Path:
    """Write a zip with one member whose name has these very bytes and no UTF-8 flag."""
    placeholder = "n" * len(name)
    write_zip(path, [(placeholder, content)])
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), name))
    return path


def test_names_that_are_not_utf8_are_code_page_437(root: Path) -> None:
    _raw_named(root / FIRST, f"{PHOTOS}/{YEAR}/caf".encode() + b"\x82.jpg")
    items, _ = listed(root)
    assert _names(items) == ["café.jpg"]


def test_a_wrong_utf8_flag_does_not_lose_the_archive(root: Path) -> None:
    path = _raw_named(root / FIRST, f"{PHOTOS}/{YEAR}/caf".encode() + b"\x82.jpg")
    _patched(path, {"flags": 0x800}, of=YEAR)
    items, inventory = listed(root)
    assert _names(items) == ["café.jpg"]
    assert inventory.complete


def test_no_name_brings_surrogates(root: Path) -> None:
    folder = os.fsencode(root / PHOTOS / YEAR)
    os.makedirs(folder)
    for name in (b"\xff\xfe.jpg", b"plain.jpg"):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(name)
    with tarfile.open(root / _TGZ, "w:gz", encoding="latin-1", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo(f"{PHOTOS}/{YEAR}/t\u00ff.jpg"))
    with opened(root) as source:
        items = list(source.scan(Selection()))
        for item in items:
            "".join((item.id, item.name, *item.origins)).encode()
        contents = sorted(fetched(source, item) for item in items)
    assert contents == [b"", b"plain.jpg", b"\xff\xfe.jpg"]


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31m", "\udcff", "x" * 1000])
def test_names_in_messages_are_one_short_line(text: str) -> None:
    safe = shown(text)
    assert len(safe) <= 200
    assert safe.isprintable()
    safe.encode()


def test_decode_name_prefers_utf8() -> None:
    assert decode_name("Frühstück".encode()) == "Frühstück"
    assert decode_name(b"\x9a\x81") == "Üü"


def test_long_decomposed_and_case_twin_names_are_all_items(root: Path) -> None:
    names = ["x" * 300 + ".jpg", "Cafe\u0301.jpg", "img.jpg", "IMG.JPG", "IMG.jpg", " lead.jpg", "trail. ", "CON.jpg"]
    write_zip(root / FIRST, [(f"{PHOTOS}/{YEAR}/{name}", name.encode()) for name in names])
    with opened(root) as source:
        found = {fetched(source, item).decode(): item.name for item in source.scan(Selection())}
        assert adds_up(source.inventory())
    assert found.keys() == set(names)
    assert found["Cafe\u0301.jpg"] == "Caf\u00e9.jpg"


def test_one_name_twice_in_one_zip(root: Path) -> None:
    path = f"{PHOTOS}/{YEAR}/a.jpg"
    with pytest.warns(UserWarning, match="Duplicate name"):
        write_zip(root / FIRST, [(path, b"first"), (path, b"second"), (path, b"first")])
    with opened(root) as source:
        items = list(source.scan(Selection()))
        assert sorted(fetched(source, item) for item in items) == [b"first", b"second"]
        assert adds_up(source.inventory())


# JSON


def test_huge_and_damaged_sidecars_are_refused_and_their_photo_stays(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncengine_plugins.sources.takeout.intake.LARGEST_JSON", 2000)
    builder = TakeoutBuilder()
    builder.media(YEAR, "a.jpg", b"a")
    builder.file(f"{YEAR}/a.jpg.json", b'{"title": "a.jpg"' + b" " * 3000 + b"}")
    builder.photo(YEAR, "b.jpg", taken=TAKEN)
    builder.write_zip(root / FIRST)
    _patched(root / FIRST, {"crc": 1}, of="b.jpg.supplemental")
    items, inventory = listed(root)
    assert _names(items) == ["a.jpg", "b.jpg"]
    assert inventory.counts["refused"] == 2
    assert "3018 bytes are too many for a JSON file" in _said(inventory)
    assert "its checksum is" in _said(inventory)
    assert inventory.complete
    assert adds_up(inventory)


@pytest.mark.parametrize(
    "timestamp", [None, "0", 0, "-1", "-99999999999999", "99999999999999999999", "x", [], {}, True, 1.5]
)
def test_no_date_in_a_sidecar_harms(root: Path, timestamp: object) -> None:
    import json

    said = json.loads(sidecar("a.jpg", TAKEN))
    said["photoTakenTime"] = {"timestamp": timestamp}
    builder = TakeoutBuilder()
    builder.media(YEAR, "a.jpg", b"a")
    builder.file(f"{YEAR}/a.jpg.json", json.dumps(said).encode())
    builder.write_zip(root / FIRST)
    (item,), _ = listed(root)
    assert item.taken is None or item.taken.instant == -1000
    assert item.raw == said


def test_a_thousand_refusals_are_counted_and_some_are_named(root: Path) -> None:
    write_zip(root / FIRST, [_GOOD, *((f"../{number}.jpg", b"") for number in range(1000))])
    _, inventory = listed(root)
    assert inventory.counts["refused"] == 1000
    assert len(inventory.warnings) == 101
    assert "900 more remarks" in inventory.warnings[-1]


def test_nothing_that_garbage_says_escapes(root: Path) -> None:
    content = bytearray(
        write_zip(root / FIRST, [(f"{PHOTOS}/{YEAR}/{n}.jpg", b"x" * 40) for n in range(4)]).read_bytes()
    )
    for at in range(0, len(content), 23):
        damaged = bytearray(content)
        damaged[at] ^= 0xFF
        (root / FIRST).write_bytes(damaged)
        os.utime(root / FIRST, (at, at))
        with opened(root) as source:
            for item in source.scan(Selection()):
                with suppress(ItemError):
                    assert zlib.crc32(fetched(source, item)) == zlib.crc32(b"x" * 40)
            assert adds_up(source.inventory())


def test_a_tgz_that_unpacks_to_too_much_ends_where_it_does(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncengine_plugins.sources.takeout.ingest._ROOM_FLOOR", 1 << 20)
    builder = TakeoutBuilder()
    builder.file(f"{YEAR}/good.jpg", b"good")
    builder.file(f"{YEAR}/bomb.jpg", bytes(50 << 20))
    write_tgz(root / _TGZ, builder)
    items, inventory = listed(root)
    assert _names(items) == ["good.jpg"]
    assert inventory.missing == (f"{_TGZ}: it would unpack to more than 100 times its size",)
    assert adds_up(inventory)
