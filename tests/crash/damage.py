"""What a crash has cost: held against a backup of the same library to which nothing happened."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping
from xml.etree import ElementTree

import msgspec

from tests.crash.scene import File, Scene

Files = Mapping[str, File]

#: What a run says whose first batch was killed after it was catalogued, and before it was in the state.
_IS_MENDED = " was made again: "
#: What differs from run to run.
_OF_A_RUN = ("logs/", "metadata/catalog/", ".syncengine/")


class Damage(msgspec.Struct):
    """What went wrong, by path; all empty is as it should be.

    Args:
        lost: contents that should be there and are not.
        double: contents that are there more often than they should be.
        half: files that hold what no photo ever held, or papers that cannot be read.
        other: names, papers, times or links that are not as without a crash, and runs that did not end well.
    """

    lost: list[str] = []
    double: list[str] = []
    half: list[str] = []
    other: list[str] = []

    def all(self) -> tuple[list[str], ...]:
        """Return the four lists."""
        return self.lost, self.double, self.half, self.other

    def __bool__(self) -> bool:
        return any(self.all())


def is_media(path: str) -> bool:
    """Return whether a file is a photo, and no paper about one."""
    return path.startswith("photos/") and not path.endswith(".xmp")


def half_files(scene: Scene, whole: Files, before: Files) -> list[str]:
    """Return the files of a killed run that are not whole: they hold neither what they should nor what they did.

    Args:
        scene: just after the kill.
        whole: the files of a backup to which nothing happened.
        before: what was there before the run.
    """
    known = {file.digest for files in (whole, before) for path, file in files.items() if is_media(path)}
    found = scene.files()
    files = [path for path in found if not (scene.backup / path).is_symlink()]
    half = [path for path in files if _shows_a_photo(path) and found[path].digest not in known]
    return half + [path for path in files if not _can_be_read(scene, path)]


def _shows_a_photo(path: str) -> bool:
    return is_media(path) or (path.startswith("albums/") and not path.endswith("/album.json"))


def _can_be_read(scene: Scene, path: str) -> bool:
    content = (scene.backup / path).read_bytes()
    try:
        if path.endswith(".json"):
            json.loads(content)
        elif path.endswith(".jsonl"):
            msgspec.json.Decoder().decode_lines(content)
        elif path.endswith(".xmp"):
            ElementTree.fromstring(content)
    except (ValueError, msgspec.DecodeError, ElementTree.ParseError):
        return False
    return True


def settle(scene: Scene, whole: Files) -> Damage:
    """Run twice with nothing in the way, and return what is not as it would be had nothing ever happened.

    Args:
        scene: after whatever happened.
        whole: the files of a backup to which nothing happened.
    """
    damage = Damage()
    done = scene.run()
    if done.code or not all(_IS_MENDED in line for line in done.err.splitlines()):
        damage.other.append(f"the next run ended with {done.code}: {done.err or done.out}")
    settled = scene.files()
    _compare(settled, whole, damage)
    damage.other += scene.lies_around()
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "metadata/checksums.sha256"],
        cwd=scene.backup,
        capture_output=True,
        text=True,
        check=False,
    )
    damage.half += checked.stdout.splitlines()
    again = scene.run()
    if again.code or "nothing changed" not in again.out:
        damage.other.append(f"the run after it ended with {again.code}: {again.out} {again.err}")
    after = scene.files()
    changed = {path for path in settled if after.get(path) != settled[path]}
    changed |= {path for path in set(after) - set(settled) if not path.startswith("logs/")}
    damage.other += [f"{path} was changed by a run that had nothing to do" for path in sorted(changed)]
    return damage


def _compare(found: Files, whole: Files, damage: Damage) -> None:
    """Add what is not as it should be."""
    wanted = Counter(file.digest for path, file in whole.items() if is_media(path))
    there = Counter(file.digest for path, file in found.items() if is_media(path))
    damage.lost += [path for path, file in whole.items() if is_media(path) and not there[file.digest]]
    for path, file in found.items():
        if is_media(path) and there[file.digest] > wanted[file.digest]:
            (damage.double if wanted[file.digest] else damage.half).append(path)
    one, other = (_comparable(files) for files in (found, whole))
    damage.other += sorted(f"{path} is not as without a crash" for path in dict(one.items() ^ other.items()))


def _comparable(files: Files) -> dict[str, File]:
    """Return what must be alike whatever happened; papers are written when they are written, photos carry a time."""
    return {
        path: file if _shows_a_photo(path) else msgspec.structs.replace(file, mtime=0)
        for path, file in files.items()
        if not path.startswith(_OF_A_RUN)
    }
