"""Sidecars beside the files: which belongs to which, and what they say.

XMP sidecars are named ``IMG.jpg.xmp`` or ``IMG.xmp``, Takeout's ``IMG.jpg.json`` or
``IMG.jpg.supplemental-metadata.json``, whose long word may be cut and whose counter may stand behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from syncengine.api import CaptureTime, ItemState, Location
from syncengine_plugins.media.exif import place
from syncengine_plugins.media.xmp import LARGEST, read_xmp
from syncengine_plugins.sources.folder.names import name_of
from syncengine_plugins.sources.opening import read_start

#: Lower-case extensions that a sidecar can have.
EXTENSIONS = frozenset({"xmp", "json"})

_TAKEOUT_WORD = "supplemental-metadata"
_COUNTER = re.compile(r"(.*)(\(\d+\))")
# Instants outside the years 1 to 9999 are nonsense.
_YEARS = (-62_135_596_800, 253_402_300_800)


class SidecarFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the sidecars of one file say, the first of them first.

    Args:
        taken: capture time; origin ``xmp`` or ``sidecar``.
        location: the place by the sidecar's word.
        exif_location: the place that the file itself had, by Takeout's word.
        description: the caption.
        people: names.
        favorite: marked by the user, or five stars.
        states: archived, trashed, locked.
        raw: Takeout's untouched JSON.
        notes: what could not be read.
    """

    taken: CaptureTime | None = None
    location: Location | None = None
    exif_location: Location | None = None
    description: str = ""
    people: tuple[str, ...] = ()
    favorite: bool = False
    states: tuple[ItemState, ...] = ()
    raw: object = None
    notes: tuple[str, ...] = ()

    def joined(self, other: SidecarFacts) -> SidecarFacts:
        """Return these facts, with those of ``other`` where there are none."""
        return SidecarFacts(
            taken=self.taken or other.taken,
            location=self.location or other.location,
            exif_location=self.exif_location or other.exif_location,
            description=self.description or other.description,
            people=tuple(dict.fromkeys(self.people + other.people)),
            favorite=self.favorite or other.favorite,
            states=self.states or other.states,
            raw=self.raw if self.raw is not None else other.raw,
            notes=self.notes + other.notes,
        )


def match_sidecars(names: Iterable[str], media: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the sidecars of each file that has some.

    Args:
        names: all names of one directory.
        media: those that can have a sidecar.

    Returns:
        Sidecar names by file name, XMP before JSON. A name that fits exactly is preferred to one in another case.
    """
    exact = set(media)
    lower: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    for name in exact:
        lower.setdefault(name.lower(), []).append(name)
        stems.setdefault(name.lower().rpartition(".")[0], []).append(name)
    found: dict[str, list[str]] = {}
    for sidecar in sorted(names, key=lambda name: (not name.lower().endswith(".xmp"), name)):
        stem, _, extension = sidecar.rpartition(".")
        if extension.lower() == "xmp":
            owners = _owner(stem, exact, lower) or stems.get(stem.lower(), [])
        elif extension.lower() == "json":
            owners = next((hit for base in _takeout_names(stem) if (hit := _owner(base, exact, lower))), [])
        else:
            continue
        for owner in owners:
            found.setdefault(owner, []).append(sidecar)
    return {name: tuple(sidecars) for name, sidecars in found.items()}


def read_sidecars(directory: str, names: Iterable[str]) -> SidecarFacts:
    """Read the sidecars of one file; never raises.

    Args:
        directory: where they are.
        names: as ``match_sidecars`` returned them.
    """
    facts = SidecarFacts()
    for name in names:
        try:
            content = read_start(f"{directory}/{name}", LARGEST + 1)
        except OSError as error:
            facts = facts.joined(SidecarFacts(notes=(f"{name_of(name)} cannot be read: {error.strerror}",)))
            continue
        read = _from_xmp if name.lower().endswith(".xmp") else read_takeout
        facts = facts.joined(read(content, name_of(name)))
    return facts


def read_takeout(content: bytes, name: str) -> SidecarFacts:
    """Read a Takeout sidecar; never raises.

    Args:
        content: the file's bytes.
        name: its name, for notes.
    """
    if len(content) > LARGEST:
        return SidecarFacts(notes=(f"{name} is not read: over 1 MiB",))
    try:
        raw = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        return SidecarFacts(notes=(f"{name} cannot be read: {type(error).__name__}",))
    if not isinstance(raw, dict) or not isinstance(raw.get("photoTakenTime"), dict):
        return SidecarFacts(notes=(f"{name} is not a Takeout sidecar",))
    people = raw.get("people")
    names = [one.get("name") for one in people if isinstance(one, dict)] if isinstance(people, list) else []
    flags = {"archived": ItemState.ARCHIVED, "trashed": ItemState.TRASHED, "inLockedFolder": ItemState.LOCKED}
    return SidecarFacts(
        taken=_instant(raw["photoTakenTime"].get("timestamp")),
        location=_place(raw.get("geoData")),
        exif_location=_place(raw.get("geoDataExif")),
        description=raw["description"] if isinstance(raw.get("description"), str) else "",
        people=tuple(dict.fromkeys(one for one in names if isinstance(one, str) and one)),
        favorite=raw.get("favorited") is True,
        states=tuple(state for flag, state in flags.items() if raw.get(flag) is True),
        raw=raw,
    )


def _owner(base: str, exact: set[str], lower: dict[str, list[str]]) -> list[str]:
    return [base] if base in exact else lower.get(base.lower(), [])


def _takeout_names(stem: str) -> Iterable[str]:
    """Yield the file names that ``stem``, a sidecar's name without ``.json``, may stand for, the likeliest first."""
    yield stem
    counted = _COUNTER.fullmatch(stem)
    plain, counter = (counted[1], counted[2]) if counted else (stem, "")
    base, dot, word = plain.rpartition(".")
    for whole in (plain, base) if dot and _TAKEOUT_WORD.startswith(word.lower()) else (plain,):
        name, dot, extension = whole.rpartition(".")
        yield f"{name}{counter}{dot}{extension}" if dot else f"{whole}{counter}"


def _from_xmp(content: bytes, name: str) -> SidecarFacts:
    xmp = read_xmp(content)
    return SidecarFacts(
        taken=xmp.taken,
        location=xmp.location,
        description=xmp.description,
        people=xmp.people,
        favorite=xmp.favorite,
        notes=tuple(f"{name}: {note}" for note in xmp.notes),
    )


def _instant(timestamp: object) -> CaptureTime | None:
    """Read epoch seconds, which Takeout writes as text; 0 is how it writes "unknown", and before 1970 is negative."""
    if not isinstance(timestamp, (str, int)) or isinstance(timestamp, bool):
        return None
    try:
        seconds = int(timestamp)
    except ValueError:
        return None
    if seconds == 0 or not _YEARS[0] <= seconds < _YEARS[1]:
        return None
    return CaptureTime(origin="sidecar", instant=seconds * 1000)


def _place(geo: object) -> Location | None:
    if not isinstance(geo, dict):
        return None
    latitude, longitude, altitude = (geo.get(key) for key in ("latitude", "longitude", "altitude"))
    if not isinstance(latitude, (int, float)) or not isinstance(longitude, (int, float)):
        return None
    # Takeout writes 0 where it knows no altitude.
    height = altitude if isinstance(altitude, (int, float)) and altitude else None
    try:
        return place(float(latitude), float(longitude), None if height is None else float(height))
    except OverflowError:
        return None
