"""``syncengine albums``."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profile_argument


@click.command()
@profile_argument
@json_option
def command(profile: Path, as_json: bool) -> int:
    """List the albums of PROFILE's source: id, title, number of items."""
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.host import PluginHost

    albums = app.list_albums(app.load(profile, PluginHost()))
    if as_json:
        print_json({"albums": [{"id": album.id, "title": album.title, "count": album.count} for album in albums]})
        return exit_codes.WELL
    if not albums:
        click.echo("The source has no albums.")
    for album in albums:
        click.echo(f"{album.count:>7,}  {album.title or '(untitled)'}  [id:{album.id}]")
    return exit_codes.WELL
