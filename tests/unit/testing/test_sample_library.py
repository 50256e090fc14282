from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from syncengine.testing.sample_library import (
    SampleLibrary,
    TakeoutBuilder,
    make_sample_library,
    media_name,
    movies,
    pictures,
    sidecar,
    sidecar_name,
)

PLUS_TWO = timezone(timedelta(hours=2))
TAKEN = datetime(2019, 7, 3, 14, 22, 5, tzinfo=PLUS_TWO)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> SampleLibrary:
    return make_sample_library(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def members(library: SampleLibrary) -> dict[str, bytes]:
    """All members of all parts by their path below the export's root."""
    found: dict[str, bytes] = {}
    for part in library.parts:
        with zipfile.ZipFile(part) as archive:
            assert archive.testzip() is None
            found |= {name.partition("Google Photos/")[2] or name: archive.read(name) for name in archive.namelist()}
    return found


def media(members: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in members.items() if not path.endswith((".json", ".html"))}


def sidecars(members: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    for path, content in members.items():
        if path.endswith(".json") and "photoTakenTime" in (said := json.loads(content)):
            yield said


def test_every_writing_gives_the_same_bytes(library: SampleLibrary, tmp_path: Path) -> None:
    again = make_sample_library(tmp_path / "new" / "directory")
    assert [part.name for part in again.parts] == [
        "takeout-20260101T000000Z-001.zip",
        "takeout-20260101T000000Z-002.zip",
    ]
    assert [part.read_bytes() for part in again.parts] == [part.read_bytes() for part in library.parts]


def test_the_facts_are_those_of_the_archives(library: SampleLibrary, members: dict[str, bytes]) -> None:
    files = media(members)
    assert len(files) == library.media_files == 29
    assert len(set(files.values())) == library.contents
    assert len({(path.rpartition("/")[2], content) for path, content in files.items()}) == library.items
    assert len(list(sidecars(members))) == library.sidecars
    albums = [json.loads(content)["title"] for path, content in members.items() if path.endswith("/metadata.json")]
    assert sorted(albums) == sorted(library.albums)
    assert len(members) == library.media_files + library.sidecars + len(albums) + library.other


def test_album_members_lie_in_the_album_and_in_a_year_folder(library: SampleLibrary, members: dict[str, bytes]) -> None:
    by_name = {path.rpartition("/")[2]: path for path in media(members) if path.startswith("Photos from")}
    for album, names in library.albums.items():
        for name in names:
            in_album = members.get(f"{album}/{name}")
            if in_album is None:
                assert f"{album}/{name}.supplemental-metadata.json" in members, "a member by its sidecar alone"
            else:
                assert in_album == members[by_name[name]]


def test_media_and_sidecar_in_different_parts(library: SampleLibrary) -> None:
    with zipfile.ZipFile(library.parts[0]) as first, zipfile.ZipFile(library.parts[1]) as second:
        path = "Takeout/Google Photos/Photos from 2022/IMG_0020.JPG"
        assert path in first.namelist()
        assert path + ".supplemental-metadata.json" in second.namelist()


def test_flags_and_dates_of_the_odd_ones(library: SampleLibrary, members: dict[str, bytes]) -> None:
    said = {document["title"]: document for document in sidecars(members)}
    assert [title for title, document in said.items() if document.get("archived")] == list(library.archived)
    assert [title for title, document in said.items() if document.get("trashed")] == list(library.trashed)
    early = [title for title, document in said.items() if int(document["photoTakenTime"]["timestamp"]) < 0]
    assert early == list(library.before_1970)
    assert library.without_sidecar[0] not in said
    assert library.without_sidecar[1].replace("-", "") in library.without_sidecar[0]
    assert said["IMG_0001.HEIC"]["photoTakenTime"]["timestamp"] == "1562156525"


def test_same_pictures_are_near_and_different_ones_are_far(library: SampleLibrary, members: dict[str, bytes]) -> None:
    hashes = perceptual_hashes(members)
    near = {tuple(sorted(pair)) for pair in library.near_duplicates + library.exact_duplicates}
    for one, other in itertools.combinations(sorted(hashes), 2):
        distance = hashes[one] - hashes[other]
        assert distance <= 4 if (one, other) in near else distance > 12, (one, other, distance)


def perceptual_hashes(members: dict[str, bytes]) -> dict[str, Any]:
    import imagehash
    import pillow_heif
    from PIL import Image

    found = {}
    for path, content in media(members).items():
        name = path.rpartition("/")[2]
        if name.endswith(".HEIC") and name not in found and name != "IMG_0404.HEIC":
            found[name] = imagehash.phash(pillow_heif.open_heif(io.BytesIO(content)).to_pillow())
        elif name.lower().endswith(".jpg"):
            found[name] = imagehash.phash(Image.open(io.BytesIO(content)))
    return found


def test_the_corrupt_file_cannot_be_decoded(library: SampleLibrary, members: dict[str, bytes]) -> None:
    import pillow_heif

    (path,) = [path for path in members if path.endswith(library.corrupt[0])]
    with pytest.raises((EOFError, ValueError, OSError, RuntimeError, SyntaxError)):
        pillow_heif.open_heif(io.BytesIO(members[path]), convert_hdr_to_8bit=True).to_pillow()


def test_heic_files_are_grids_with_a_phones_exif(members: dict[str, bytes]) -> None:
    import pillow_heif
    from PIL import Image

    content = members["Photos from 2019/IMG_0001.HEIC"]
    assert b"grid" in content[:2000]
    exif = Image.Exif()
    exif.load(pillow_heif.open_heif(io.BytesIO(content)).info["exif"])
    detail, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    assert (exif[0x010F], exif[0x0110]) == ("Apple", "iPhone 13 Pro")
    assert (detail[0x9003], detail[0x9011]) == ("2019:07:03 14:22:05", "+02:00")
    assert (gps[1], gps[3]) == ("N", "E")
    assert sum(float(part) / 60**power for power, part in enumerate(gps[2])) == pytest.approx(41.89021, abs=1e-5)


def test_the_halves_of_a_live_photo_carry_one_identifier(library: SampleLibrary, members: dict[str, bytes]) -> None:
    still, movie = (members[f"Photos from 2019/{name}"] for name in library.live_photo)
    identifier = b"7B1F4C62-0D3A-4E0B-9C55-1A2B3C4D5E6F"
    assert b"Apple iOS\0" in still
    assert identifier in still
    assert identifier in movie
    assert movie[4:12] == b"ftypqt  "


def test_maker_note_points_at_its_text() -> None:
    note = pictures.apple_maker_note("ABC-DEF")
    assert note[:14] == b"Apple iOS\0\0\x01MM"
    assert int.from_bytes(note[14:16], "big") == 2
    tag, count, offset = note[28:30], int.from_bytes(note[32:36], "big"), int.from_bytes(note[36:40], "big")
    assert (tag, note[offset : offset + count]) == (b"\x00\x11", b"ABC-DEF\0")


def test_movie_boxes_fill_the_file_and_hold_the_time() -> None:
    for movie in (movies.mp4(TAKEN, size=100), movies.live_photo_movie(TAKEN, "X", size=100)):
        kinds, place = [], 0
        while place < len(movie):
            kinds.append(movie[place + 4 : place + 8])
            place += int.from_bytes(movie[place : place + 4], "big")
        assert kinds == [b"ftyp", b"moov", b"mdat"]
        assert place == len(movie)
        header = movie.index(b"mvhd")
        seconds = int.from_bytes(movie[header + 8 : header + 12], "big")
        assert datetime(1904, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds) == TAKEN


@pytest.mark.parametrize(
    ("title", "counter", "media_file", "sidecar_file"),
    [
        ("IMG_1.jpg", 0, "IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1.jpg", 1, "IMG_1(1).jpg", "IMG_1.jpg.supplemental-metadata(1).json"),
        (
            "Screenshot_20190317-234331.jpg",
            0,
            "Screenshot_20190317-234331.jpg",
            "Screenshot_20190317-234331.jpg.supplemental-me.json",
        ),
        (
            "PXL_20230814_201154491.LONG_EXPOSURE-01.COVER.jpg",
            0,
            "PXL_20230814_201154491.LONG_EXPOSURE-01.COVER.jpg",
            "PXL_20230814_201154491.LONG_EXPOSURE-01.COVER..json",
        ),
        (
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINAL.jpg",
            0,
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINA.jpg",
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN.json",
        ),
        ("27/06/12 - 1.mov", 0, "27_06_12 - 1.mov", "27_06_12 - 1.mov.supplemental-metadata.json"),
        (46 * "a" + "\N{CAMERA}z.jpg", 0, 46 * "a" + "\N{CAMERA}.jpg", 46 * "a" + ".json"),
        ("no extension", 0, "no extension", "no extension.supplemental-metadata.json"),
    ],
)
def test_names_follow_googles_rules(title: str, counter: int, media_file: str, sidecar_file: str) -> None:
    assert media_name(title, counter) == media_file
    assert sidecar_name(title, counter) == sidecar_file


def test_other_styles_of_sidecar_names() -> None:
    assert sidecar_name("IMG_1.jpg", 2, "old") == "IMG_1.jpg(2).json"
    assert sidecar_name(40 * "a" + ".jpg", 0, "uncut") == 40 * "a" + ".jpg.supplemental-metadata.json"


def test_a_sidecar_says_only_what_it_was_told() -> None:
    bare = json.loads(sidecar("a.jpg", None))
    assert "photoTakenTime" not in bare
    assert not {"favorited", "archived", "trashed", "people"} & set(bare)
    told = json.loads(sidecar("a.jpg", TAKEN, place=(-33.5, 151.25), favorite=True, partner=True, people=("Ada",)))
    assert (told["geoData"]["latitude"], told["favorited"], told["people"]) == (-33.5, True, [{"name": "Ada"}])
    assert told["googlePhotosOrigin"] == {"fromPartnerSharing": {}}


def test_a_builder_writes_the_same_members_as_zip_and_as_folder(tmp_path: Path) -> None:
    builder = TakeoutBuilder("Takeout/Google Fotos")
    builder.photo("Fotos von 2024", "a.jpg", taken=TAKEN, parts=(1, 2))
    builder.album("Rom", "Rom")
    builder.write_folder(tmp_path / "unpacked")
    with zipfile.ZipFile(builder.write_zip(tmp_path / "all.zip")) as archive:
        names = archive.namelist()
        assert all((tmp_path / "unpacked" / name).read_bytes() == archive.read(name) for name in names)
    assert names == [
        "Takeout/Google Fotos/Fotos von 2024/a.jpg",
        "Takeout/Google Fotos/Fotos von 2024/a.jpg.supplemental-metadata.json",
        "Takeout/Google Fotos/Rom/metadata.json",
    ]
    with zipfile.ZipFile(builder.write_zip(tmp_path / "two.zip", 2)) as archive:
        assert archive.namelist() == names[1:2]


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "syncengine.testing.sample_library", str(tmp_path / "out")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "2 archives, 29 photos and videos" in said
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_building_without_drawing_loads_no_image_library() -> None:
    code = "import sys, syncengine.testing.sample_library; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
