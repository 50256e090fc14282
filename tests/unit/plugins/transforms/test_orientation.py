"""Every combination of the container's and EXIF's orientation ends upright, with nothing left that turns it again."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from PIL import Image
from PIL.Image import Transpose

from syncengine_plugins.transforms.heic_to_jpeg import HeicToJpeg, HeicToJpegOptions
from syncengine_plugins.transforms.heif import orientation
from tests.unit.plugins.transforms import heif_files as files

# By the words of Exif 2.32, 4.6.4 A: where row 0 and column 0 of the stored pixels belong.
EXIF_TURNS = {
    2: (Transpose.FLIP_LEFT_RIGHT,),
    3: (Transpose.ROTATE_180,),
    4: (Transpose.FLIP_TOP_BOTTOM,),
    5: (Transpose.ROTATE_270, Transpose.FLIP_LEFT_RIGHT),
    6: (Transpose.ROTATE_270,),
    7: (Transpose.ROTATE_90, Transpose.FLIP_LEFT_RIGHT),
    8: (Transpose.ROTATE_90,),
}
QUARTERS = {1: Transpose.ROTATE_90, 2: Transpose.ROTATE_180, 3: Transpose.ROTATE_270}
MIRRORS = {0: Transpose.FLIP_TOP_BOTTOM, 1: Transpose.FLIP_LEFT_RIGHT}

CONTAINERS = {
    "none": (),
    **{f"irot{angle}": (files.irot(angle),) for angle in range(4)},
    **{f"imir{axis}": (files.imir(axis),) for axis in range(2)},
    **{f"irot{angle}-imir{axis}": (files.irot(angle), files.imir(axis)) for angle in range(1, 4) for axis in range(2)},
    "imir1-irot1": (files.imir(1), files.irot(1)),
}


@cache
def stored(*, grid: bool) -> bytes:
    return files.heic(files.quadrants(), exif=b"Exif\0\0" + files.tiff(1), tile_size=64 if grid else 0)


def expected(properties: tuple[files.Box, ...], exif: int) -> Image.Image:
    image = files.quadrants()
    if properties:
        turns = [QUARTERS.get(payload[0]) if kind == b"irot" else MIRRORS[payload[0]] for kind, payload in properties]
    else:
        turns = list(EXIF_TURNS.get(exif, ()))
    for turn in turns:
        image = image.transpose(turn) if turn is not None else image
    return image


def convert(file: bytes, tmp_path: Path) -> tuple[Image.Image, bytes, tuple[str, ...]]:
    source = tmp_path / "IMG_1.HEIC"
    source.write_bytes(file)
    made = HeicToJpeg(HeicToJpegOptions()).apply(files.asset(source), tmp_path)
    with Image.open(made.path) as image:
        image.load()
    return image, made.path.read_bytes(), made.applied[-1].notes


@pytest.mark.parametrize("exif", range(1, 9))
@pytest.mark.parametrize("container", CONTAINERS)
def test_the_result_is_upright(tmp_path: Path, container: str, exif: int) -> None:
    properties = CONTAINERS[container]
    file = files.with_orientation(files.with_properties(stored(grid=False), *properties), exif)
    image, jpeg, notes = convert(file, tmp_path)
    wanted = expected(properties, exif)
    assert image.size == wanted.size
    assert files.corners(image) == files.corners(wanted)
    assert orientation(files.exif_of(jpeg)) == 1
    assert any("EXIF orientation" in note for note in notes) == (not properties and exif != 1)


@pytest.mark.parametrize("container", ["none", "irot1", "imir0", "irot3-imir1"])
def test_grids_turn_as_a_whole(tmp_path: Path, container: str) -> None:
    properties = CONTAINERS[container]
    file = files.with_orientation(files.with_properties(stored(grid=True), *properties), 6)
    image, _, _ = convert(file, tmp_path)
    wanted = expected(properties, 6)
    assert (image.size, files.corners(image)) == (wanted.size, files.corners(wanted))


@pytest.mark.parametrize("exif", [0, 9, 255])
def test_an_orientation_that_means_nothing_turns_nothing(tmp_path: Path, exif: int) -> None:
    image, jpeg, _ = convert(files.with_orientation(stored(grid=False), exif), tmp_path)
    assert files.corners(image) == files.CORNERS
    assert orientation(files.exif_of(jpeg)) == 1


def test_orientation_in_xmp_alone_turns_nothing_and_is_reset(tmp_path: Path) -> None:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="1">'
        b"<tiff:Orientation>1</tiff:Orientation></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    file = files.heic(files.quadrants(), xmp=xmp)
    file = file.replace(b'tiff:Orientation="1"', b'tiff:Orientation="6"')
    file = file.replace(b"<tiff:Orientation>1", b"<tiff:Orientation>8")
    image, jpeg, _ = convert(file, tmp_path)
    assert files.corners(image) == files.CORNERS
    assert xmp in jpeg


@pytest.mark.parametrize("order", ["<", ">"])
def test_only_the_orientation_changes_in_exif(tmp_path: Path, order: str) -> None:
    note = b"NOTE" + bytes(range(256))
    before = files.tiff(6, order=order, maker_note=note)
    _, jpeg, _ = convert(files.heic(files.quadrants(), exif=b"Exif\0\0" + before), tmp_path)
    assert files.exif_of(jpeg) == files.tiff(1, order=order, maker_note=note)


def test_a_thumbnail_of_the_old_orientation_is_not_shown_any_more(tmp_path: Path) -> None:
    before = files.tiff(6, thumbnail=b"\xff\xd8thumbnail")
    _, jpeg, _ = convert(files.heic(files.quadrants(), exif=b"Exif\0\0" + before), tmp_path)
    after = files.exif_of(jpeg)
    assert len(after) == len(before)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 2  # the orientation, the link to the thumbnail


def test_a_thumbnail_that_stands_as_the_photo_does_is_kept(tmp_path: Path) -> None:
    before = files.tiff(1, thumbnail=b"\xff\xd8thumbnail")
    _, jpeg, _ = convert(files.heic(files.quadrants(), exif=b"Exif\0\0" + before), tmp_path)
    assert files.exif_of(jpeg) == before
