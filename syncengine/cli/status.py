"""``syncengine status``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profiles_argument

if TYPE_CHECKING:
    from syncengine.app import ProfileStatus

_SHOWN = 5


@click.command()
@profiles_argument(required=False)
@json_option
def command(profiles: tuple[Path, ...], as_json: bool) -> int:
    """Show the last runs of PROFILES, or of every profile that ever ran here."""
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.host import PluginHost

    host = PluginHost()
    names = [app.load(path, host).name for path in profiles] if profiles else app.known_profiles()
    found = [app.status(name, _SHOWN) for name in names]
    if as_json:
        print_json({"profiles": [_entry(status) for status in found]})
        return exit_codes.WELL
    if not found:
        click.echo("No profile has run here yet.")
    for status in found:
        _show(status)
    return exit_codes.WELL


def _entry(status: ProfileStatus) -> dict[str, Any]:
    entry: dict[str, Any] = msgspec.to_builtins(status)
    return entry


def _show(status: ProfileStatus) -> None:
    # Imported here: --help needs none of it.
    from syncengine.cli.output import duration_text, size_text

    state = "running now" if status.running else "has not run yet" if not status.runs else ""
    click.echo(f"{status.profile}: {state}" if state else status.profile)
    for report in status.runs:
        counts = ", ".join(f"{count:,} {name}" for name, count in report.outcomes.items() if count) or "nothing listed"
        complete = "" if report.complete else ", NOT COMPLETE"
        click.echo(
            f"  {report.started}  {report.ended}{complete}  {counts}; "
            f"{size_text(report.bytes_written)} in {duration_text(report.seconds)}  [{report.run}]"
        )
