"""Finds the time zone of a profile, and the one of the machine where a profile names none."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_LOCALTIME = Path("/etc/localtime")
#: Files among the zone data that are no place's zone.
_NO_PLACES = {"localtime", "posixrules", "Factory"}
_TIMEZONE = Path("/etc/timezone")


def zone(name: str) -> ZoneInfo:
    """Return the zone of that name from the IANA data.

    Raises:
        ValueError: there is none; says what was expected and, as its second argument, what may have been meant.
    """
    try:
        found = _load(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        found = None
    if found is None:
        raise ValueError("expected a time zone such as Europe/Rome", _nearest(name))
    return found


def local_zone(environ: Mapping[str, str], *, localtime: Path = _LOCALTIME, timezone: Path = _TIMEZONE) -> ZoneInfo:
    """Return the machine's zone by ``TZ``, ``/etc/localtime`` and ``/etc/timezone``; UTC when none of them tells.

    Args:
        environ: the environment.
        localtime: a link into the zone data, or a copy of one of its files.
        timezone: Debian's file with the zone's name.
    """
    for name in _local_names(environ, localtime, timezone):
        try:
            found = _load(name) if name else None
        except (ValueError, OSError, ZoneInfoNotFoundError):
            continue
        if found is not None:
            return found
    return ZoneInfo("UTC")


def _local_names(environ: Mapping[str, str], localtime: Path, timezone: Path) -> Iterator[str]:
    """Yield what may be the name of the machine's zone; the next one is looked for only when the last was none."""
    yield environ.get("TZ", "").removeprefix(":")
    yield _linked(localtime)
    yield _written(timezone)
    yield _copied(localtime)


def _load(name: str) -> ZoneInfo | None:
    # ZoneInfo opens any file below its directories; only real zones are wanted, spelled as they are.
    return ZoneInfo(name) if name and not name.startswith(("posix", "right", ".")) else None


def _linked(localtime: Path) -> str:
    """Return the name of the zone that the link points to; empty for a copy."""
    try:
        target = localtime.resolve(strict=True).as_posix()
    except (OSError, RuntimeError):
        return ""
    return target.partition("/zoneinfo/")[2]


def _copied(localtime: Path) -> str:
    """Return the name of the zone that has the same rules, for a file that is mounted into a container."""
    try:
        rules = localtime.read_bytes()
    except OSError:
        return ""
    # Names with a place come first: Europe/Rome before its old alias.
    names = sorted(available_timezones() - _NO_PLACES, key=lambda name: ("/" not in name, name))
    files = ((name, Path(root, name)) for name in names for root in zoneinfo.TZPATH)
    return next((name for name, file in files if file.is_file() and file.read_bytes() == rules), "")


def _written(timezone: Path) -> str:
    try:
        return timezone.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _nearest(name: str) -> str:
    from difflib import get_close_matches  # only a wrong name needs it

    names = {zone.casefold(): zone for zone in available_timezones() - _NO_PLACES}
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(names.values(), reverse=True)}
    wanted = name.strip().casefold().replace(" ", "_")
    near = [names[match] for match in get_close_matches(wanted, names, n=1, cutoff=0.7)]
    near = near or [cities[match] for match in get_close_matches(wanted.rpartition("/")[2], cities, n=1, cutoff=0.8)]
    return f" (did you mean {near[0]}?)" if near else ""
