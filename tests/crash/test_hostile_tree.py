"""What somebody planted at the destination is never followed, never overwritten, told of, and costs nothing else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncengine import app
from syncengine.api import RunReport
from syncengine.engine.silence import Silent
from syncengine.errors import FatalError
from syncengine.host import PluginHost

PROFILE = """\
version: 1
name: test
source: {folder: {path: photos, folders_as_albums: true}}
dedup: [sha256]
destination: {filesystem: {path: backup}}
layout: {metadata: [json, xmp]}
timezone: Europe/Rome
"""
pytestmark = pytest.mark.slow

#: By where they will be stored; the first is in album Rome, the second in album Sea.
PHOTOS = {"photos/2019/07/IMG_20190703_142205.jpg": "Rome", "photos/2020/01/IMG_20200101_000001.jpg": "Sea"}
SUMMER, WINTER = PHOTOS


class Place:
    """A library of two photos, an empty destination, and a directory that nobody is to touch."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.backup = directory / "backup"
        self.outside = directory / "outside"
        self.backup.mkdir()
        self.outside.mkdir()
        (self.outside / "precious.jpg").write_bytes(b"precious")
        (directory / "profile.yaml").write_text(PROFILE)
        for path, album in PHOTOS.items():
            photo = directory / "photos" / album / Path(path).name
            photo.parent.mkdir(parents=True)
            photo.write_bytes(b"\xff\xd8\xff\xe0" + path.encode())
        self._host = PluginHost()
        self._profile = app.load(directory / "profile.yaml", self._host)
        self._untouched = self._look(self.outside)

    def run(self) -> RunReport:
        """Run, and see that nothing outside was touched."""
        report = app.run_profile(self._profile, self._host, app.RunRequest(), Silent(), threading.Event())
        self.assert_outside_is_untouched()
        return report

    def assert_outside_is_untouched(self) -> None:
        assert self._look(self.outside) == self._untouched

    def _look(self, directory: Path) -> dict[str, Any]:
        return {str(path): (path.lstat().st_mtime_ns, path.read_bytes()) for path in directory.iterdir()}

    def plant(self, path: str, make: Callable[[Path, Path], None]) -> Path:
        """Put something at a path of the destination."""
        planted = self.backup / path
        planted.parent.mkdir(parents=True, exist_ok=True)
        make(planted, self.outside)
        return planted

    def assert_whole(self) -> None:
        """With nothing in the way any more, everything comes to its place, and then to rest."""
        report = self.run()
        assert (report.complete, report.failures, report.warnings) == (True, (), ())
        for path in PHOTOS:
            name = Path(path).name
            stored = [one for one in (self.backup / "photos").rglob(f"*{Path(path).stem}*.jpg") if self._is(one, path)]
            assert len(stored) == 1, f"{name} is there once"
            assert (self.backup / "metadata" / f"{stored[0].relative_to(self.backup)}.json").is_file()
        assert len((self.backup / "metadata/checksums.sha256").read_text().splitlines()) == 4
        assert self.run().outcomes["unchanged"] == 2

    @staticmethod
    def _is(stored: Path, path: str) -> bool:
        return stored.is_file() and not stored.is_symlink() and stored.read_bytes().endswith(path.encode())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("SYNCENGINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path)


def link_out(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def link_to_file(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "precious.jpg")


def dangling_link(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "new.jpg")


def loop(path: Path, outside: Path) -> None:
    path.symlink_to(path.name)


def pipe(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def listening_socket(path: Path, outside: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            made.bind(f"/proc/self/fd/{directory}/{path.name}")  # A path may be too long for a socket's name.
        finally:
            os.close(directory)


def directory(path: Path, outside: Path) -> None:
    path.mkdir()
    (path / "inside.txt").write_bytes(b"inside")


def somebodys_file(path: Path, outside: Path) -> None:
    path.write_bytes(b"somebody else's")


DIRECTORIES = {make.__name__: make for make in (link_out, dangling_link, loop, pipe, somebodys_file)}
FILES = {
    make.__name__: make
    for make in (link_out, link_to_file, dangling_link, loop, pipe, listening_socket, directory, somebodys_file)
}


def as_planted(path: Path) -> Any:
    found = path.lstat()
    inside = sorted(os.listdir(path)) if path.is_dir() and not path.is_symlink() else []
    target = os.readlink(path) if path.is_symlink() else ""
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, target, inside


@pytest.mark.parametrize("make", DIRECTORIES)
@pytest.mark.parametrize("path", ["photos", "photos/2019", "photos/2019/07", "metadata/photos", "metadata/photos/2019"])
def test_in_the_way_of_a_directory_of_photos(place, path, make):
    planted = place.plant(path, DIRECTORIES[make])
    before = as_planted(planted)
    report = place.run()
    hit = {name for name in PHOTOS if f"{name}/".startswith(f"{path.removeprefix('metadata/')}/")}
    assert {Path(name).name for name in hit} == {failure["name"] for failure in report.failures}
    assert (report.outcomes["stored"], report.outcomes["failed"]) == (2 - len(hit), len(hit))
    assert all("no directory" in failure["reason"] for failure in report.failures)
    assert as_planted(planted) == before
    planted.unlink()
    place.assert_whole()


@pytest.mark.parametrize("make", FILES)
@pytest.mark.parametrize("suffix", ["", ".xmp"])
def test_in_the_way_of_a_photo_or_a_sidecar(place, suffix, make):
    planted = place.plant(SUMMER + suffix, FILES[make])
    before = as_planted(planted)
    report = place.run()
    assert report.outcomes["failed"] <= (1 if suffix else 0)
    assert (place.backup / WINTER).is_file()
    assert as_planted(planted) == before
    again = place.run()
    assert again.outcomes["unchanged"] + again.outcomes["failed"] == 2
    assert as_planted(planted) == before
    if suffix and not report.outcomes["failed"]:
        return  # The photo goes without a sidecar, which is told in its record.
    if planted.is_dir() and not planted.is_symlink():
        (planted / "inside.txt").unlink()
        planted.rmdir()
    else:
        planted.unlink()
    place.assert_whole()


@pytest.mark.parametrize("make", FILES)
@pytest.mark.parametrize(
    "path",
    ["metadata/checksums.sha256", "albums/Rome/album.json", f"metadata/{SUMMER}.json", "metadata/catalog", "logs"],
)
def test_in_the_way_of_papers(place, path, make):
    """A link under the name of a paper is replaced, as that name is the engine's own; never what it leads to."""
    planted = place.plant(path, FILES[make])
    before = as_planted(planted)
    report = place.run()
    told = [*report.warnings, report.reason, *(failure["reason"] for failure in report.failures)]
    assert any(told) or as_planted(planted) != before
    if make == "directory":
        (planted / "inside.txt").unlink()
        if not any(planted.iterdir()):
            planted.rmdir()
    elif as_planted(planted) == before:
        planted.unlink()
    place.assert_whole()


@pytest.mark.parametrize("make", DIRECTORIES)
@pytest.mark.parametrize("path", ["albums", "albums/Rome"])
def test_in_the_way_of_albums(place, path, make):
    planted = place.plant(path, DIRECTORIES[make])
    before = as_planted(planted)
    report = place.run()
    assert (report.outcomes["stored"], report.failures) == (2, ())
    assert any(path in warning for warning in report.warnings)
    assert as_planted(planted) == before
    planted.unlink()
    place.assert_whole()
    assert (place.backup / "albums/Rome" / Path(SUMMER).name).samefile(place.backup / SUMMER)


@pytest.mark.parametrize("make", FILES)
def test_in_the_way_of_a_name_in_an_album(place, make):
    name = Path(SUMMER).name
    planted = place.plant(f"albums/Rome/{name}", FILES[make])
    before = as_planted(planted)
    report = place.run()
    assert (report.outcomes["stored"], report.failures) == (2, ())
    assert as_planted(planted) == before
    shown = [one for one in (place.backup / "albums/Rome").glob("*~*.jpg") if one.samefile(place.backup / SUMMER)]
    assert len(shown) == 1
    assert place.run().outcomes["unchanged"] == 2


@pytest.mark.parametrize("make", FILES)
@pytest.mark.parametrize(
    "path", [".syncengine", ".syncengine/tmp", ".syncengine/place.lock", ".syncengine/format.json"]
)
def test_in_the_way_of_the_engines_own_directory(place, path, make):
    if path.endswith(".lock") and make in ("somebodys_file", "pipe"):
        return  # Only its lock is used, whatever it holds.
    if make == "directory" and path in (".syncengine", ".syncengine/tmp"):
        return  # That is what they are.
    planted = place.plant(path, FILES[make])
    before = as_planted(planted)
    with pytest.raises(FatalError) as caught:
        place.run()
    assert str(place.backup) in caught.value.reason
    assert caught.value.advice
    place.assert_outside_is_untouched()
    assert as_planted(planted) == before
    assert not (place.backup / "photos").exists()


def test_files_of_other_tools_stay_and_are_no_part_of_the_library(place):
    place.run()
    strange = [
        "Thumbs.db",
        "photos/.DS_Store",
        "photos/2019/07/Thumbs.db",
        "photos/2019/07/.stfolder/x",
        "albums/Rome/.nomedia",
    ]
    strange += ["photos/@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "metadata/.DS_Store", "logs/desktop.ini", ".stignore"]
    for path in strange:
        place.plant(path, somebodys_file)
    (place.directory / "photos/Sea/new.jpg").write_bytes(b"\xff\xd8\xff\xe0new")
    report = place.run()
    assert (report.outcomes["stored"], report.outcomes["unchanged"], report.warnings) == (1, 2, ())
    assert {path: (place.backup / path).read_bytes() for path in strange} == dict.fromkeys(strange, b"somebody else's")
    listed = (place.backup / "metadata/checksums.sha256").read_text()
    assert not [path for path in strange if path in listed]


def test_a_file_that_was_changed_behind_our_back_is_left_as_it_is(place):
    place.run()
    (place.backup / SUMMER).write_bytes(b"edited")
    report = place.run()
    assert (report.outcomes["unchanged"], report.warnings) == (2, ())
    assert (place.backup / SUMMER).read_bytes() == b"edited"


def test_a_directory_that_became_a_link_after_its_photos_were_stored(place):
    place.run()
    (place.backup / "photos/2019").rename(place.directory / "elsewhere")
    (place.backup / "photos/2019").symlink_to(place.directory / "elsewhere")
    report = place.run()
    assert (report.outcomes["failed"], report.outcomes["unchanged"]) == (1, 1)
    assert "link" in report.failures[0]["reason"]
    assert sorted(path.name for path in (place.directory / "elsewhere/07").iterdir()) == [
        Path(SUMMER).name,
        f"{Path(SUMMER).name}.xmp",
    ]
    (place.backup / "photos/2019").unlink()
    (place.directory / "elsewhere").rename(place.backup / "photos/2019")
    place.assert_whole()


_AS_NOBODY_SPECIAL = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


@pytest.mark.skipif(bool(_AS_NOBODY_SPECIAL) and shutil.which("setpriv") is None, reason="setpriv is not installed")
@pytest.mark.parametrize("path", ["photos/2019/07", "metadata/photos/2019/07", "albums/Rome", "metadata", "logs"])
def test_a_directory_that_may_not_be_written(place, path):
    """Owned by root, permissions would mean nothing: the run has given up root's powers."""
    place.run()
    (place.directory / "photos/Rome/IMG_20190705_100000.jpg").write_bytes(b"\xff\xd8\xff\xe0new")
    (place.directory / "photos/Sea/IMG_20200105_100000.jpg").write_bytes(b"\xff\xd8\xff\xe0other")
    closed = place.backup / path
    closed.chmod(0o555)
    try:
        done = subprocess.run(
            [*_AS_NOBODY_SPECIAL, sys.executable, "-m", "syncengine", "run", "profile.yaml"],
            cwd=place.directory,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        closed.chmod(0o755)
    assert "no permission" in done.stdout + done.stderr
    assert done.returncode in ((1,) if path.endswith("07") else (0, 3))
    assert (place.backup / "photos/2020/01/IMG_20200105_100000.jpg").is_file()
    assert place.run().complete
    assert len(list((place.backup / "photos").rglob("*.jpg"))) == 4
    assert place.run().outcomes["unchanged"] == 4
