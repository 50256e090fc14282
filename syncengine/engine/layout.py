"""Where a file goes: the profile's ``layout.path`` turned into a path for one asset."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from string import Formatter
from typing import Any

import msgspec

from syncengine.api import Asset
from syncengine.engine.safe_names import fit, safe_name, split_extension
from syncengine.errors import ConfigError

UNDATED = "undated"
NO_ALBUM = "no album"
NO_CAMERA = "unknown camera"
#: First components that belong to the engine.
RESERVED_ROOTS = frozenset({"albums", "metadata", "logs", ".syncengine"})
FIELDS = frozenset({"taken", "name", "stem", "ext", "album", "kind", "camera", "id", "sha256"})

#: ``{taken:%Y/%m}`` is short for ``{taken:%Y}/{taken:%m}``.
_TAKEN = re.compile(r"\{taken:[^{}]*\}")

_Part = tuple[str, str | None, str]


class PathTemplate:
    """A compiled ``layout.path``.

    Args:
        template: such as ``photos/{taken:%Y}/{taken:%m}/{name}``.
        zone: for capture times that know no zone.

    Raises:
        ConfigError: an unknown field, a path that could leave the root, or one that every file would share.
    """

    def __init__(self, template: str, zone: tzinfo) -> None:
        #: As the profile has it.
        self.text = template
        self._zone = zone
        template = _TAKEN.sub(lambda taken: taken[0].replace("/", "}/{taken:"), template)
        self._components = [list(_parse(component)) for component in template.split("/")]
        _check(template, self._components)

    def path_of(self, asset: Asset) -> str:
        """Return the path of an asset, every component safe on every target.

        The components that hold ``{taken}`` become one ``undated`` when the capture time is not known. A first
        component that an item or album called like a directory of the engine gets a ``_`` before it.
        """
        taken = asset.item.taken.at(self._zone) if asset.item.taken is not None else None
        values = _Values(asset, taken)
        components: list[str] = []
        for component in self._components:
            if taken is None and any(field == "taken" for _, field, _ in component):
                if components[-1:] != [UNDATED]:
                    components.append(UNDATED)
                if not any(field in {"name", "stem", "id", "sha256"} for _, field, _ in component):
                    continue
                parts = [part for part in component if part[1] != "taken"]
            else:
                parts = component
            components.append(safe_name("".join(literal + values.text(field, spec) for literal, field, spec in parts)))
        if components[0].casefold() in RESERVED_ROOTS:
            components[0] = "_" + components[0]
        return "/".join(components)


class _Values:
    """The fields of one asset as text."""

    def __init__(self, asset: Asset, taken: datetime | None) -> None:
        self._asset = asset
        self._taken = taken

    def text(self, field: str | None, spec: str) -> str:
        """Return one field's text; a ``None`` field is none at all."""
        if field is None:
            return ""
        if field == "taken":
            return _strftime(self._taken, spec)
        return format(getattr(self, "_" + field)(), spec)

    def _name(self) -> str:
        return self._asset.name

    def _stem(self) -> str:
        return split_extension(self._asset.name)[0]

    def _ext(self) -> str:
        return split_extension(self._asset.name)[1].lstrip(".")

    def _album(self) -> str:
        albums = sorted(self._asset.item.albums, key=lambda album: (album.title, album.id))
        return albums[0].title or NO_ALBUM if albums else NO_ALBUM

    def _kind(self) -> str:
        return str(self._asset.kind)

    def _camera(self) -> str:
        return self._asset.item.camera or NO_CAMERA

    def _id(self) -> str:
        return self._asset.item.id

    def _sha256(self) -> str:
        return self._asset.sha256.hex()


def with_suffix(path: str, content: bytes, digits: int = 6) -> str:
    """Return ``path`` with ``~`` and the first ``digits`` hex digits of the content's hash before its extension."""
    directory, slash, name = path.rpartition("/")
    return directory + slash + fit(name, "~" + content.hex()[:digits])


def candidate_paths(path: str, content: bytes) -> Iterator[str]:
    """Yield the names that a content may take, the wanted one first; they depend on nothing but path and content."""
    yield path
    for digits in (6, 16, 64):
        yield with_suffix(path, content, digits)


def _parse(component: str) -> Iterator[_Part]:
    try:
        for literal, field, spec, conversion in Formatter().parse(component):
            yield literal, f"{field}!{conversion}" if conversion else field, spec or ""
    except ValueError as error:
        raise ConfigError(f"layout.path: {component!r} cannot be read: {error}") from error


def _check(template: str, components: list[list[_Part]]) -> None:
    fields = {field for component in components for _, field, _ in component if field is not None}
    if unknown := sorted(fields - FIELDS):
        raise ConfigError(f"layout.path: unknown field {{{unknown[0]}}} (there are {', '.join(sorted(FIELDS))})")
    if not fields & {"name", "stem", "id", "sha256"}:
        raise ConfigError("layout.path: needs {name}, {stem}, {id} or {sha256}, or all files would share one path")
    first = template.split("/", 1)[0]
    if first.casefold() in RESERVED_ROOTS:
        raise ConfigError(f"layout.path: {first!r} belongs to syncengine itself; choose another first folder")
    if any(component.strip() in {"", ".", ".."} for component in template.split("/")):
        raise ConfigError("layout.path: empty, '.' and '..' components are not allowed; it is relative to the root")


def _strftime(taken: datetime | None, spec: str) -> str:
    if taken is None:
        return UNDATED
    # glibc's strftime leaves out the zeros of early years; a folder name needs four digits.
    spec = re.sub("%Y", f"{taken.year:04d}", spec) if taken.year < 1000 else spec
    return taken.strftime(spec or "%Y-%m-%d")


def recipe_of(stages: list[tuple[str, Any]]) -> str:
    """Return the transforms and their options as one comparable line."""
    return msgspec.json.encode(stages, order="deterministic").decode()
