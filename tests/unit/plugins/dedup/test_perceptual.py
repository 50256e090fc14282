from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagehash
import msgspec
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from syncengine.api import Asset, Kind, MediaItem, options_schema
from syncengine_plugins.dedup import phash
from syncengine_plugins.dedup.perceptual import Perceptual, PerceptualOptions


class Index:
    def __init__(self, *known: tuple[bytes, bytes]) -> None:
        self.known = known

    def get(self, fingerprint: bytes) -> bytes | None:
        return dict(self.known).get(fingerprint)

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self.known


def scene(seed: int = 1, size: tuple[int, int] = (480, 360)) -> Image.Image:
    """Return something with the frequencies of a photo: noise at several scales."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3))
    for cells in (3, 6, 12, 24):
        small = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += np.asarray(small.resize(size, Image.Resampling.BICUBIC)) / cells
    total -= total.min()
    return Image.fromarray((total / total.max() * 255).astype(np.uint8))


def fingerprint(path: Path, kind: Kind = Kind.PHOTO) -> bytes | None:
    item = MediaItem(id="1", name=path.name, kind=kind, content_token="t")
    return Perceptual(PerceptualOptions()).fingerprint(Asset(path=path, name=path.name, kind=kind, item=item))


def saved(image: Image.Image, tmp_path: Path, name: str = "a.jpg", **options: Any) -> bytes | None:
    target = tmp_path / name
    image.save(target, **options)
    return fingerprint(target)


def distance(first: bytes | None, second: bytes | None) -> int:
    assert first is not None
    assert second is not None
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_count()


class TestFingerprint:
    def test_it_is_imagehash_with_the_first_bit_first(self, tmp_path: Path) -> None:
        for seed in range(20):
            image = scene(seed, (300, 200))  # too small to be reduced first
            found = saved(image, tmp_path, "a.png")
            assert found is not None
            assert found.hex() == str(imagehash.phash(image, hash_size=8))

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("name", "size"),
        [("a.jpg", (2100, 2060)), ("a.jpg", (1100, 1030)), ("a.png", (1100, 1030)), ("a.webp", (600, 520))],
    )
    def test_larger_photos_hash_the_same_within_two_bits(
        self, tmp_path: Path, size: tuple[int, int], name: str
    ) -> None:
        image = scene(3, size)
        found = saved(image, tmp_path, name, quality=90)
        direct = imagehash.phash(image, hash_size=8)
        assert distance(found, bytes.fromhex(str(direct))) <= 2

    def test_size_quality_and_format_make_no_match_fail(self, tmp_path: Path) -> None:
        image = scene(5, (1200, 900))
        first = saved(image, tmp_path, quality=95)
        others = [
            saved(image, tmp_path, "b.jpg", quality=60),
            saved(image, tmp_path, "c.png"),
            saved(image.resize((400, 300)), tmp_path, "d.jpg"),
            saved(image.convert("L"), tmp_path, "e.jpg"),
        ]
        pillow_heif.from_pillow(image).save(tmp_path / "f.heic")
        others.append(fingerprint(tmp_path / "f.heic"))
        assert max(distance(first, other) for other in others) <= 4

    def test_different_photos_are_far_apart(self, tmp_path: Path) -> None:
        found = [saved(scene(seed), tmp_path, f"{seed}.jpg") for seed in range(12)]
        assert min(distance(a, b) for place, a in enumerate(found) for b in found[:place]) > 10

    @pytest.mark.slow
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
    def test_exif_orientation_is_applied(self, tmp_path: Path, orientation: int, format_: str) -> None:
        image = scene(7)
        exif = Image.Exif()
        exif[0x0112] = orientation
        lossless: dict[str, Any] = {"lossless": True} if format_ == "WEBP" else {"quality": 95}
        buffer = io.BytesIO()
        image.save(buffer, format_, exif=exif, **lossless)
        (tmp_path / "turned").write_bytes(buffer.getvalue())
        with Image.open(buffer) as opened:
            upright = ImageOps.exif_transpose(opened)
        assert distance(fingerprint(tmp_path / "turned"), saved(upright, tmp_path, "upright.png")) <= 2

    def test_the_same_file_gives_the_same_8_bytes_under_any_name(self, tmp_path: Path) -> None:
        first = saved(scene(), tmp_path, "a.jpg")
        (tmp_path / "IMG_1.HEIC").write_bytes((tmp_path / "a.jpg").read_bytes())
        assert first == fingerprint(tmp_path / "IMG_1.HEIC")
        assert first is not None
        assert len(first) == 8

    def test_videos_and_others_are_not_covered(self, tmp_path: Path) -> None:
        scene().save(tmp_path / "a.jpg")
        assert fingerprint(tmp_path / "a.jpg", Kind.VIDEO) is None
        assert fingerprint(tmp_path / "a.jpg", Kind.OTHER) is None

    @pytest.mark.parametrize("name", ["a.tif", "a.gif"])
    def test_formats_that_stand_for_something_else_are_not_covered(self, tmp_path: Path, name: str) -> None:
        assert saved(scene(), tmp_path, name) is None

    @pytest.mark.parametrize("colour", [0, 1, 7, 128, 254, 255])
    def test_one_colour_has_no_hash(self, tmp_path: Path, colour: int) -> None:
        assert saved(Image.new("RGB", (400, 300), (colour,) * 3), tmp_path) is None

    def test_dark_noise_and_gradients_have_no_hash(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(2)
        noise = np.clip(rng.normal(5, 3, (900, 1200)), 0, 255)
        gradient = np.linspace(40, 190, 900)[:, None] * np.ones((1, 1200))
        y, x = np.mgrid[-1:1:900j, -1:1:1200j]
        stars = 20 - 8 * (x**2 + y**2) + rng.normal(0, 2, x.shape)
        stars[rng.integers(0, 900, 100), rng.integers(0, 1200, 100)] = 255
        for pixels in (noise, gradient, stars):
            assert saved(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), tmp_path) is None

    def test_a_dark_photo_that_shows_something_has_one(self, tmp_path: Path) -> None:
        dark = scene(4).point(lambda value: value // 8)
        assert distance(saved(dark, tmp_path), saved(scene(4), tmp_path)) <= 6

    def test_bad_files_have_none(self, tmp_path: Path) -> None:
        scene().save(tmp_path / "whole.jpg")
        pillow_heif.from_pillow(scene()).save(tmp_path / "whole.heic")
        jpeg, heic = (tmp_path / "whole.jpg").read_bytes(), (tmp_path / "whole.heic").read_bytes()
        for content in (b"", b"text", jpeg[: len(jpeg) // 2], jpeg[:20], heic[:-9], heic[:40], bytes(3000)):
            (tmp_path / "bad").write_bytes(content)
            assert fingerprint(tmp_path / "bad") is None
        assert fingerprint(tmp_path / "missing.jpg") is None

    def test_exif_that_cannot_be_read_does_not_matter(self, tmp_path: Path) -> None:
        clean = saved(scene(), tmp_path)
        assert saved(scene(), tmp_path, "b.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40) == clean

    def test_large_photos_are_covered_and_bombs_are_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        scene().save(tmp_path / "a.jpg")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
        assert fingerprint(tmp_path / "a.jpg") is not None
        assert Image.MAX_IMAGE_PIXELS == 1000
        monkeypatch.setattr(phash, "MAX_PIXELS", 480 * 360 - 1)
        assert fingerprint(tmp_path / "a.jpg") is None


class TestMatch:
    def test_the_stage_and_the_method(self) -> None:
        dedup = Perceptual(PerceptualOptions())
        assert (dedup.method, dedup.stage, dedup.decodes) == ("phash64-1", "final", True)

    @pytest.mark.parametrize(("on_match", "skip"), [("report", False), ("skip", True)])
    def test_the_nearest_within_the_limit(self, on_match: Any, skip: bool) -> None:
        dedup = Perceptual(PerceptualOptions(max_distance=2, on_match=on_match))
        dedup.load(Index((b"\0" * 8, b"old"), (b"\0" * 7 + b"\xff", b"far")))
        dedup.add(b"\0" * 7 + b"\x0f", b"new")
        for wanted, content, bits in ((b"\0", b"old", 0), (b"\x03", b"old", 2), (b"\x07", b"new", 1)):
            found = dedup.match(b"\0" * 7 + wanted)
            assert found is not None
            assert (found.content, found.distance, found.skip) == (content, bits, skip)
        assert dedup.match(b"\xff" * 8) is None

    def test_nothing_known_nothing_found(self) -> None:
        dedup = Perceptual(PerceptualOptions(max_distance=32))
        dedup.load(Index())
        assert dedup.match(b"\0" * 8) is None

    def test_it_crosses_to_a_worker(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        scene().save(path)
        item = MediaItem(id="1", name="a.jpg", kind=Kind.PHOTO, content_token="t")
        dedup = pickle.loads(pickle.dumps(Perceptual(PerceptualOptions())))
        assert dedup.fingerprint(Asset(path=path, name="a.jpg", kind=Kind.PHOTO, item=item)) == fingerprint(path)

    def test_options_are_described_and_bounded(self) -> None:
        schema = options_schema(PerceptualOptions)["properties"]
        assert all("description" in option for option in schema.values())
        assert (schema["max_distance"]["minimum"], schema["max_distance"]["maximum"]) == (0, 32)
        assert (schema["max_distance"]["default"], schema["on_match"]["default"]) == (4, "report")
        for wrong in ({"max_distance": 33}, {"max_distance": -1}, {"on_match": "delete"}):
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(wrong, PerceptualOptions)
