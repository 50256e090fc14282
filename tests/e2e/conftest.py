"""The command itself, as a subprocess, with a state directory of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

PROFILE = """\
version: 1
name: test
source:
  folder: {path: photos, folders_as_albums: true}
dedup: [sha256]
destination:
  filesystem: {path: backup}
timezone: Europe/Rome
"""


class Done:
    """What a command left: exit code, stdout, stderr."""

    def __init__(self, process: subprocess.CompletedProcess[str]) -> None:
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)


class Desk:
    """A working directory with photos and a profile, where commands are run."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.profile = self.write("profile.yaml", PROFILE)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SYNCENGINE")},
            "SYNCENGINE_STATE_DIR": str(directory / "state"),
            "HOME": str(directory),
        }
        self.environment.pop("LOG_LEVEL", None)

    def write(self, name: str, text: str) -> Path:
        """Write a text file and return its path."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def photo(self, name: str, shade: int) -> Path:
        """Write a small JPEG."""
        path = self.directory / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 24), (shade, 255 - shade, shade // 2)).save(path)
        return path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``syncengine`` and return the process."""
        return subprocess.Popen(
            [sys.executable, "-m", "syncengine", *arguments],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, input: str | None = None) -> Done:  # noqa: A002  # as subprocess.run calls it
        """Run ``syncengine`` to its end."""
        return Done(
            subprocess.run(
                [sys.executable, "-m", "syncengine", *arguments],
                cwd=self.directory,
                env=self.environment,
                input=input if input is not None else "",
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        )

    def files(self, below: str = "backup") -> dict[str, bytes]:
        """Return every regular file below a directory of the desk, by its path relative to it."""
        root = self.directory / below
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with three photos in two folders."""
    made = Desk(tmp_path)
    made.photo("Rome/IMG_20190703_142205.jpg", 10)
    made.photo("Rome/IMG_20190704_080000.jpg", 90)
    made.photo("IMG_20200101_000001.jpg", 200)
    return made
