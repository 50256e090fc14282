"""Checks ``layout.path`` before anything runs: its fields, their formats, and that it stays where photos belong."""

from __future__ import annotations

import re
from string import Formatter

ROOT = "photos"
#: Those that tell one photo from another; product page, section 3.
TELLING = ("name", "stem", "id", "sha256")
FIELDS = ("taken", "name", "stem", "ext", "album", "kind", "camera", "id", "sha256")

_SHORTENED = frozenset({"stem", "album", "camera", "id", "sha256"})
_PRECISION = re.compile(r"\.[1-9][0-9]?")
#: Directives that mean the same on every platform, and whose result is the photo's own.
_DIRECTIVES = frozenset("YmdHMSyjBbAaUWVGupIf%")


def path_template(text: str) -> str:
    """Return the template as it is.

    Raises:
        ValueError: what is wrong with it and what is allowed.
    """
    parts = text.split("/")
    if parts[0] != ROOT:
        raise ValueError(f"it must begin with '{ROOT}/', where the library is kept and verified")
    if "\\" in text:
        raise ValueError("folders are separated by '/', on every system")
    if any(part.strip() in {"", ".", ".."} for part in parts):
        raise ValueError("empty folders, '.' and '..' are not allowed")
    fields = [_fields(part) for part in parts]
    if not any(field in TELLING for part in fields for field in part):
        raise ValueError("it needs {name}, {stem}, {id} or {sha256}, or all photos would share one path")
    if not {"name", "ext"} & set(fields[-1]):
        raise ValueError("its last part needs {name}, or {ext} at its end, or files lose their extension")
    return text


def _fields(part: str) -> list[str]:
    try:
        parsed = list(Formatter().parse(part))
    except ValueError:
        raise ValueError(f"the braces in '{part}' do not match (a folder cannot be inside a field)") from None
    found: list[str] = []
    for _, field, spec, conversion in parsed:
        if field is not None:
            _check_field(field, spec or "", conversion)
            found.append(field)
    return found


def _check_field(field: str, spec: str, conversion: str | None) -> None:
    if field not in FIELDS:
        raise ValueError(f"there is no field {{{field}}} (fields: {', '.join(FIELDS)})")
    if conversion:
        raise ValueError(f"'!{conversion}' is not available in {{{field}}}")
    if field == "taken":
        _check_strftime(spec)
    elif spec and not (field in _SHORTENED and _PRECISION.fullmatch(spec)):
        allowed = f"may only be cut short, as in {{{field}:.8}}" if field in _SHORTENED else "takes no format"
        raise ValueError(f"{{{field}}} {allowed}")


def _check_strftime(spec: str) -> None:
    directives = re.findall(r"%(.?)", spec)
    if not directives:
        raise ValueError("{taken} needs a date format, as in {taken:%Y}")
    for directive in directives:
        if directive not in _DIRECTIVES or directive == "":
            raise ValueError(
                f"'%{directive}' is not a date format that {{taken}} knows (it knows %Y, %m, %d, %H, %B ...)"
            )
