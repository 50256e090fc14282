"""A small library with one of everything that makes real ones difficult, as two Takeout parts."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from syncengine.testing.sample_library import movies, pictures
from syncengine.testing.sample_library.takeout import Member, TakeoutBuilder, sidecar, sidecar_name

if TYPE_CHECKING:
    from PIL.Image import Image

_PARTS = ("takeout-20260101T000000Z-001.zip", "takeout-20260101T000000Z-002.zip")
_CORRUPT = "IMG_0404.HEIC"
_ALBUMS = (
    ("Rome 2019", ("IMG_0001.HEIC", "IMG_0002.HEIC", "IMG_0002.MOV", "IMG_0007.JPG")),
    ("Summer at the lake", ("IMG_0020.JPG", "VID_20220612_101500.mp4")),
)
_LIVE_PHOTO = "7B1F4C62-0D3A-4E0B-9C55-1A2B3C4D5E6F"
_SUMMER_IN_ROME = timezone(timedelta(hours=2))
_COLOSSEUM, _FORUM, _LAKE = (41.890210, 12.492231), (41.892464, 12.485325), (45.983, 9.253)


class SampleLibrary(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a sample library, for tests to hold a backup against.

    Args:
        directory: where the parts are.
        parts: the zip archives.
        media_files: photos and videos in the archives, each copy counted.
        items: the same with the copies of one item (same title, same bytes) counted once.
        contents: different bytes among them.
        sidecars: JSON files that describe an item.
        other: files that are no media, no sidecar and no album description.
        albums: the names of each album's members by its title.
        corrupt: names of the files that no decoder can read.
        exact_duplicates: pairs of names with the same bytes.
        near_duplicates: pairs of names that show the same picture in different bytes.
        live_photo: names of the still and its movie.
        edited: names of the original and its edited copy.
        archived: names.
        trashed: names.
        without_sidecar: name, and the day that is in it.
        before_1970: names.
    """

    directory: Path
    parts: tuple[Path, ...]
    media_files: int
    items: int
    contents: int
    sidecars: int
    other: int = 3
    albums: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=lambda: dict(_ALBUMS))
    corrupt: tuple[str, ...] = (_CORRUPT,)
    exact_duplicates: tuple[tuple[str, str], ...] = (("IMG_0005.JPG", "Copy of the market.jpg"),)
    near_duplicates: tuple[tuple[str, str], ...] = (
        ("IMG_0001.HEIC", "IMG-20190703-WA0003.jpg"),
        ("IMG_0006.JPG", "IMG_0006_small.jpg"),
    )
    live_photo: tuple[str, str] = ("IMG_0002.HEIC", "IMG_0002.MOV")
    edited: tuple[str, str] = ("IMG_0003.JPG", "IMG_0003-edited.JPG")
    archived: tuple[str, ...] = ("Receipt.jpg",)
    trashed: tuple[str, ...] = ("Blurred.jpg",)
    without_sidecar: tuple[str, str] = ("IMG_20180405_093015.jpg", "2018-04-05")
    before_1970: tuple[str, ...] = ("Grandmother.jpg",)


def make_sample_library(directory: Path) -> SampleLibrary:
    """Write the sample library's two archives into ``directory`` (made when missing) and say what is in them.

    The same versions of the image libraries give the same bytes each time.
    """
    builder = TakeoutBuilder()
    for chapter in (_rome, _lake, _everyday, _awkward_names, _odd_ones):
        chapter(builder)
    directory.mkdir(parents=True, exist_ok=True)
    parts = tuple(builder.write_zip(directory / name, number) for number, name in enumerate(_PARTS, 1))
    return _described(builder, directory, parts)


def _described(builder: TakeoutBuilder, directory: Path, parts: tuple[Path, ...]) -> SampleLibrary:
    media = [member for member in builder.members if not member.path.endswith((".json", ".html"))]
    sidecars = sum(b'"photoTakenTime"' in member.content for member in builder.members)
    return SampleLibrary(
        directory=directory,
        parts=parts,
        media_files=len(media),
        items=len({(member.path.rpartition("/")[2], member.content) for member in media}),
        contents=len({member.content for member in media}),
        sidecars=sidecars,
    )


def _rome(builder: TakeoutBuilder) -> None:
    """An album of HEIC files with a Live Photo; its members lie in the year folder as well, one of them only there."""
    year, album = "Photos from 2019", "Rome 2019"
    builder.album(album, "Rome 2019", description="Three days in July", part=2)

    taken = datetime(2019, 7, 3, 14, 22, 5, tzinfo=_SUMMER_IN_ROME)
    colosseum = pictures.draw(1)
    still = pictures.heic(colosseum, pictures.phone_exif(taken, place=_COLOSSEUM))
    builder.photo(year, "IMG_0001.HEIC", still, taken=taken, place=_COLOSSEUM, people=("Ada", "Bruno"), favorite=True)
    builder.photo(album, "IMG_0001.HEIC", still, taken=taken, parts=(2, 2), place=_COLOSSEUM)
    smaller = pictures.jpeg(colosseum.resize((400, 300)), quality=70)
    builder.photo(year, "IMG-20190703-WA0003.jpg", smaller, taken=taken + timedelta(minutes=3))

    taken = datetime(2019, 7, 3, 15, 1, 40, tzinfo=_SUMMER_IN_ROME)
    exif = pictures.phone_exif(taken, place=_FORUM, live_photo=_LIVE_PHOTO)
    still, movie = pictures.heic(pictures.draw(2), exif), movies.live_photo_movie(taken, _LIVE_PHOTO)
    for folder, part in ((year, 1), (album, 2)):
        builder.photo(folder, "IMG_0002.HEIC", still, taken=taken, parts=(part, part), place=_FORUM)
        builder.media(folder, "IMG_0002.MOV", movie, part=part)

    taken = datetime(2019, 7, 4, 9, 30, tzinfo=_SUMMER_IN_ROME)
    builder.photo(year, "IMG_0007.JPG", _phone_jpeg(pictures.draw(7), taken), taken=taken)
    builder.sidecar(album, "IMG_0007.JPG", taken, part=2)


def _lake(builder: TakeoutBuilder) -> None:
    """An album with a video; its members' sidecars lie in the other part than their files."""
    year, album = "Photos from 2022", "Summer at the lake"
    builder.album(album, "Summer at the lake", part=1)
    taken = datetime(2022, 6, 12, 10, 15, tzinfo=UTC)
    files = {
        "VID_20220612_101500.mp4": movies.mp4(taken),
        "IMG_0020.JPG": _phone_jpeg(pictures.draw(20), taken, place=_LAKE),
    }
    for title, content in files.items():
        builder.photo(year, title, content, taken=taken, parts=(1, 2), place=_LAKE)
        builder.photo(album, title, content, taken=taken, parts=(2, 1), place=_LAKE)


def _everyday(builder: TakeoutBuilder) -> None:
    """An edited copy, two photos of one name, an exact copy under another title, and a smaller version."""
    year, taken = "Photos from 2020", datetime(2020, 8, 15, 11, 0, tzinfo=UTC)
    builder.photo(year, "IMG_0003.JPG", _phone_jpeg(pictures.draw(3), taken), taken=taken, description="The old door")
    builder.media(year, "IMG_0003-edited.JPG", pictures.jpeg(_edited(pictures.draw(3))))

    for counter in (0, 1):
        later = taken + timedelta(hours=1 + counter)
        content = _phone_jpeg(pictures.draw(40 + counter), later)
        builder.photo(year, "IMG_0004.JPG", content, taken=later, counter=counter)

    market = _phone_jpeg(pictures.draw(5), taken + timedelta(hours=4))
    builder.photo(year, "IMG_0005.JPG", market, taken=taken + timedelta(hours=4))
    builder.photo(year, "Copy of the market.jpg", market, taken=taken + timedelta(days=9))

    harbour = pictures.draw(6)
    builder.photo(year, "IMG_0006.JPG", _phone_jpeg(harbour, taken), taken=taken)
    builder.photo(year, "IMG_0006_small.jpg", pictures.jpeg(harbour.resize((320, 240)), quality=60), taken=taken)


def _edited(image: Image) -> Image:
    """Return what a user might have made of it: turned around, and only a part of it."""
    return image.rotate(90, expand=True).crop((0, 100, 480, 460))


def _awkward_names(builder: TakeoutBuilder) -> None:
    """Sidecar names that were cut, an old-style one, a localised year folder, a name in decomposed Unicode."""
    taken = datetime(2023, 10, 27, 12, 33, 3, tzinfo=UTC)
    cut = ("Screenshot_20231027_123303_Facebook.jpg", "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINAL.jpg")
    for number, title in enumerate(cut):
        content = _phone_jpeg(pictures.draw(50 + number), taken, camera=pictures.PIXEL)
        builder.photo("Photos from 2023", title, content, taken=taken, parts=(2, 2))

    content = pictures.jpeg(pictures.draw(53))
    builder.media("Photos from 2023", "DSC_0815.JPG", content, part=2)
    builder.sidecar("Photos from 2023", "DSC_0815.JPG", taken, part=2, style="old")

    folder, title = "Fotos von 2024", "Frühstück.HEIC"
    decomposed = unicodedata.normalize("NFD", title)
    taken = datetime(2024, 5, 1, 8, 0, tzinfo=_SUMMER_IN_ROME)
    builder.media(folder, decomposed, pictures.heic(pictures.draw(54), pictures.phone_exif(taken)), part=2)
    builder.file(f"{folder}/{sidecar_name(decomposed)}", sidecar(title, taken), part=2)


def _odd_ones(builder: TakeoutBuilder) -> None:
    """Archived, trashed, corrupt, before 1970, without a sidecar; and the files that are no photos at all."""
    taken = datetime(2021, 3, 14, 15, 9, 26, tzinfo=UTC)
    builder.photo("Archive", "Receipt.jpg", pictures.jpeg(pictures.draw(60)), taken=taken, archived=True)
    builder.photo("Trash", "Blurred.jpg", pictures.jpeg(pictures.draw(61)), taken=taken, trashed=True, parts=(2, 2))

    whole = pictures.heic(pictures.draw(62), pictures.phone_exif(taken))
    builder.photo("Photos from 2021", _CORRUPT, _damaged(whole), taken=taken, parts=(2, 2))

    wedding = datetime(1962, 6, 2, 11, 0, tzinfo=UTC)
    builder.photo("Photos from 1962", "Grandmother.jpg", pictures.jpeg(pictures.draw(63).convert("L")), taken=wedding)
    builder.media("Photos from 2018", "IMG_20180405_093015.jpg", pictures.jpeg(pictures.draw(64)))

    builder.members.append(
        Member("Takeout/archive_browser.html", b"<!DOCTYPE html><title>Google Data Export</title>\n")
    )
    builder.file("print-subscriptions.json", b"{}")
    builder.file("user-generated-memory-titles.json", b'{"memoryTitles": []}', part=2)


def _damaged(heic: bytes) -> bytes:
    """Return the first half of a HEIC, as a broken upload leaves it.

    Only the end is missing on purpose: libheif takes a grid with single destroyed tiles for a whole picture.
    """
    return heic[: len(heic) // 2]


def _phone_jpeg(
    image: Image,
    taken: datetime,
    *,
    camera: pictures.Camera = pictures.IPHONE,
    place: tuple[float, float] | None = None,
) -> bytes:
    return pictures.jpeg(image, pictures.phone_exif(taken, camera, place=place))
