from __future__ import annotations

import io
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine_plugins.sources.takeout.damage import PartDamagedError
from syncengine_plugins.sources.takeout.zip_directory import ZipEntry, read_directory


def _zip(members: dict[str, bytes], *, comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.comment = comment
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _read(content: bytes) -> list[ZipEntry]:
    return list(read_directory(io.BytesIO(content)))


_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/\\"), min_size=1, max_size=40)


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(_NAMES, st.binary(max_size=200), max_size=12),
    # zipfile takes the mark of the end record for one, wherever it stands.
    st.binary(max_size=40).filter(lambda comment: b"PK\5\6" not in comment),
    st.binary(max_size=20),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
)
def test_says_what_zipfile_says(members: dict[str, bytes], comment: bytes, before: bytes, method: int) -> None:
    content = before + _zip(members, comment=comment, method=method)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        wanted = [
            (i.filename, i.CRC, i.compress_size, i.file_size, i.header_offset, i.compress_type)
            for i in archive.infolist()
        ]
    found = [(e.name.decode(), e.crc, e.packed, e.size, e.offset, e.method) for e in _read(content)]
    assert found == wanted


def test_a_comment_may_hold_the_mark_of_the_end() -> None:
    assert [entry.name for entry in _read(_zip({"a": b"1"}, comment=b"PK\5\6"))] == [b"a"]


def test_reads_a_directory_longer_than_its_buffer() -> None:
    members = {f"{number:05}{'x' * 200}": b"" for number in range(6000)}
    assert [entry.name.decode() for entry in _read(_zip(members))] == list(members)


@pytest.mark.slow
def test_reads_zip64_counts_and_offsets() -> None:
    members = {f"{number}": b"" for number in range(66_000)}
    found = _read(_zip(members, method=zipfile.ZIP_STORED))
    assert len(found) == 66_000
    assert found[-1].name == b"65999"


def test_reads_the_size_of_a_member_beyond_4_gib(tmp_path: Path) -> None:
    path, size = tmp_path / "sparse.zip", 5 << 30
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 0x5A21, 0, 0xFFFFFFFF, 0xFFFFFFFF, 1, 20)
    wide = struct.pack("<HHQQ", 1, 16, size, size)
    entry = struct.pack(
        "<4s4B4HL2L5H2L", b"PK\x01\x02", 45, 3, 45, 0, 0, 0, 0, 0x5A21, 0, 0xFFFFFFFF, 0xFFFFFFFF, 1, 20, 0, 0, 0, 0, 0
    )
    directory_at = len(local) + 1 + 20 + size
    directory = entry + b"v" + wide
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(directory), directory_at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, directory_at + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0xFFFFFFFF, 0)
    with path.open("wb") as file:
        file.write(local + b"v" + wide)
        file.seek(directory_at)
        file.write(directory + end64 + locator + end)
    with path.open("rb") as file:
        (found,) = read_directory(file)
    assert (found.size, found.packed, found.offset) == (size, size, 0)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all", bytes(100_000)])
def test_names_what_has_no_directory(content: bytes) -> None:
    with pytest.raises(PartDamagedError, match="truncated, or its download is not finished"):
        _read(content)


def test_every_truncation_is_noticed() -> None:
    content = _zip({"a.jpg": b"a" * 50, "b.jpg": b"b" * 50})
    for length in range(len(content)):
        with pytest.raises(PartDamagedError):
            _read(content[:length])


def test_gives_what_comes_before_the_damage() -> None:
    content = bytearray(_zip({"a.jpg": b"a", "b.jpg": b"b"}))
    second = content.rindex(b"PK\x01\x02")
    content[second : second + 4] = b"XXXX"
    directory = read_directory(io.BytesIO(content))
    assert next(directory).name == b"a.jpg"
    with pytest.raises(PartDamagedError, match="damaged"):
        next(directory)


def test_offsets_beyond_all_files_do_no_harm(tmp_path: Path) -> None:
    from tests.unit.plugins.sources.takeout.libraries import listed

    (tmp_path / "parts").mkdir()
    content = bytearray(_zip({"Takeout/Google Photos/Rome/a.jpg": b"a"}))
    entry = content.index(b"PK\x01\x02")
    wide = struct.pack("<HHQ", 1, 8, (1 << 64) - 2)
    content[entry + 42 : entry + 46] = b"\xff" * 4
    content[entry + 30 : entry + 32] = len(wide).to_bytes(2, "little")
    end = content.index(b"PK\x05\x06")
    size = int.from_bytes(content[end + 12 : end + 16], "little") + len(wide)
    content[end + 12 : end + 16] = size.to_bytes(4, "little")
    content[end:end] = wide
    (tmp_path / "parts" / "takeout-1.zip").write_bytes(content)
    items, inventory = listed(tmp_path / "parts")
    assert items == []
    assert "beyond the end" in inventory.missing[0]


def test_refuses_one_volume_of_several() -> None:
    content = bytearray(_zip({"a.jpg": b"a"}))
    end = content.rindex(b"PK\x05\x06")
    content[end + 4 : end + 6] = (1).to_bytes(2, "little")
    with pytest.raises(PartDamagedError, match="split archive"):
        _read(bytes(content))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_no_damage_escapes(at: int, garbage: bytes) -> None:
    content = bytearray(_zip({"a.jpg": b"a" * 30, "b.jpg": b"b" * 30}))
    content[at : at + len(garbage)] = garbage
    with suppress(PartDamagedError):
        _read(bytes(content))


def test_knows_directories_links_and_encryption() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.mkdir("folder")
        link = zipfile.ZipInfo("link.jpg")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "target")
        archive.writestr("plain.jpg", b"")
    found = {entry.name: entry for entry in _read(stream.getvalue())}
    assert found[b"folder/"].is_directory
    assert found[b"link.jpg"].is_special
    plain = found[b"plain.jpg"]
    assert not any((plain.is_special, plain.is_directory, plain.encrypted))
