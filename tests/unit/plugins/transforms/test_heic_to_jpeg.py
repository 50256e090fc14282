from __future__ import annotations

import errno
import hashlib
import importlib
import pickle
import re
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageCms

from syncengine.api import FatalError, ItemError, Kind, options_schema
from syncengine_plugins.transforms.heic_to_jpeg import HeicToJpeg, HeicToJpegOptions, jpeg, metadata
from syncengine_plugins.transforms.heic_to_jpeg.metadata import Metadata
from syncengine_plugins.transforms.heif import photo
from tests.unit.plugins.transforms import heif_files as files

EXIF = b"Exif\0\0"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1">'
    b"%s</rdf:Description></rdf:RDF></x:xmpmeta>"
)


@cache
def plain() -> bytes:
    return files.heic(files.quadrants(), exif=EXIF + files.tiff(1, maker_note=b"NOTE"))


@cache
def grid() -> bytes:
    noise = np.random.default_rng(7).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return files.heic(Image.fromarray(noise).resize((512, 384)), tile_size=128)


def convert(file: bytes, tmp_path: Path, name: str = "IMG_1.HEIC", **options: Any) -> Any:
    source = tmp_path / name
    source.write_bytes(file)
    return HeicToJpeg(HeicToJpegOptions(**options)).apply(files.asset(source), tmp_path)


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image


def accepts(file: bytes, tmp_path: Path, name: str) -> bool:
    source = tmp_path / "staged"
    source.write_bytes(file)
    return HeicToJpeg(HeicToJpegOptions()).accepts(files.asset(source, name))


class TestAccepts:
    def test_heic_under_any_name(self, tmp_path: Path) -> None:
        for name in ("IMG_1.HEIC", "IMG_1.jpg", "IMG_1", "IMG_1.png"):
            assert accepts(plain(), tmp_path, name)

    def test_a_general_brand_counts_when_an_image_is_hevc(self, tmp_path: Path) -> None:
        general = plain()[:8] + b"mif1" + plain()[12:16] + b"mif1miafmif1"[: struct.unpack(">I", plain()[:4])[0] - 16]
        general += plain()[len(general) :]
        assert b"heic" not in general[:32]
        assert accepts(general, tmp_path, "a.heic")
        assert not accepts(general.replace(b"hvc1", b"j2k1"), tmp_path, "a.heic")

    def test_not_jpeg_avif_or_a_movie_named_heic(self, tmp_path: Path) -> None:
        assert not accepts(b"\xff\xd8\xff\xe0" + bytes(100), tmp_path, "IMG_1.HEIC")
        assert not accepts(b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf" + bytes(50), tmp_path, "IMG_1.HEIC")
        assert not accepts(b"\0\0\0\x18ftypqt  \0\0\0\0qt  qt  " + bytes(50), tmp_path, "IMG_1.HEIC")

    def test_bytes_of_no_format_are_reported_under_a_heic_name_only(self, tmp_path: Path) -> None:
        for junk in (b"", bytes(5000)):
            assert accepts(junk, tmp_path, "IMG_1.HEIC")
            assert not accepts(junk, tmp_path, "IMG_1.jpg")
            with pytest.raises(ItemError, match="damaged HEIC"):
                convert(junk, tmp_path)


class TestResult:
    @pytest.mark.parametrize(
        ("name", "wanted"),
        [
            ("IMG_1.HEIC", "IMG_1.jpg"),
            ("IMG_1.heif", "IMG_1.jpg"),
            ("IMG_1.jpg", "IMG_1.jpg"),
            ("IMG_1.JPEG", "IMG_1.JPEG"),
            ("IMG_1.png", "IMG_1.jpg"),
            ("Rome 12.5.2019", "Rome 12.5.2019.jpg"),
            ("IMG_1", "IMG_1.jpg"),
            (".heic", ".heic.jpg"),
            ("a.b.heic", "a.b.jpg"),
        ],
    )
    def test_name(self, tmp_path: Path, name: str, wanted: str) -> None:
        assert convert(plain(), tmp_path, name).name == wanted

    def test_it_is_a_new_file_and_the_old_one_is_as_it_was(self, tmp_path: Path) -> None:
        workdir = tmp_path / "work"
        workdir.mkdir()
        source = tmp_path / "IMG_1.jpg"
        source.write_bytes(plain())
        transform = HeicToJpeg(HeicToJpegOptions())
        first, second = (transform.apply(files.asset(source, kind=Kind.OTHER), workdir) for _ in range(2))
        assert source.read_bytes() == plain()
        assert first.path != second.path
        assert {first.path.parent, second.path.parent} == {workdir}
        assert first.path.read_bytes() == second.path.read_bytes()
        assert (first.kind, first.size, first.sha256) == (Kind.PHOTO, 0, b"")
        assert opened(first.path).format == "JPEG"

    def test_the_transform_is_on_record(self, tmp_path: Path) -> None:
        (applied,) = convert(plain(), tmp_path, quality=80).applied
        assert applied.name == "heic-to-jpeg"
        assert applied.options == {"quality": 80, "subsampling": "4:2:0", "keep_original": False}
        assert applied.notes == ()

    def test_quality_and_subsampling(self, tmp_path: Path) -> None:
        sizes = {q: convert(grid(), tmp_path, quality=q).path.stat().st_size for q in (1, 50, 100)}
        assert sizes[1] < sizes[50] < sizes[100]
        fine = opened(convert(grid(), tmp_path, subsampling="4:4:4").path)
        coarse = opened(convert(grid(), tmp_path).path)
        assert (fine.layer[0][1:3], coarse.layer[0][1:3]) == ((1, 1), (2, 2))  # type: ignore[attr-defined]  # untyped

    def test_it_crosses_to_a_worker(self, tmp_path: Path) -> None:
        (tmp_path / "a.heic").write_bytes(plain())
        transform = pickle.loads(pickle.dumps(HeicToJpeg(HeicToJpegOptions(quality=7))))
        made = transform.apply(files.asset(tmp_path / "a.heic"), tmp_path)
        assert made.applied[0].options["quality"] == 7

    def test_options_are_described_and_bounded(self) -> None:
        schema = options_schema(HeicToJpegOptions)["properties"]
        assert all("description" in option for option in schema.values())
        assert (schema["quality"]["minimum"], schema["quality"]["maximum"], schema["quality"]["default"]) == (
            1,
            100,
            95,
        )
        for wrong in ({"quality": 0}, {"subsampling": "4:1:1"}, {"keep_original": "sometimes"}):
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(wrong, HeicToJpegOptions)

    def test_a_folder_that_cannot_be_written_ends_the_run(self, tmp_path: Path) -> None:
        (tmp_path / "a.heic").write_bytes(plain())
        with pytest.raises(FatalError, match="cannot write"):
            HeicToJpeg(HeicToJpegOptions()).apply(files.asset(tmp_path / "a.heic"), tmp_path / "missing")

    def test_what_no_jpeg_can_hold_is_an_item_error(self, tmp_path: Path) -> None:
        with pytest.raises(ItemError, match="65501x1 pixels"):
            jpeg.write_jpeg(Image.new("L", (65501, 1)), Metadata(), tmp_path / "a.jpg", quality=95, subsampling="4:2:0")

    def test_a_file_beyond_all_measure_is_not_read(self, tmp_path: Path) -> None:
        source = tmp_path / "a.heic"
        with source.open("wb") as stream:
            stream.truncate((1 << 30) + 1)
        with pytest.raises(ItemError, match="more than"):
            HeicToJpeg(HeicToJpegOptions()).apply(files.asset(source), tmp_path)
        with pytest.raises(ItemError, match="cannot be read"):
            HeicToJpeg(HeicToJpegOptions()).apply(files.asset(tmp_path / "missing.heic"), tmp_path)

    def test_a_full_disk_leaves_no_half_file(self, tmp_path: Path) -> None:
        class Full:
            size = width, height = 8, 8

            def save(self, stream: Any, *_: Any, **__: Any) -> None:
                stream.write(b"half")
                raise OSError(errno.ENOSPC, "No space left on device")

        target = tmp_path / "a.jpg"
        with pytest.raises(FatalError, match="No space left"):
            jpeg.write_jpeg(Full(), Metadata(), target, quality=95, subsampling="4:2:0")  # type: ignore[arg-type]  # stands in for an image
        assert not target.exists()

    def test_modules_load_without_image_libraries(self) -> None:
        code = (
            "import sys, syncengine_plugins.transforms.heic_to_jpeg, syncengine_plugins.dedup.sha256,"
            " syncengine_plugins.dedup.perceptual;"
            "print(sorted({'PIL', 'numpy', 'pillow_heif', 'imagehash', 'scipy'} & set(sys.modules)))"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert found.strip() == "[]"


class TestPixels:
    @pytest.mark.parametrize("size", [(193, 127), (64, 65), (1, 1), (3, 200)])
    def test_odd_sizes(self, tmp_path: Path, size: tuple[int, int]) -> None:
        assert opened(convert(files.heic(files.quadrants(*size)), tmp_path).path).size == size

    def test_grids_of_odd_size(self, tmp_path: Path) -> None:
        image = opened(convert(files.heic(files.quadrants(333, 201), tile_size=64), tmp_path).path)
        assert (image.size, files.corners(image)) == ((333, 201), files.CORNERS)

    def test_ten_bits_become_eight(self, tmp_path: Path) -> None:
        ramp = np.repeat(np.linspace(0, 65535, 256).astype(np.uint16)[None, :, None], 64, axis=0).repeat(3, axis=2)
        file = encoded("RGB;16", (256, 64), ramp.tobytes(), tmp_path)
        made = convert(file, tmp_path, keep_original="when-lossy")
        seen = np.asarray(opened(made.path).convert("L"))[32].astype(int)
        assert np.abs(seen - np.arange(256)).max() <= 4
        assert made.applied[0].notes == ("not in the JPEG: 10-bit colour",)
        assert made.keep_original

    def test_grey_stays_grey(self, tmp_path: Path) -> None:
        made = convert(files.heic(files.quadrants(mode="L")), tmp_path)
        assert opened(made.path).mode == "L"
        assert made.applied[0].notes == ()

    def test_ten_bit_grey(self, tmp_path: Path) -> None:
        ramp = np.repeat(np.linspace(0, 65535, 256).astype(np.uint16)[None, :], 64, axis=0)
        made = convert(encoded("L;16", (256, 64), ramp.tobytes(), tmp_path), tmp_path)
        image = opened(made.path)
        assert image.mode == "L"
        assert np.abs(np.asarray(image)[32].astype(int) - np.arange(256)).max() <= 4

    def test_transparent_pixels_become_white(self, tmp_path: Path) -> None:
        image = files.quadrants(mode="RGBA")
        image.putalpha(Image.new("L", image.size, 255))
        image.paste((0, 0, 0, 0), (0, 0, 96, 128))
        made = convert(files.heic(image), tmp_path, keep_original="when-lossy")
        assert files.corners(opened(made.path)) == (files.WHITE, files.GREEN, files.WHITE, files.WHITE)
        assert made.applied[0].notes == ("not in the JPEG: transparency (what shows through is white)",)
        assert made.keep_original

    def test_the_primary_image_is_the_photo_wherever_it_stands(self, tmp_path: Path) -> None:
        other = Image.new("RGB", (64, 64), (1, 2, 3))
        made = convert(files.heic(other, files.quadrants(), other, primary_index=1), tmp_path)
        assert files.corners(opened(made.path)) == files.CORNERS
        assert made.applied[0].notes == ("not in the JPEG: 2 other images",)

    def test_more_pixels_than_the_limit_are_refused_before_decoding(self, tmp_path: Path) -> None:
        at = plain().index(b"ispe") + 8
        huge = plain()[:at] + struct.pack(">II", 30000, 20000) + plain()[at + 8 :]
        with pytest.raises(ItemError, match="30000x20000 pixels, more than 300000000"):
            convert(huge, tmp_path)

    def test_200_megapixels_are_within_the_limit(self) -> None:
        assert photo.MAX_PIXELS > 12240 * 16320

    def test_pillow_keeps_its_own_limit(self, tmp_path: Path) -> None:
        before = Image.MAX_IMAGE_PIXELS
        convert(plain(), tmp_path)
        assert before == Image.MAX_IMAGE_PIXELS

    def test_pi_heif_will_do(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def load(name: str) -> Any:
            if name == "pillow_heif":
                raise ImportError(name)
            return importlib.import_module("pillow_heif")

        monkeypatch.setattr(photo, "import_module", load)
        assert opened(convert(plain(), tmp_path).path).size == (192, 128)


def encoded(mode: str, size: tuple[int, int], pixels: bytes, tmp_path: Path) -> bytes:
    import pillow_heif

    target = tmp_path / "encoded.heic"
    pillow_heif.encode(mode, size, pixels, target, quality=95)
    return target.read_bytes()


class TestMetadata:
    def test_exif_is_kept_byte_for_byte(self, tmp_path: Path) -> None:
        made = convert(plain(), tmp_path)
        assert files.exif_of(made.path.read_bytes()) == files.tiff(1, maker_note=b"NOTE")
        gps = opened(made.path).getexif().get_ifd(0x8825)
        assert gps[2] == (45.0, 30.0, 15.0)

    def test_exif_that_is_none_is_left_out_and_named(self, tmp_path: Path) -> None:
        file = files.heic(files.quadrants(), exif=EXIF + b"no TIFF structure at all")
        made = convert(file, tmp_path)
        assert EXIF not in made.path.read_bytes()
        assert made.applied[0].notes == ("not in the JPEG: EXIF that cannot be read",)

    def test_a_colour_profile_is_kept(self, tmp_path: Path) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        made = convert(files.heic(files.quadrants(), icc_profile=profile), tmp_path)
        assert files.icc_of(made.path.read_bytes()) == profile

    @pytest.mark.parametrize(("profile", "notes"), [(b"", 0), (b"\0" * 200, 1)])
    def test_an_empty_profile_is_none_and_a_broken_one_is_named(
        self, tmp_path: Path, profile: bytes, notes: int
    ) -> None:
        file = files.with_properties(files.heic(files.quadrants()), (b"colr", b"prof" + profile))
        made = convert(file, tmp_path)
        assert files.icc_of(made.path.read_bytes()) == b""
        assert len(made.applied[0].notes) == notes

    def test_a_profile_for_other_pixels_is_left_out(self, tmp_path: Path) -> None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        made = convert(files.heic(files.quadrants(mode="L"), icc_profile=profile), tmp_path)
        assert files.icc_of(made.path.read_bytes()) == b""
        assert "colour profile" in made.applied[0].notes[0]

    def test_wide_colours_without_a_profile_are_named(self, tmp_path: Path) -> None:
        file = files.heic(files.quadrants(), color_primaries=12)
        assert convert(file, tmp_path).applied[0].notes == ("not in the JPEG: wide colours without an ICC profile",)

    def test_high_dynamic_range_is_named(self, tmp_path: Path) -> None:
        file = files.heic(files.quadrants(), transfer_characteristics=16)
        assert convert(file, tmp_path).applied[0].notes == ("not in the JPEG: high dynamic range",)

    def test_exif_of_which_nothing_fits_is_named(self, tmp_path: Path) -> None:
        circle = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x010E, 2, 70000, 26) + bytes(4) + b"x" * 70000
        broken = circle[:8] + b"\xff\xff" + circle[10:]
        made = convert(files.heic(files.quadrants(), exif=EXIF + broken), tmp_path, keep_original="when-lossy")
        assert made.keep_original
        assert "EXIF" in made.applied[0].notes[0]

    def test_a_packet_that_is_not_xmp_is_named(self, tmp_path: Path) -> None:
        made = convert(files.heic(files.quadrants(), xmp=b"<something/>"), tmp_path)
        assert made.applied[0].notes == ("not in the JPEG: metadata that is not XMP",)

    def test_xmp_beyond_all_measure_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(metadata, "_XMP_LARGEST", 70000)
        xmp = XMP % (b"<a/>" * 20000)
        made = convert(files.heic(files.quadrants(), xmp=xmp), tmp_path)
        assert made.applied[0].notes == (f"not in the JPEG: XMP ({len(xmp)} bytes)",)

    def test_long_exif_loses_its_thumbnail_first(self, tmp_path: Path) -> None:
        long = files.tiff(1, maker_note=b"N" * 60000, thumbnail=b"\xff\xd8" + b"T" * 8000)
        made = convert(files.heic(files.quadrants(), exif=EXIF + long), tmp_path, keep_original="when-lossy")
        kept = files.exif_of(made.path.read_bytes())
        link = 8 + 2 + 3 * 12
        assert kept == long[:link] + bytes(4) + long[link + 4 : -8002]
        assert not made.keep_original
        assert "thumbnail in EXIF is left out" in made.applied[0].notes[0]

    def test_what_a_maker_appended_to_exif_is_left_out_and_named(self, tmp_path: Path) -> None:
        long = files.tiff(1, maker_note=b"NOTE", thumbnail=b"\xff\xd8T", behind=b"DEPTH" * 20000)
        made = convert(files.heic(files.quadrants(), exif=EXIF + long), tmp_path)
        assert files.exif_of(made.path.read_bytes()) == files.tiff(1, maker_note=b"NOTE", thumbnail=b"\xff\xd8T")
        assert made.applied[0].notes == ("not in the JPEG: 100000 bytes of the maker's own behind EXIF",)

    def test_a_maker_note_that_is_too_long_goes_before_date_and_place_do(self, tmp_path: Path) -> None:
        long = files.tiff(1, maker_note=b"N" * 70000)
        made = convert(files.heic(files.quadrants(), exif=EXIF + long), tmp_path, keep_original="when-lossy")
        exif = opened(made.path).getexif()
        assert exif.get_ifd(0x8769)[0x9003] == "2019:07:03 14:22:05"
        assert exif.get_ifd(0x8825)[2] == (45.0, 30.0, 15.0)
        assert exif[0x0112] == 1
        assert made.keep_original
        assert "MakerNote" in made.applied[0].notes[0]

    def test_xmp_is_kept(self, tmp_path: Path) -> None:
        xmp = XMP % b"<a/>"
        assert opened(convert(files.heic(files.quadrants(), xmp=xmp), tmp_path).path).info["xmp"] == xmp

    def test_long_xmp_is_split_by_the_standard(self, tmp_path: Path) -> None:
        xmp = XMP % b"".join(b"<a>%d</a>" % number for number in range(20000))
        made = convert(files.heic(files.quadrants(), xmp=xmp), tmp_path).path.read_bytes()
        header = b"http://ns.adobe.com/xmp/extension/\0"
        parts = [payload[35:] for _, payload in files.segments(made) if payload.startswith(header)]
        guid = hashlib.md5(xmp, usedforsecurity=False).hexdigest().upper().encode()
        assert len(parts) > 1
        assert {part[:32] for part in parts} == {guid}
        whole = bytearray(len(xmp))
        for part in parts:
            total, at = struct.unpack(">II", part[32:40])
            assert total == len(xmp)
            whole[at : at + len(part) - 40] = part[40:]
        assert whole == xmp
        assert re.search(b'xmpNote:HasExtendedXMP="%s"' % guid, made)

    def test_padding_goes_before_xmp_is_split(self, tmp_path: Path) -> None:
        packet = XMP % b"<a/>"
        xmp = b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>' + packet + b" " * 70000 + b'<?xpacket end="w"?>'
        assert opened(convert(files.heic(files.quadrants(), xmp=xmp), tmp_path).path).info["xmp"] == packet


class TestWhatJpegCannotCarry:
    @pytest.mark.parametrize(
        ("urn", "name"),
        [
            (b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth", "depth map"),
            (b"urn:com:apple:photo:2020:aux:hdrgainmap", "HDR gain map"),
            (b"urn:example:unheard-of", "auxiliary image urn:example:unheard-of"),
        ],
    )
    def test_auxiliary_images_are_named(self, tmp_path: Path, urn: bytes, name: str) -> None:
        file = files.with_auxiliary_type(files.heic(files.quadrants(mode="RGBA")), urn)
        made = convert(file, tmp_path, keep_original="when-lossy")
        assert made.applied[0].notes == (f"not in the JPEG: {name}",)
        assert made.keep_original

    @pytest.mark.parametrize(
        ("behind", "size"),
        [
            (files.box(b"mpvd", files.box(b"ftyp", b"mp42" + bytes(4)) + b"movie"), 21),
            (files.box(b"ftyp", b"mp42" + bytes(4)) + files.box(b"moov", bytes(20)), 44),
            (b"SEFH\xff\xff\xff\xff" + files.box(b"ftyp", b"mp42" + bytes(4)) + b"movie", 29),
        ],
    )
    def test_motion_video_is_named_and_xmp_does_not_promise_it(self, tmp_path: Path, behind: bytes, size: int) -> None:
        made = convert(files.heic(files.quadrants(), xmp=XMP % b"") + behind, tmp_path, keep_original="when-lossy")
        assert made.applied[0].notes == (f"not in the JPEG: motion video ({size} bytes)",)
        assert made.keep_original
        assert b'MotionPhoto="0"' in opened(made.path).info["xmp"]

    def test_trailing_bytes_and_unknown_boxes_are_named(self, tmp_path: Path) -> None:
        assert convert(plain() + b"\xff\xfftrailer", tmp_path).applied[0].notes == (
            "not in the JPEG: trailing data (9 bytes)",
        )
        assert convert(plain() + files.box(b"sefd", b"1234"), tmp_path).applied[0].notes == (
            "not in the JPEG: data in a box of type sefd (4 bytes)",
        )
        assert convert(plain() + bytes(100), tmp_path).applied[0].notes == ()

    @pytest.mark.parametrize(("keep", "plain_kept", "lossy_kept"), [(False, 0, 0), (True, 1, 1), ("when-lossy", 0, 1)])
    def test_keep_original(self, tmp_path: Path, keep: Any, plain_kept: bool, lossy_kept: bool) -> None:
        assert convert(plain(), tmp_path, keep_original=keep).keep_original == plain_kept
        assert convert(plain() + b"\xff\xfftrailer", tmp_path, keep_original=keep).keep_original == lossy_kept
