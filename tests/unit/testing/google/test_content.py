"""Contents that are made while they are read."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.testing.google import (
    ArchiveMember,
    BytesContent,
    Content,
    FileContent,
    PaddedContent,
    ZipContent,
    jpeg,
    mp4,
)
from syncengine.testing.google.content.bytes import combine_crc32, crc32_of


def whole(content: Content) -> bytes:
    return content.read(0, content.size)


@given(first=st.binary(max_size=300), second=st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_crcs_add_up(first: bytes, second: bytes) -> None:
    assert combine_crc32(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


@given(
    head=st.binary(max_size=20), size=st.integers(0, 200_000), start=st.integers(0, 200_010), length=st.integers(0, 999)
)
@settings(max_examples=50, deadline=None)
def test_padded_contents_read_the_same_from_anywhere(head: bytes, size: int, start: int, length: int) -> None:
    content = PaddedContent(head, size)
    full = whole(content)
    assert len(full) == content.size == max(size, len(head))
    assert full.startswith(head)
    assert content.read(start, length) == full[start : start + length]
    assert content.crc32() == zlib.crc32(full) == crc32_of(BytesContent(full))


@pytest.mark.parametrize("zip64", [False, True])
def test_a_zip_that_nobody_wrote(zip64: bool) -> None:
    members = [ArchiveMember(f"Takeout/é{number}.jpg", jpeg(f"photo {number}", 3000)) for number in range(20)]
    archive = ZipContent([*members, ArchiveMember("empty", BytesContent(b""))], zip64=zip64)
    full = whole(archive)
    assert full == b"".join(archive.read(start, 777) for start in range(0, archive.size, 777))
    with zipfile.ZipFile(io.BytesIO(full)) as opened:
        assert opened.testzip() is None
        assert opened.namelist()[0] == "Takeout/é0.jpg"
        assert opened.read("Takeout/é19.jpg") == whole(members[19].content)
        assert opened.infolist()[0].date_time == (2026, 1, 1, 0, 0, 0)


class Window(io.RawIOBase):
    """A content as a file, which is read where ``zipfile`` looks and nowhere else."""

    def __init__(self, content: Content) -> None:
        self.content, self.place = content, 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = (0, self.place, self.content.size)[whence] + offset
        return self.place

    def read(self, length: int = -1) -> bytes:
        piece = self.content.read(self.place, self.content.size if length < 0 else length)
        self.place += len(piece)
        return piece


def test_ten_gigabytes_take_no_room() -> None:
    members = [ArchiveMember(f"{number}.jpg", jpeg(str(number), 2_000_000)) for number in range(5000)]
    large = ArchiveMember("large.mp4", mp4("large", 5 * 2**30))
    archive = ZipContent([*members[:2500], large, *members[2500:]])
    assert archive.size > 15e9
    with zipfile.ZipFile(Window(archive)) as opened:
        assert len(opened.infolist()) == 5001
        assert opened.getinfo("large.mp4").file_size == 5 * 2**30
        last = opened.infolist()[-1]
        assert last.header_offset > 2**32
        assert len(opened.read(last)) == 2_000_000


def test_samples_are_pictures_that_differ() -> None:
    from PIL import Image

    one, two = jpeg("one", 5000), jpeg("two")
    assert whole(one) != whole(two)
    with Image.open(io.BytesIO(whole(one))) as picture:
        picture.load()
        assert picture.size == (8, 8)
    assert whole(mp4("x"))[4:8] == b"ftyp"


def test_a_file_keeps_the_size_that_it_had(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    content = FileContent(path)
    path.write_bytes(b"01234567890123")
    assert (content.size, content.read(8, 10), content.read(20, 5)) == (10, b"89", b"")
