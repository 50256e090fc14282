"""Lost data never counts as success: a damaged file is an ``ItemError`` with one line, and nothing else."""

from __future__ import annotations

import struct
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from syncengine.api import ItemError
from syncengine_plugins.transforms.heic_to_jpeg import HeicToJpeg, HeicToJpegOptions
from syncengine_plugins.transforms.heif import exif, photo, read_container, read_photo
from tests.unit.plugins.transforms import heif_files as files


@cache
def grid() -> bytes:
    noise = np.random.default_rng(7).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return files.heic(Image.fromarray(noise).resize((512, 384)), tile_size=128)


@cache
def single() -> bytes:
    return files.heic(files.quadrants(), exif=b"Exif\0\0" + files.tiff(6))


def read(file: bytes) -> photo.Photo:
    return read_photo(file, read_container(file))


def test_whole_files_are_read() -> None:
    assert read(grid()).image.size == (512, 384)
    assert read(single()).image.size == (128, 192)  # pillow-heif wrote irot for the orientation of 6


@pytest.mark.parametrize("name", ["grid", "single"])
def test_a_file_cut_off_anywhere_is_damaged(name: str) -> None:
    file = {"grid": grid(), "single": single()}[name]
    for cut in {*range(0, len(file), len(file) // 150 + 1), len(file) - 1}:
        with pytest.raises(ItemError, match="damaged HEIC"):
            read(file[:cut])


def test_tiles_that_were_not_decoded_are_seen_in_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the checks of the structure; libheif 1.23 takes such a file for whole, other versions raise by themselves.
    monkeypatch.setattr(photo, "check_whole", lambda *_: None)
    with pytest.raises(ItemError, match="damaged HEIC"):
        read(grid()[: len(grid()) * 2 // 3])


def test_a_green_photo_is_no_missing_tile() -> None:
    green = Image.new("RGB", (512, 384), (0, 140, 0))
    green.paste(Image.effect_noise((512, 384), 30), mask=Image.new("L", (512, 384), 20))
    assert read(files.heic(green, tile_size=128)).image.size == (512, 384)


def test_a_hole_of_zeros_is_damage() -> None:
    start, end = files.find(grid(), b"mdat")
    middle = (start + end) // 2
    with pytest.raises(ItemError, match=r"hole|hang together"):
        read(grid()[:middle] + bytes(200) + grid()[middle + 200 :])


def test_a_unit_longer_than_its_image_is_damage() -> None:
    start, _ = files.find(grid(), b"mdat")
    broken = grid()[: start + 8] + b"\x7f" + grid()[start + 9 :]
    with pytest.raises(ItemError, match="do not hang together"):
        read(broken)


def test_a_missing_tile_is_damage() -> None:
    start, _ = files.find(grid(), b"meta", b"iref")
    count = grid().index(struct.pack(">H", 12), start)  # the number of tiles
    fewer = bytearray(grid())
    fewer[count + 2 : count + 4] = struct.pack(">H", 999)  # the first tile refers to nothing
    with pytest.raises(ItemError, match="part 999 of the photo is missing"):
        read(bytes(fewer))


def test_pixels_of_another_size_than_declared_are_damage() -> None:
    file = single()
    at = file.index(b"ispe") + 8
    with pytest.raises(ItemError, match="damaged HEIC"):
        read(file[:at] + struct.pack(">II", 640, 480) + file[at + 8 :])


def test_decoded_pixels_must_have_the_declared_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo, "shown_size", lambda _: (Fraction(64), Fraction(129, 2)))
    with pytest.raises(ItemError, match=r"its pixels are 128x192 where it speaks of 64x64\.5"):
        read(single())


@pytest.mark.parametrize(("crop", "size"), [((100, 60), (100, 60)), ((33, 41), (33, 41))])
def test_a_crop_is_part_of_the_declared_size(crop: tuple[int, int], size: tuple[int, int]) -> None:
    width, height = crop
    clap = struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1)
    cropped = files.with_properties(files.heic(files.quadrants()), (b"clap", clap))
    assert read(cropped).image.size == size


def test_a_crop_that_divides_by_zero_is_damage() -> None:
    clap = struct.pack(">8I", 10, 0, 10, 1, 0, 1, 0, 1)
    with pytest.raises(ItemError, match="damaged HEIC"):
        read(files.with_properties(files.heic(files.quadrants()), (b"clap", clap)))


def test_the_decoders_own_errors_become_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (OSError, EOFError, ValueError, SyntaxError, RuntimeError, IndexError, MemoryError):

        def fail(*_: object, kind: type[Exception] = kind) -> None:
            raise kind("first line\nsecond line")

        monkeypatch.setattr(photo, "_decode", fail)
        with pytest.raises(ItemError, match=r"^damaged HEIC: first line second line$"):
            read(single())


# The same examples each time: what gets past the checks goes to a native decoder, and a crash there ends all tests.
@settings(max_examples=150, deadline=None, derandomize=True)
@given(place=st.integers(0, 2000), value=st.binary(min_size=1, max_size=8))
@example(place=0, value=b"\0\0\0\1")
def test_any_change_in_the_description_is_an_item_error_or_none(place: int, value: bytes) -> None:
    file = grid() if place % 2 else single()
    end = files.find(file, b"meta")[1]
    place %= end
    changed = file[:place] + value + file[place + len(value) :]
    with suppress(ItemError):
        read(changed)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_behind_a_header_are_an_item_error(content: bytes) -> None:
    with pytest.raises(ItemError):
        read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + content)


def test_a_location_table_that_would_never_end_is_refused() -> None:
    entries = b"".join(struct.pack(">HHH", number, 0, 65535) for number in range(3))
    iloc = files.box(b"iloc", bytes(4) + b"\0\0" + struct.pack(">H", 3) + entries)
    with pytest.raises(ItemError, match="pieces"):
        read(files.box(b"ftyp", b"heic\0\0\0\0heic") + files.box(b"meta", bytes(4) + iloc))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([b"II*\0", b"MM\0*"]), st.binary(min_size=10, max_size=300))
def test_any_exif_can_be_set_upright_and_measured(head: bytes, rest: bytes) -> None:
    tiff = exif.tiff_of(head + rest)
    assert tiff is not None
    upright = exif.upright(tiff)
    assert len(upright) == len(tiff)
    assert exif.orientation(upright) == 1
    assert 8 <= exif.used_size(tiff) <= len(tiff)


def test_directories_that_go_round_in_circles_end() -> None:
    circle = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
    assert exif.used_size(circle) == len(circle)


def test_apply_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    source, workdir = tmp_path / "a.heic", tmp_path / "work"
    source.write_bytes(grid()[:-1])
    workdir.mkdir()
    with pytest.raises(ItemError):
        HeicToJpeg(HeicToJpegOptions()).apply(files.asset(source), workdir)
    assert list(workdir.iterdir()) == []
