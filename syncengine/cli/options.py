"""Arguments and options that several commands share."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import msgspec

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)


def profile_argument(function: F) -> F:
    """Take one profile."""
    return click.argument("profile", type=_PATH)(function)


def profiles_argument(*, required: bool) -> Callable[[F], F]:
    """Take several profiles."""
    return click.argument("profiles", type=_PATH, nargs=-1, required=required)


def json_option(function: F) -> F:
    """Take ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(function)


def print_json(value: Any) -> None:
    """Print one JSON object on stdout: indented on a terminal, on one line in a pipe."""
    encoded = msgspec.json.encode(value)
    if sys.stdout.isatty():
        encoded = msgspec.json.format(encoded, indent=2)
    click.echo(encoded.decode())


def as_most(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int | None, float | None] | None:
    """Return (number, percentage) of ``50`` or ``1%``, the one that was not given ``None``."""
    # Imported here: --help needs none of it.
    from syncengine.config.quantities import most

    try:
        return most(value) if value is not None else None
    except ValueError as error:
        raise click.BadParameter(f"{value!r}: {error}", ctx=ctx, param=param) from None


_CHOICES = {
    "albums": click.option(
        "--album", "albums", multiple=True, metavar="TITLE", help="Only this album: a title, a glob, or id:ID."
    ),
    "limit": click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Fetch at most N items."),
    "max_delete": click.option(
        "--max-delete", callback=as_most, metavar="N|P%", help="With sync.mode mirror: remove at most so many."
    ),
    "yes": click.option(
        "--yes", is_flag=True, help="With sync.mode mirror: remove what left the source, however much it is."
    ),
    "remake": click.option(
        "--remake", is_flag=True, help="Make files again whose transforms or their options have changed."
    ),
    "relayout": click.option(
        "--relayout", is_flag=True, help="Move files to where the layout wants them now; show albums anew."
    ),
}


def choices_options(function: F) -> F:
    """Take what a person may ask of a run beside the profile; handed over as ``choices``, fields of ``RunRequest``."""

    @functools.wraps(function)
    def collected(*args: Any, **given: Any) -> Any:
        choices = {name: given.pop(name) for name in _CHOICES}
        return function(*args, choices=choices, **given)

    command: Any = collected
    for option in reversed(_CHOICES.values()):
        command = option(command)
    return cast(F, command)
