"""``syncengine trash``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profile_argument

if TYPE_CHECKING:
    from syncengine.engine.trash import DamagedLine

_SPAN = re.compile(r"([0-9]{1,6})\s*(d|h)")


def _as_days(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Return the days of ``30d`` or ``12h``."""
    match = _SPAN.fullmatch(value.strip()) if value is not None else None
    if value is not None and match is None:
        raise click.BadParameter(f"{value!r}: expected days or hours, such as 30d or 12h", ctx=ctx, param=param)
    return None if match is None else int(match[1]) / (24 if match[2] == "h" else 1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Show what mirror runs removed, bring it back, or remove it for good."""


@command.command("list")
@profile_argument
@json_option
def show(*, profile: Path, as_json: bool) -> int:
    """List what is in the trash of PROFILE's destination."""
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.app.trash import list_trash
    from syncengine.cli.output import size_text
    from syncengine.host import PluginHost

    listed = list_trash(app.load(profile, PluginHost()))
    found = listed.entries
    if as_json:
        print_json(listed)
        return exit_codes.WELL
    run = ""
    for one in found:
        if one.run != run:
            run = one.run
            click.echo(f"run {run}:")
        click.echo(f"  {one.id}  {one.when[:16]:<16}  {size_text(one.size):>9}  {one.path}  ({one.why})")
    count, size = len(found), size_text(sum(one.size for one in found))
    click.echo(f"{count:,} in the trash, {size}" if found else "the trash is empty")
    _tell_damage(listed.damaged)
    return exit_codes.WELL


@command.command()
@profile_argument
@click.argument("names", nargs=-1)
@click.option("--run", metavar="ID", default="", help="Everything that this run removed: its id, or the beginning.")
@click.option("--all", "everything", is_flag=True, help="Everything that mirror runs removed.")
@json_option
def restore(*, profile: Path, names: tuple[str, ...], run: str, everything: bool, as_json: bool) -> int:
    """Bring back what is in the trash of PROFILE's destination: by id, path, or a glob over path or name.

    It takes its old path, or one beside it when another file is there now, and stays whatever the source says.
    """
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.app.trash import Choice, restore_trash
    from syncengine.cli.progress import progress_for
    from syncengine.host import PluginHost

    if not (names or run or everything):
        raise click.UsageError("say what to bring back: an ID, a PATH or a GLOB, --run ID, or --all")
    loaded = app.load(profile, PluginHost())
    with progress_for(loaded.name, quiet=as_json) as progress:
        back = restore_trash(loaded, Choice(names=names, run=run), progress)
    done, left = back.done, back.left
    if as_json:
        print_json({"restored": done, "warnings": left, "damaged": back.damaged})
    elif done:
        for one in done:
            click.echo(f"{one.path or one.name}{f': {one.problem}' if one.problem else ''}")
        for text in left:
            click.echo(f"  {text}")
        click.echo(f"{sum(bool(one.path) for one in done):,} of {len(done):,} brought back")
    _tell_damage(back.damaged)
    if not done:
        click.echo(
            f"syncengine: nothing in the trash is called so; 'syncengine trash list {profile}' shows it", err=True
        )
        return exit_codes.WRONG
    return exit_codes.SOME_ITEMS_FAILED if left or not all(one.path for one in done) else exit_codes.WELL


@command.command()
@profile_argument
@click.option(
    "--older-than", "age", callback=_as_days, metavar="30d", help="Only what is there for longer: days (d), hours (h)."
)
@click.option("--run", metavar="ID", default="", help="Only what this run removed: its id, or the beginning.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def empty(*, profile: Path, age: float | None, run: str, yes: bool, as_json: bool) -> int:
    """Remove for good what is in the trash of PROFILE's destination."""
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.app.trash import Choice, empty_trash, older_than
    from syncengine.cli.output import size_text
    from syncengine.cli.progress import progress_for
    from syncengine.host import PluginHost

    loaded = app.load(profile, PluginHost())
    if not yes and not _agreed(loaded.name):
        return exit_codes.WRONG
    with progress_for(loaded.name, quiet=as_json) as progress:
        emptied = empty_trash(loaded, Choice(run=run, before=older_than(age)), progress)
    if as_json:
        print_json({"removed": emptied.count, "size": emptied.size, "kept": emptied.kept, "damaged": emptied.damaged})
    else:
        click.echo(f"{emptied.count:,} removed for good, {size_text(emptied.size)}")
        for path in emptied.kept:
            click.echo(f"  {path} stays: its entry is damaged, and nothing else tells what it is")
    _tell_damage(emptied.damaged)
    return exit_codes.SOME_ITEMS_FAILED if emptied.kept else exit_codes.WELL


def _tell_damage(damaged: list[DamagedLine]) -> None:
    """Say which lines about the trash are damaged, and what to do."""
    for line in damaged:
        click.echo(f"syncengine: {line.text()}", err=True)
    if damaged:
        advice = (
            "what else is there tells what most of their files are; one that is listed as 'its entry is damaged' and "
            "cannot be brought back stays where it is: look at it, and move it to its path or delete it by hand"
        )
        click.echo(f"syncengine: {advice}", err=True)


def _agreed(name: str) -> bool:
    """Ask on a terminal; elsewhere there is nobody to ask."""
    if not sys.stdin.isatty():
        click.echo(
            "syncengine: nothing was removed: this cannot be undone; add --yes where nobody can be asked", err=True
        )
        return False
    return click.confirm(f"Remove what is in the trash of {name} for good? This cannot be undone.", default=False)
