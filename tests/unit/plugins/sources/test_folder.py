from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncengine.api import (
    Album,
    AlbumRef,
    CaptureTime,
    FatalError,
    ItemError,
    ItemState,
    Kind,
    Location,
    MediaItem,
    Registry,
    RetryableError,
    RunContext,
    Selection,
)
from syncengine_plugins.sources import folder
from syncengine_plugins.sources.folder import FolderOptions, FolderSource
from tests.unit.plugins.media.builders import exif_block, heic, image, movie, user_text, xmp_packet

NOON = exif_block({271: "Maker"}, {36867: "2019:07:03 12:00:00"})
MTIME = 1_500_000_000
#: Where no file is: the source describes its own file then.
NOT_FETCHED = Path("not fetched")


def lock(path: Path) -> None:
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads everything")


class Bytes:
    """A sink that copies, as every sink has to."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        self.content += bytes(data)
        return len(data)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "tree"
    made.mkdir()
    return made


@pytest.fixture
def put(root: Path) -> Callable[..., Path]:
    def write(name: str, content: bytes = b"", mtime: float = MTIME) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (mtime, mtime))
        return path

    return write


Opener = Callable[..., FolderSource]


@pytest.fixture
def opened(root: Path, tmp_path: Path) -> Iterator[Opener]:
    sources: list[FolderSource] = []

    def make(**options: bool) -> FolderSource:
        source = FolderSource(FolderOptions(path=str(root), **options))
        source.open(RunContext(cache=tmp_path / "cache", scratch=tmp_path / "scratch"))
        sources.append(source)
        return source

    yield make
    for source in sources:
        source.close()


def counts(inventory):
    """The totals, after a look whether every name that was found is in exactly one of them."""
    for total, parts in inventory.sums.items():
        assert inventory.counts[total] == sum(inventory.counts.get(part, 0) for part in parts)
    return {name: count for name, count in inventory.counts.items() if name not in {"items", "entries"}}


def scan(source: FolderSource, **select: object) -> list[MediaItem]:
    return list(source.scan(Selection(**select)))  # type: ignore[arg-type]  # the tests' own shorthand


def described(source: FolderSource, name: str) -> MediaItem:
    item = next(item for item in scan(source) if item.id == name)
    return source.describe(item, NOT_FETCHED)


# --- listing --------------------------------------------------------------------------------------------------------


def test_photos_and_videos_are_listed_in_the_order_of_names(put: Callable[..., Path], opened: Opener) -> None:
    for name in ("b/2.jpg", "b/1.HEIC", "a/x/deep.mov", "a/z.png", "top.JPG", "notes.txt", "b/old.pdf"):
        put(name, b"12345")
    source = opened()
    items = scan(source)
    assert [item.id for item in items] == ["top.JPG", "a/z.png", "a/x/deep.mov", "b/1.HEIC", "b/2.jpg"]
    assert items == scan(source)
    assert items[2] == MediaItem(
        id="a/x/deep.mov",
        name="deep.mov",
        kind=Kind.VIDEO,
        content_token=f"5:{MTIME}000000000",
        size=5,
        origins=("a/x/deep.mov",),
    )
    inventory = source.inventory()
    assert inventory.complete
    assert counts(inventory) == {"media": 5, "sidecars": 0, "other": 2}
    assert (inventory.counts["items"], inventory.counts["entries"]) == (5, 7)
    assert inventory.warnings == ("2 files are neither photo nor video and are not backed up (1 .txt, 1 .pdf)",)


def test_other_files_are_items_on_wish(put: Callable[..., Path], opened: Opener) -> None:
    put("a.jpg")
    put("a.txt")
    source = opened(include_other=True)
    assert [(item.id, item.kind) for item in scan(source)] == [("a.jpg", Kind.PHOTO), ("a.txt", Kind.OTHER)]
    assert counts(source.inventory()) == {"media": 1, "sidecars": 0, "other": 1}
    assert source.inventory().warnings == ()


def test_an_empty_file_is_an_item(put: Callable[..., Path], opened: Opener) -> None:
    put("empty.heic")
    assert [(item.size, item.kind) for item in scan(opened())] == [(0, Kind.PHOTO)]


def test_a_file_without_an_extension_is_looked_into(put: Callable[..., Path], opened: Opener) -> None:
    put("MVIMG_1", movie(brand=b"isom"))
    put("README", b"text")
    put("jpg", b"text")
    source = opened()
    assert [(item.id, item.kind) for item in scan(source)] == [("MVIMG_1", Kind.VIDEO)]
    assert source.inventory().counts["other"] == 2


def test_hidden_and_system_files_are_passed_over_and_counted(put: Callable[..., Path], opened: Opener) -> None:
    names = (
        ".hidden.jpg",
        "@eaDir/t.jpg",
        ".Trash-1000/files/a.jpg",
        "#recycle/b.jpg",
        ".thumbnails/1.jpg",
        "Thumbs.db",
    )
    for name in ("seen.jpg", "._seen.jpg", *names):
        put(name)
    source = opened()
    assert [item.id for item in scan(source)] == ["seen.jpg"]
    assert counts(source.inventory()) == {"media": 1, "sidecars": 0, "other": 0, "hidden": 7}
    assert "7 hidden or system files and folders were passed over" in source.inventory().warnings[0]
    assert [item.id for item in scan(opened(include_hidden=True))] == [
        ".hidden.jpg",
        "seen.jpg",
        ".thumbnails/1.jpg",
    ]


def test_a_destination_inside_the_tree_is_not_backed_up(put: Callable[..., Path], opened: Opener) -> None:
    put("a.jpg")
    put("nas/backup/.syncengine/tmp/x.jpg")
    put("nas/backup/photos/2019/b.jpg")
    put("nas/c.jpg")
    source = opened()
    assert [item.id for item in scan(source)] == ["a.jpg", "nas/c.jpg"]
    assert source.inventory().warnings == (
        "1 folders are the destination of a backup and were passed over (nas/backup/)",
    )


def test_a_root_that_is_a_destination_is_refused(put: Callable[..., Path], opened: Opener) -> None:
    put(".syncengine/format")
    with pytest.raises(FatalError, match="destination of a backup"):
        opened()


@pytest.mark.parametrize("broken", ["missing", "a file"])
def test_a_root_that_is_no_directory_is_fatal(root: Path, opened: Opener, broken: str) -> None:
    root.rmdir()
    if broken == "a file":
        root.write_bytes(b"")
    with pytest.raises(FatalError) as caught:
        opened()
    assert str(root) in caught.value.reason
    assert "source.folder.path" in caught.value.advice


def test_links_pipes_and_sockets_are_never_followed_or_opened(
    put: Callable[..., Path], root: Path, tmp_path: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.jpg").write_bytes(b"x")
    put("a.jpg")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to(root)
    (root / "link.jpg").symlink_to(root / "a.jpg")
    (root / "dangling.jpg").symlink_to(root / "nowhere")
    os.mkfifo(root / "pipe.jpg")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        source = opened()
        assert [item.id for item in scan(source)] == ["a.jpg"]
    assert counts(source.inventory()) == {"media": 1, "sidecars": 0, "other": 0, "links": 4, "special": 2}
    assert source.inventory().complete


def test_names_that_are_no_utf8_have_stable_text_ids(root: Path, opened: Opener) -> None:
    raw = os.fsencode(root)
    os.mkdir(raw + b"/\xe9t\xe9")
    names = (
        b"/caf\xe9.jpg",
        b"/caf\xe8.jpg",
        b"/caf%E9.jpg",
        b"/\xe9t\xe9/a.jpg",
        b"/new\nline.jpg",
        "/café.jpg".encode(),
    )
    for name in names:
        with open(raw + name, "wb") as stream:
            stream.write(name)
    source = opened()
    items = scan(source)
    assert [item.id for item in items] == [
        "caf%E9.jpg",
        "café.jpg",
        "//caf%E8.jpg",
        "//caf%E9.jpg",
        "new\nline.jpg",
        "//%E9t%E9/a.jpg",
    ]
    assert [item.name for item in items][2:4] == ["caf%E8.jpg", "caf%E9.jpg"]
    assert all(item.id.encode() and item.name.encode() for item in items)
    assert items[2].notes == ("the file's name is no UTF-8",)
    for item in items:
        sink = Bytes()
        source.fetch(item, sink)
        assert source.describe(item, NOT_FETCHED).name == item.name
        assert sink.content.endswith(b".jpg")


def test_a_folder_that_cannot_be_read_makes_the_inventory_incomplete(
    put: Callable[..., Path], root: Path, opened: Opener
) -> None:
    put("a.jpg")
    put("closed/b.jpg")
    put("open/c.jpg")
    try:
        lock(root / "closed")
        source = opened()
        assert [item.id for item in scan(source)] == ["a.jpg", "open/c.jpg"]
    finally:
        (root / "closed").chmod(0o700)
    assert not source.inventory().complete
    assert source.inventory().missing == ("closed/: Permission denied",)


def test_a_folder_that_fails_makes_the_inventory_incomplete(
    put: Callable[..., Path], opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.jpg")
    put("bad/b.jpg")
    put("good/c.jpg")
    source = opened()
    real = os.open

    def fail(path: str, flags: int, *args: int, **kw: int) -> int:
        if str(path).endswith("/bad"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *args, **kw)

    monkeypatch.setattr(os, "open", fail)
    assert [item.id for item in scan(source)] == ["a.jpg", "good/c.jpg"]
    assert source.inventory().missing == ("bad/: Permission denied",)


def test_a_file_that_cannot_be_looked_at_makes_the_inventory_incomplete(
    put: Callable[..., Path], opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "gone.jpg", "sick.jpg"):
        put(name)
    source = opened()
    real = os.stat

    def fail(path: str, **kw: int) -> os.stat_result:
        if path == "gone.jpg":
            raise FileNotFoundError(2, "No such file")
        if path == "sick.jpg":
            raise OSError(5, "Input/output error")
        return real(path, **kw)

    monkeypatch.setattr(os, "stat", fail)
    assert [item.id for item in scan(source)] == ["a.jpg"]
    assert source.inventory().missing == ("sick.jpg: Input/output error",)
    assert counts(source.inventory()) == {"media": 1, "sidecars": 0, "other": 0, "vanished": 1, "unreadable": 1}


def test_a_root_that_goes_away_while_it_is_read_is_fatal(put: Callable[..., Path], root: Path, opened: Opener) -> None:
    put("a/1.jpg")
    put("b/2.jpg")
    source = opened()
    items = source.scan(Selection())
    assert next(items).id == "a/1.jpg"
    root.rename(root.with_name("elsewhere"))
    with pytest.raises(FatalError, match="went away"):
        list(items)


def test_a_root_that_becomes_an_empty_mount_point_is_fatal(
    put: Callable[..., Path], root: Path, opened: Opener
) -> None:
    put("a/1.jpg")
    source = opened()
    items = source.scan(Selection())
    next(items)
    root.rename(root.with_name("elsewhere"))
    root.mkdir()
    with pytest.raises(FatalError, match="went away"):
        list(items)


def test_memory_for_what_is_left_out_is_bounded(root: Path, opened: Opener) -> None:
    for number in range(1100):
        (root / f"a.{number}x").touch()
    for number in range(10):
        (root / f".h{number}").touch()
    source = opened()
    assert scan(source) == []
    assert counts(source.inventory()) == {"media": 0, "sidecars": 0, "other": 1100, "hidden": 10}
    assert all(len(warning) < 300 for warning in source.inventory().warnings)


# --- albums and pairs -----------------------------------------------------------------------------------------------


def test_folders_are_albums_on_wish(put: Callable[..., Path], opened: Opener) -> None:
    for name in ("top.jpg", "2019/Rome/1.jpg", "2019/Rome/2.jpg", "2020/Rome/3.jpg", "docs/a.txt"):
        put(name)
    source = opened(folders_as_albums=True)
    assert {item.id: item.albums for item in scan(source)} == {
        "top.jpg": (),
        "2019/Rome/1.jpg": (AlbumRef("2019/Rome", "Rome"),),
        "2019/Rome/2.jpg": (AlbumRef("2019/Rome", "Rome"),),
        "2020/Rome/3.jpg": (AlbumRef("2020/Rome", "Rome"),),
    }
    assert list(source.albums()) == [
        Album(id="2019/Rome", title="Rome", count=2),
        Album(id="2020/Rome", title="Rome", count=1),
    ]
    assert list(opened().albums()) == []


@pytest.mark.parametrize(
    ("still", "film"),
    [
        ("IMG_1.HEIC", "IMG_1.MOV"),
        ("IMG_1.jpg", "img_1.mov"),
        ("IMG_1.JPG", "IMG_1.MP4"),
        ("PXL_1.MP.jpg", "PXL_1.MP"),
        ("MVIMG_1.jpg", "MVIMG_1.MV"),
        ("İİ_1.heic", "İİ_1.mov"),
    ],
)
def test_live_photos_are_paired(put: Callable[..., Path], opened: Opener, still: str, film: str) -> None:
    put(f"x/{still}")
    put(f"x/{film}")
    put("x/other.mov")
    put(f"y/{film}")
    pairs = {item.id: item.paired_with for item in scan(opened())}
    assert pairs == {f"x/{still}": f"x/{film}", f"x/{film}": f"x/{still}", "x/other.mov": "", f"y/{film}": ""}


def test_a_heic_is_preferred_to_its_exported_jpeg(put: Callable[..., Path], opened: Opener) -> None:
    for name in ("IMG_1.JPG", "IMG_1.HEIC", "IMG_1.MOV"):
        put(name)
    assert {item.id: item.paired_with for item in scan(opened())} == {
        "IMG_1.HEIC": "IMG_1.MOV",
        "IMG_1.JPG": "",
        "IMG_1.MOV": "IMG_1.HEIC",
    }


# --- sidecars -------------------------------------------------------------------------------------------------------

TAKEOUT = {
    "title": "a.jpg",
    "description": "On the bridge",
    "photoTakenTime": {"timestamp": "1562155200", "formatted": "Jul 3, 2019"},
    "geoData": {"latitude": 41.9, "longitude": 12.5, "altitude": 0.0},
    "geoDataExif": {"latitude": 41.8, "longitude": 12.4, "altitude": 20.5},
    "people": [{"name": "Ada"}, {"name": ""}, 7],
    "favorited": True,
    "archived": True,
}


@pytest.mark.parametrize(
    ("media", "sidecar"),
    [
        ("a.jpg", "a.jpg.json"),
        ("a.jpg", "a.jpg.supplemental-metadata.json"),
        ("a.jpg", "a.jpg.supplemental-me.json"),
        ("a.jpg", "a.jpg..json"),
        ("a.jpg", "A.JPG.json"),
        ("a(1).jpg", "a.jpg.supplemental-metadata(1).json"),
        ("a(1).jpg", "a.jpg(1).json"),
        ("a(1).jpg", "a(1).jpg.json"),
    ],
)
def test_a_takeout_sidecar_completes_the_item(
    put: Callable[..., Path], opened: Opener, media: str, sidecar: str
) -> None:
    put(media, image("JPEG"))
    put(sidecar, json.dumps(TAKEOUT).encode(), mtime=MTIME + 1)
    source = opened()
    (item,) = scan(source)
    size = len(json.dumps(TAKEOUT))
    assert (item.id, item.metadata_token) == (media, f"{sidecar}:{size}:{MTIME + 1}000000000")
    assert counts(source.inventory()) == {"media": 1, "sidecars": 1, "other": 0}
    full = described(source, media)
    assert full.taken == CaptureTime(origin="sidecar", instant=1_562_155_200_000)
    assert (full.description, full.people, full.favorite) == ("On the bridge", ("Ada",), True)
    assert (full.location, full.exif_location) == (Location(41.9, 12.5), Location(41.8, 12.4, 20.5))
    assert (full.states, full.raw, full.notes) == ((ItemState.ARCHIVED,), TAKEOUT, ())


@pytest.mark.parametrize("sidecar", ["a.CR2.xmp", "a.xmp", "A.XMP"])
def test_an_xmp_sidecar_completes_the_item(put: Callable[..., Path], opened: Opener, sidecar: str) -> None:
    put("a.CR2", b"no photo")
    put(
        sidecar,
        xmp_packet('xmp:CreateDate="2001-02-03T04:05:06" xmp:Rating="5"', "<dc:description>Rome</dc:description>"),
    )
    full = described(opened(), "a.CR2")
    assert full.taken == CaptureTime(origin="xmp", wall="2001-02-03T04:05:06")
    assert (full.description, full.favorite) == ("Rome", True)


def test_an_xmp_by_stem_belongs_to_every_format_and_an_exact_one_to_its_own(
    put: Callable[..., Path], opened: Opener
) -> None:
    for name in ("a.cr2", "a.jpg", "a.xmp", "b.cr2", "b.jpg", "b.cr2.xmp"):
        put(name, b"x")
    tokens = {item.id: item.metadata_token.partition(":")[0] for item in scan(opened())}
    assert tokens == {"a.cr2": "a.xmp", "a.jpg": "a.xmp", "b.cr2": "b.cr2.xmp", "b.jpg": ""}


def test_a_changed_sidecar_changes_the_metadata_token_alone(put: Callable[..., Path], opened: Opener) -> None:
    put("a.jpg", b"x")
    sidecar = put("a.xmp", b"<x/>")
    source = opened()
    (before,) = scan(source)
    put("a.xmp", b"<y/>", mtime=MTIME + 5)
    (after,) = scan(source)
    sidecar.unlink()
    (without,) = scan(source)
    assert before.content_token == after.content_token == without.content_token
    assert len({before.metadata_token, after.metadata_token, without.metadata_token}) == 3
    assert without.metadata_token == ""


def test_sidecars_of_nothing_are_other_files(put: Callable[..., Path], opened: Opener) -> None:
    for name in ("a.jpg", "b.jpg.json", "package.json", "c.xmp"):
        put(name)
    source = opened()
    assert [item.id for item in scan(source)] == ["a.jpg"]
    assert counts(source.inventory()) == {"media": 1, "sidecars": 0, "other": 3}


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"", "a.jpg.json cannot be read: DecodeError"),
        (b"\xff\xfe", "a.jpg.json cannot be read: "),
        (b"[]", "a.jpg.json is not a Takeout sidecar"),
        (b'{"title": "x"}', "a.jpg.json is not a Takeout sidecar"),
        (b'{"photoTakenTime": 5}', "a.jpg.json is not a Takeout sidecar"),
        (b"[" * 200_000, "a.jpg.json cannot be read: RecursionError"),
        (b" " * (1 << 20) + b"{}", "a.jpg.json is not read: over 1 MiB"),
    ],
)
def test_a_sidecar_that_cannot_be_read_is_a_note(
    put: Callable[..., Path], opened: Opener, content: bytes, note: str
) -> None:
    put("a.jpg", image("JPEG", exif=NOON))
    put("a.jpg.json", content)
    full = described(opened(), "a.jpg")
    assert full.taken == CaptureTime(origin="exif", wall="2019-07-03T12:00:00")
    assert len(full.notes) == 1
    assert full.notes[0].startswith(note)


@pytest.mark.parametrize(
    "timestamp", ["0", 0, None, "", "soon", "9" * 30, "9" * 5000, -(10**15), True, [], {"a": 1}, 1.5]
)
def test_absurd_sidecar_dates_are_no_dates(put: Callable[..., Path], opened: Opener, timestamp: object) -> None:
    put("a.jpg", image("JPEG"))
    wrong = {"photoTakenTime": {"timestamp": timestamp}, "description": 5, "people": {}, "geoData": {"latitude": "x"}}
    put("a.jpg.json", json.dumps(wrong).encode())
    full = described(opened(), "a.jpg")
    assert full.taken == CaptureTime(origin="mtime", instant=MTIME * 1000)
    assert (full.description, full.people, full.location) == ("", (), None)


def test_a_sidecar_date_before_1970_is_one(put: Callable[..., Path], opened: Opener) -> None:
    put("a.jpg", image("JPEG"))
    put("a.jpg.json", b'{"photoTakenTime": {"timestamp": "-86400"}, "geoData": {"latitude": 1e300, "longitude": 2}}')
    full = described(opened(), "a.jpg")
    assert full.taken == CaptureTime(origin="sidecar", instant=-86_400_000)
    assert full.location is None


# --- capture time ---------------------------------------------------------------------------------------------------


def test_the_order_of_capture_times(put: Callable[..., Path], opened: Opener) -> None:
    name = "IMG_20050607_080910"
    sidecar = b'{"photoTakenTime": {"timestamp": "1000000000"}}'
    put(f"1/{name}.jpg", image("JPEG", exif=NOON))
    put(f"2/{name}.jpg", image("JPEG"))
    put(f"3/{name}.jpg", image("JPEG"))
    put("4/x.jpg", image("JPEG"))
    put(f"5/{name}.mp4", movie(created=3_644_999_999, brand=b"isom"))
    for folder_name in ("1", "2"):
        put(f"{folder_name}/{name}.jpg.json", sidecar)
    put(f"5/{name}.mp4.json", sidecar)
    source = opened()
    found = {item.id[0]: source.describe(item, NOT_FETCHED).taken for item in scan(source)}
    assert found == {
        "1": CaptureTime(origin="exif", wall="2019-07-03T12:00:00"),
        "2": CaptureTime(origin="sidecar", instant=1_000_000_000_000),
        "3": CaptureTime(origin="name", wall="2005-06-07T08:09:10"),
        "4": CaptureTime(origin="mtime", instant=MTIME * 1000),
        "5": CaptureTime(origin="quicktime", instant=1_562_155_199_000),
    }


def test_the_movie_of_a_live_photo_inherits_the_stills_time(put: Callable[..., Path], opened: Opener) -> None:
    put("IMG_1.HEIC", heic(exif=NOON))
    put("IMG_1.MOV", movie())
    put("IMG_2.HEIC", heic(exif=NOON))
    put("IMG_2.MOV", movie(created=3_644_999_999))
    source = opened()
    assert described(source, "IMG_1.MOV").taken == CaptureTime(origin="exif", wall="2019-07-03T12:00:00")
    own = described(source, "IMG_2.MOV").taken
    assert own is not None
    assert own.origin == "quicktime"


def test_a_scan_reads_times_and_favorites_only_when_they_are_wanted(put: Callable[..., Path], opened: Opener) -> None:
    from datetime import date

    put("a.jpg", image("JPEG", exif=NOON))
    put("a.jpg.json", json.dumps(TAKEOUT).encode())
    source = opened()
    (cheap,) = scan(source)
    assert (cheap.taken, cheap.favorite) == (None, False)
    (timed,) = scan(source, after=date(2019, 1, 1))
    assert timed.taken == CaptureTime(origin="exif", wall="2019-07-03T12:00:00")
    (marked,) = scan(source, favorites=True)
    assert marked.favorite
    assert source.describe(timed, NOT_FETCHED) == timed


def test_describing_adds_what_the_bytes_say(put: Callable[..., Path], opened: Opener, tmp_path: Path) -> None:
    put("a.heic", image("JPEG", exif=NOON))
    put("b.mov", movie(user=user_text(b"\xa9xyz", "+41.9+012.5/")))
    source = opened()
    items = {item.id: item for item in scan(source)}
    staged = tmp_path / "staged"
    staged.write_bytes((Path(source.options.path) / "a.heic").read_bytes())
    (Path(source.options.path) / "a.heic").unlink()
    full = source.describe(items["a.heic"], staged)
    assert (full.camera, full.kind) == ("Maker", Kind.PHOTO)
    assert full.notes == ("the name says image/heic, the content is image/jpeg",)
    assert source.describe(items["b.mov"], Path("nowhere")).exif_location == Location(41.9, 12.5)


# --- fetching -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2_500_000])
def test_all_bytes_are_fetched(put: Callable[..., Path], opened: Opener, size: int) -> None:
    content = os.urandom(size)
    put("a.jpg", content)
    source = opened()
    (item,) = scan(source)
    for _ in range(2):
        sink = Bytes()
        source.fetch(item, sink)
        assert sink.content == content


def test_threads_do_not_share_a_buffer(put: Callable[..., Path], opened: Opener) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for number in range(24):
        put(f"{number:02}.jpg", bytes([number]) * 1_500_000)
    source = opened()

    def fetch(item: MediaItem) -> bytes:
        sink = Bytes()
        source.fetch(item, sink)
        return sink.content

    with ThreadPoolExecutor(4) as pool:
        contents = list(pool.map(fetch, scan(source)))
    assert contents == [bytes([number]) * 1_500_000 for number in range(24)]


def test_a_file_that_grows_while_it_is_read_is_tried_again(put: Callable[..., Path], opened: Opener) -> None:
    path = put("a.jpg", b"x" * 3_000_000)
    source = opened()
    (item,) = scan(source)

    class Growing(Bytes):
        def write(self, data: bytes | bytearray | memoryview, /) -> int:
            with path.open("ab") as stream:
                stream.write(b"y" if len(self.content) < 2_000_000 else b"")
            return super().write(data)

    with pytest.raises(RetryableError, match="changed since it was listed"):
        source.fetch(item, Growing())


def test_a_file_that_changed_since_it_was_listed_is_seen(put: Callable[..., Path], opened: Opener) -> None:
    put("a.jpg", b"old")
    source = opened()
    (item,) = scan(source)
    put("a.jpg", b"new", mtime=MTIME + 1)
    with pytest.raises(RetryableError, match="changed since it was listed"):
        source.fetch(item, Bytes())


def fetch_error(source: FolderSource, item: MediaItem) -> str:
    with pytest.raises(ItemError) as caught:
        source.fetch(item, Bytes())
    assert not isinstance(caught.value, RetryableError)
    return caught.value.reason


def test_what_took_a_files_place_is_not_read(put: Callable[..., Path], root: Path, opened: Opener) -> None:
    for name in ("dir.jpg", "fifo.jpg", "gone.jpg", "link.jpg"):
        put(name, b"x")
    source = opened()
    items = scan(source)
    for item in items:
        (root / item.name).unlink()
    (root / "dir.jpg").mkdir()
    os.mkfifo(root / "fifo.jpg")
    (root / "link.jpg").symlink_to("/etc/passwd")
    assert [fetch_error(source, item) for item in items] == [
        "dir.jpg is not a regular file any more",
        "fifo.jpg is not a regular file any more",
        "gone.jpg is not there any more",
        "link.jpg is not a regular file any more",
    ]


def test_an_unreadable_file_is_listed_and_fails_alone(put: Callable[..., Path], opened: Opener) -> None:
    path = put("a.jpg", b"x")
    lock(path)
    source = opened()
    (item,) = scan(source)
    assert "Permission denied" in fetch_error(source, item)
    assert source.describe(item, path).taken == CaptureTime(origin="mtime", instant=MTIME * 1000)


@pytest.mark.parametrize(
    ("number", "error"), [(13, ItemError), (1, ItemError), (5, RetryableError), (116, RetryableError)]
)
def test_errors_of_the_system_have_their_class(
    put: Callable[..., Path], opened: Opener, monkeypatch: pytest.MonkeyPatch, number: int, error: type[ItemError]
) -> None:
    put("a.jpg", b"x")
    source = opened()
    (item,) = scan(source)

    def fail(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(ItemError) as caught:
        source.fetch(item, Bytes())
    assert type(caught.value) is error
    assert os.strerror(number) in caught.value.reason


def test_a_root_that_is_gone_stops_the_run(put: Callable[..., Path], root: Path, opened: Opener) -> None:
    put("a.jpg", b"x")
    source = opened()
    (item,) = scan(source)
    root.rename(root.with_name("elsewhere"))
    with pytest.raises(FatalError, match="went away"):
        source.fetch(item, Bytes())


@pytest.mark.parametrize(
    "item_id", ["../secret.jpg", "/etc/passwd", "a/../../x", "//..%2Fx", "//a%00", "", "//", "a//b"]
)
def test_an_id_that_leaves_the_root_is_refused(opened: Opener, item_id: str) -> None:
    item = MediaItem(id=item_id, name="x", kind=Kind.PHOTO, content_token="")
    with pytest.raises(ItemError, match="is no id of the folder source"):
        opened().fetch(item, Bytes())


def test_it_registers_itself() -> None:
    registry = Registry()
    folder.syncengine_register(registry)
    assert registry.get("source", "folder") is FolderSource


def test_it_may_be_closed_without_being_opened(tmp_path: Path) -> None:
    source = FolderSource(FolderOptions(path=str(tmp_path)))
    source.close()
    source.close()
    with pytest.raises(FatalError, match="not opened"):
        list(source.scan(Selection()))
