"""A working directory in which the real command backs up a small library, is killed, and is run again."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tests.crash.libraries import LIBRARIES, copy_tree

IN_CHILD = Path(__file__).parent / "in_child"
#: A run of these libraries takes half a second; one that takes so long hangs.
PATIENCE = 120

#: Coverage is not measured: a killed run would leave half a file of it.
_NOT_HANDED_ON = ("SYNCENGINE", "LOG_LEVEL", "COVERAGE", "COV_CORE")

PROFILE = """\
version: 1
name: {name}
source:
  {source}
transforms: [heic-to-jpeg: {{keep_original: {keep}}}]
dedup: [sha256]
destination:
  filesystem: {{path: backup}}
layout: {{metadata: [json, xmp]}}
execution: {{workers: 1}}
timezone: Europe/Rome
{more}"""


class File(msgspec.Struct, frozen=True):
    """What is known of a file: SHA-256 of its bytes and its mtime in nanoseconds."""

    digest: str
    mtime: int


class Done(msgspec.Struct, frozen=True):
    """What a command left: exit code, negative for a signal, and what it said."""

    code: int
    out: str
    err: str


class Scene:
    """A directory with a library, a profile, a state and a backup.

    Args:
        directory: of the scene.
        temporary: for what runs leave there that are killed; its path is short, or no socket could be made there.
        arguments: of every run.
        batch: items in a batch of a run; small, so that a small library has several.
        read_beside: processes read the library.
    """

    def __init__(
        self,
        directory: Path,
        temporary: Path,
        arguments: Sequence[str] = (),
        *,
        batch: int = 3,
        read_beside: bool = False,
    ) -> None:
        self._arguments = arguments
        self.directory = directory
        self.backup = directory / "backup"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)},
            "SYNCENGINE_STATE_DIR": str(directory / "state"),
            "HOME": str(directory),
            "TMPDIR": str(temporary),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(IN_CHILD), os.environ.get("PYTHONPATH", "")])),
            "CRASH_BATCH_ITEMS": str(batch),
            "CRASH_READ_BESIDE": "yes" if read_beside else "",
        }

    def run(self, *, before: Sequence[str] = (), more: Mapping[str, str] | None = None) -> Done:
        """Run the profile to its end, whatever that is.

        Args:
            before: a command that runs it, such as ``strace`` with its options.
            more: added to the environment.
        """
        process = self.start(before=before, more=more)
        out, err = process.communicate(timeout=PATIENCE)
        return Done(process.returncode, out, err)

    def start(
        self, *, profile: str = "profile.yaml", before: Sequence[str] = (), more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a run."""
        return subprocess.Popen(
            [*before, sys.executable, "-m", "syncengine", "run", profile, *self._arguments],
            cwd=self.directory,
            env={**self.environment, **(more or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def files(self) -> dict[str, File]:
        """Return every file and link of the backup, with what it holds; ``.syncengine/tmp`` left out."""
        found: dict[str, File] = {}
        for path in self.backup.rglob("*"):
            name = path.relative_to(self.backup).as_posix()
            if not name.startswith(".syncengine/tmp") and (path.is_symlink() or path.is_file()):
                found[name] = _look_at(path)
        return found

    def lies_around(self) -> list[str]:
        """Return what an ended run must not leave: temporary files, and papers that wait for the next run.

        A run that was killed before it wrote its lock leaves an empty one for a minute.
        """
        temporary = [path for path in (self.backup / ".syncengine/tmp").rglob("*") if not _is_empty_lock(path)]
        waiting = (self.directory / "state/profiles").glob("*/runs/*")
        return sorted(str(path.relative_to(self.directory)) for path in (*temporary, *waiting))


def _is_empty_lock(path: Path) -> bool:
    return path.suffix == ".lock" and path.stat().st_size == 0


def _look_at(path: Path) -> File:
    found = path.lstat()
    content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
    return File(hashlib.sha256(content).hexdigest(), found.st_mtime_ns)


class Stage:
    """A library before the run that is killed, and the backup that this run makes when nothing happens to it.

    Args:
        name: of the library.
        directory: to work in.
    """

    def __init__(self, name: str, directory: Path) -> None:
        library = LIBRARIES[name]
        self._directory = directory
        self._temporary = Path(tempfile.mkdtemp(prefix="crash-"))
        weakref.finalize(self, shutil.rmtree, self._temporary, ignore_errors=True)
        self._numbers = itertools.count(1)
        self._arguments = library.arguments
        self._read_beside = library.read_beside
        self._begun = directory / "begun"
        self._begun.mkdir(parents=True)
        keep = "true" if library.change else "false"
        text = PROFILE.format(name="crash", source=library.source, keep=keep, more=library.more)
        (self._begun / "profile.yaml").write_text(text)
        library.begin(self._begun)
        if library.change is not None:
            done = Scene(self._begun, self._temporary).run()
            assert done.code == 0, done.err
            library.change(self._begun)
        whole = self.scene()
        done = whole.run()
        assert (done.code, done.err) == (0, "")
        #: The files of a backup to which nothing happened.
        self.whole = whole.files()
        self.drop(whole)

    def scene(self) -> Scene:
        """Return a scene of its own, just before the run."""
        directory = self._directory / f"scene-{next(self._numbers)}"
        copy_tree(self._begun, directory)
        return Scene(directory, self._temporary, self._arguments, read_beside=self._read_beside)

    def drop(self, scene: Scene) -> None:
        """Remove a scene."""
        shutil.rmtree(scene.directory)
