"""A plugin package that syncengine knows nothing about: installed by pip, found by its entry points, used by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from syncengine.testing.sample_library import pictures

EXAMPLE = Path(__file__).parent.parent / "example_plugin"
LARGE, SMALL = (640, 480), (160, 120)

PROFILE = """\
version: 1
source: {{file-list: {{path: {place}/photos.txt}}}}
transforms:
  - shrink: {{max_edge: {max_edge}}}
destination: {{filesystem: {{path: {place}/backup}}}}
timezone: UTC
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that the example is installed into, by pip, as its author's users would."""
    target = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", target, EXAMPLE], check=True)
    return target


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two photos, and a list that names them and one that is not there."""
    exif = pictures.phone_exif(datetime(2021, 5, 6, 7, 8, 9))
    for name, size in (("large.jpg", LARGE), ("small.jpg", SMALL)):
        (tmp_path / name).write_bytes(pictures.jpeg(pictures.draw(len(name), size), exif))
        os.utime(tmp_path / name, (1620284889, 1620284889))
    (tmp_path / "photos.txt").write_text("# mine\nlarge.jpg\n\nsmall.jpg\ngone.jpg\nlarge.jpg\n")
    return tmp_path


def command(installed: Path, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "SYNCENGINE_STATE_DIR": str(place / "state")}
    program = [Path(sys.executable).with_name("syncengine"), *arguments]
    return subprocess.run(program, capture_output=True, text=True, env=environment, check=False)


def write_profile(place: Path, max_edge: object = 320) -> str:
    profile = place / "example.yaml"
    profile.write_text(PROFILE.format(place=place, max_edge=max_edge))
    return str(profile)


def test_a_run_uses_both_plugins_and_names_what_the_source_lacks(installed: Path, place: Path) -> None:
    done = command(installed, place, "run", write_profile(place), "--json")
    stored = {path.name: path for path in (place / "backup" / "photos").rglob("*.jpg")}
    assert set(stored) == {"large.jpg", "small.jpg"}, done.stderr
    with Image.open(stored["large.jpg"]) as large:
        assert large.size == (320, 240)
        assert large.getexif().get_ifd(0x8769)[0x9003] == "2021:05:06 07:08:09"
    assert stored["small.jpg"].read_bytes() == (place / "small.jpg").read_bytes()
    assert "gone.jpg" in done.stdout
    metadata = json.loads((place / "backup/metadata" / f"photos/2021/05/{stored['large.jpg'].name}.json").read_text())
    assert "shrink" in json.dumps(metadata["transforms"])


def test_its_options_are_validated_like_those_of_bundled_plugins(installed: Path, place: Path) -> None:
    done = command(installed, place, "validate", write_profile(place, max_edge=3))
    assert done.returncode == 2
    assert "example.yaml:4:" in done.stderr
    assert "$.transforms[0].shrink.max_edge" in done.stderr


def test_it_is_listed_with_its_package(installed: Path, place: Path) -> None:
    done = command(installed, place, "plugins", "--json")
    assert done.returncode == 0, done.stderr
    assert "syncengine-example 1.0" in done.stdout
    assert "shrink" in done.stdout


def test_without_the_package_the_profile_says_what_is_missing(tmp_path: Path, place: Path) -> None:
    done = command(tmp_path / "nothing", place, "validate", write_profile(place))
    assert done.returncode == 2
    assert "shrink" in done.stderr
    assert "file-list" in done.stderr
