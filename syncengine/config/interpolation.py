"""Puts environment variables into a profile: ``${NAME}``, ``${NAME:-default}``, and ``$${`` for a literal ``${``."""

from __future__ import annotations

import os
import re
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from syncengine.errors import ConfigError, Problem

_REFERENCE = re.compile(
    r"(?P<literal>\$\$\{)"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-(?:(?!\$\{)[^}])*)?\}"
    r"|(?P<wrong>\$\{[^}]*\}?)"
)


class Expansion(NamedTuple):
    """A text with its variables replaced.

    Args:
        text: the result.
        variables: the names that were replaced, in order.
        defaulted: every one of them took its default.
        problems: the variables that are missing, the references that are none; empty when all went well.
    """

    text: str
    variables: tuple[str, ...]
    defaulted: bool
    problems: tuple[str, ...]


def expand(text: str, environ: Mapping[str, str]) -> Expansion:
    """Replace the variables in one scalar.

    As in a shell, ``${NAME:-default}`` takes the default when the variable is missing or empty, and ``${NAME}`` takes
    an empty one as it is. What a variable brings is never looked through again.

    Args:
        text: as written in the profile.
        environ: the variables.
    """
    variables: list[str] = []
    problems: list[str] = []
    defaulted = True

    def replacement(match: re.Match[str]) -> str:
        nonlocal defaulted
        name, default = match["name"], match["default"]
        if match["literal"]:
            return "${"
        if match["wrong"]:
            wrong = repr(match["wrong"][:40])
            problems.append(f"{wrong} is no variable; write ${{NAME}}, ${{NAME:-default}}, or $${{ for ${{")
            return ""
        variables.append(name)
        value = environ.get(name)
        if value is None and default is None:
            problems.append(
                f"the variable {name} is not set; set it (in .env, for example) or write ${{{name}:-default}}"
            )
        if default is not None and not value:
            return default[2:]
        defaulted = False
        return value or ""

    result = _REFERENCE.sub(replacement, text)
    return Expansion(result, tuple(variables), bool(variables) and defaulted, tuple(problems))


def environment(profile: Path, environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Return the variables that a profile sees.

    Args:
        profile: the profile's file; the ``.env`` beside it comes after the environment, then the one in the working
            directory.
        environ: the environment; the process's own when ``None``.

    Raises:
        ConfigError: a ``.env`` that cannot be read.
    """
    maps: list[dict[str, str]] = [dict(os.environ if environ is None else environ)]
    files = dict.fromkeys(Path(os.path.abspath(path)) for path in (profile.parent / ".env", Path(".env")))
    maps.extend(_read_dotenv(file) for file in files if file.is_file())
    return ChainMap(*maps)


def _read_dotenv(file: Path) -> dict[str, str]:
    from dotenv import dotenv_values  # 15 ms at start-up that only those pay who have the file

    try:
        values = dotenv_values(file, interpolate=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError([Problem("not UTF-8; save it as UTF-8", file=str(file))]) from None
    except OSError as error:
        raise ConfigError([Problem(f"cannot be read: {error.strerror or error}", file=str(file))]) from None
    return {name: value for name, value in values.items() if value is not None}
