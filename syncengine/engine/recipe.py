"""How a profile's files were made and laid out by its last whole run, and how it wants them now."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import AppliedTransform

_LOG = logging.getLogger(__name__)
_DIGITS = 8


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What of a profile decides what the stored files are and where they lie.

    Args:
        recipe: the transforms and their options, as ``recipe_of`` writes them.
        path: ``layout.path``.
        zone: name of the time zone.
        albums: how albums are shown.
        metadata: formats of the metadata files.
    """

    recipe: str
    path: str
    zone: str
    albums: str
    metadata: tuple[str, ...]

    def has_layout_of(self, other: Setup) -> bool:
        """Whether both lay files out alike."""
        return msgspec.structs.replace(self, recipe=other.recipe) == other


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """How everything that a profile has at a destination is made and laid out, as far as that is known.

    Args:
        setup: by which it is.
        several_recipes: some of it may be by another recipe.
        several_layouts: some of it may be by another layout.
    """

    setup: Setup
    several_recipes: bool = False
    several_layouts: bool = False

    def is_made_by(self, setup: Setup) -> bool:
        """Whether all of it is by a recipe."""
        return not self.several_recipes and self.setup.recipe == setup.recipe

    def is_laid_out_by(self, setup: Setup) -> bool:
        """Whether all of it is by a layout."""
        return not self.several_layouts and self.setup.has_layout_of(setup)

    def is_by(self, setup: Setup) -> bool:
        """Whether all of it is by a profile as it is now."""
        return self.is_made_by(setup) and self.is_laid_out_by(setup)

    def joined_by(self, setup: Setup) -> Known:
        """Return what is known once there is more that is by ``setup``."""
        return Known(
            setup=self.setup,
            several_recipes=not self.is_made_by(setup),
            several_layouts=not self.is_laid_out_by(setup),
        )


class Upkeep(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to do with what is stored already, when the profile has changed since.

    Args:
        remake: make files again whose recipe is another one now.
        relayout: move files whose path is another one now.
        directory: of the profile in the state directory, where it is remembered how the files were made; ``None``:
            nowhere.
    """

    remake: bool = False
    relayout: bool = False
    directory: Path | None = None

    def before(self, destination: str) -> Known | None:
        """Return how everything at a destination is made and laid out; ``None`` when nobody knows.

        Args:
            destination: its identity.
        """
        try:
            content = self._file(destination).read_bytes() if self.directory is not None else b""
            return msgspec.json.decode(content, type=Known)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def remember(self, known: Known, destination: str) -> None:
        """Remember how everything at a destination is made and laid out now.

        Raises:
            OSError: the disk of the state directory is full or failing.
        """
        if self.directory is None or known == self.before(destination):
            return
        file = self._file(destination)
        new = file.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(known))
        os.replace(new, file)

    def changes_file(self, destination: str) -> Path | None:
        """Return where changes under way are written down for the case that the run is killed."""
        return None if self.directory is None else self.directory / f"changes-{_short(destination)}.msgpack"

    def amendments_file(self, destination: str) -> Path | None:
        """Return where it is kept what the catalog lacks, once the state was made again."""
        return None if self.directory is None else self.directory / f"amendments-{_short(destination)}.jsonl"

    def _file(self, destination: str) -> Path:
        assert self.directory is not None  # nosec B101: asked by every caller
        return self.directory / f"setup-{_short(destination)}.json"


def _short(identity: str) -> str:
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=_DIGITS).hexdigest()


def difference(before: str, now: str) -> str:
    """Return in words what differs between two recipes: ``heic-to-jpeg: quality 95 -> 85``.

    Args:
        before: as in ``ContentRecord.recipe``; empty when no transform had anything to do.
        now: as in ``Setup.recipe``.
    """
    old, new = _stages(before), _stages(now)
    parts = [f"without {name}" for name in old if name not in new]
    parts += [f"with {name}" for name in new if name not in old]
    for name, options in new.items():
        if name in old and (changed := _changed(old[name], options)):
            parts.append(f"{name}: {', '.join(changed)}")
    return "; ".join(parts) or "the transforms' order"


def applied_by(recipe: str) -> tuple[AppliedTransform, ...]:
    """Return the transforms that a recipe tells of as applied, where it is sure which: it has only one."""
    stages = _stages(recipe)
    if len(stages) != 1:
        return ()
    return tuple(AppliedTransform(name=name, options=options) for name, options in stages.items())


def _stages(recipe: str) -> dict[str, Mapping[str, Any]]:
    """Return options by stage; a stage that is there more than once has a number after its name."""
    try:
        found = msgspec.json.decode(recipe, type=list[tuple[str, dict[str, Any]]]) if recipe else []
    except msgspec.MsgspecError:
        _LOG.debug("a recipe that cannot be read: %s", recipe)
        found = []
    stages: dict[str, Mapping[str, Any]] = {}
    for name, options in found:
        seen = sum(other == name or other.startswith(f"{name} ") for other in stages)
        stages[f"{name} {seen + 1}" if seen else name] = options
    return stages


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [
        f"{option} {_text(old, option)} -> {_text(new, option)}"
        for option in sorted(old.keys() | new.keys())
        if old.get(option) != new.get(option)
    ]


def _text(options: Mapping[str, Any], option: str) -> str:
    return msgspec.json.encode(options[option]).decode().strip('"') if option in options else "unset"
