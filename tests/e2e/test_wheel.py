"""The wheel holds everything: built, installed into an environment that knows no checkout, and run there."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from syncengine.testing.sample_library import make_sample_library

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.slow

PROFILE = """\
version: 1
source: {{takeout: {{path: {place}/takeout}}}}
transforms: [heic-to-jpeg]
dedup: [sha256]
destination: {{filesystem: {{path: {place}/backup}}}}
timezone: Europe/Rome
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", output, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = output.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, and with the libraries of the one that runs the tests.

    They are lent by a path file, so that the test needs no network; the checkout itself is not on that path.
    """
    directory = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    python = directory / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", wheel]
    subprocess.run(install, check=True)
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "lent.pth").write_text("\n".join(sorted(lent)) + "\n")
    return directory


def run(environment: Path, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV"))}
    own["SYNCENGINE_STATE_DIR"] = str(place / "state")
    program = [environment / "bin" / "syncengine", *arguments]
    return subprocess.run(program, capture_output=True, text=True, cwd=place, env=own, check=False)


def test_the_wheel_holds_code_plugins_schemas_and_types(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "syncengine/cli/__init__.py",
        "syncengine/py.typed",
        "syncengine/_schemas/profile.schema.json",
        "syncengine/_schemas/report.schema.json",
        "syncengine/_profiles/nas.yaml",
        "syncengine_plugins/sources/takeout/__init__.py",
        "syncengine_plugins/py.typed",
    } <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]


def test_the_code_comes_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    code = "import syncengine, syncengine_plugins; print(syncengine.__file__, syncengine_plugins.__file__)"
    command = [environment / "bin" / "python", "-I", "-c", code]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    assert all(path.startswith(str(environment)) for path in said.split())


def test_it_backs_up_a_library(environment: Path, tmp_path: Path) -> None:
    library = make_sample_library(tmp_path / "takeout")
    profile = tmp_path / "mine.yaml"
    profile.write_text(PROFILE.format(place=tmp_path))
    validated = run(environment, tmp_path, "validate", "mine.yaml")
    assert validated.returncode == 0, validated.stderr
    done = run(environment, tmp_path, "run", "mine.yaml")
    assert done.returncode == 1, done.stdout + done.stderr  # the corrupt HEIC
    assert library.corrupt[0] in done.stdout + done.stderr
    check = ["sha256sum", "--quiet", "-c", "metadata/checksums.sha256"]
    subprocess.run(check, check=True, cwd=tmp_path / "backup")
    assert len([path for path in (tmp_path / "backup/photos").rglob("*") if path.is_file()]) == library.contents
