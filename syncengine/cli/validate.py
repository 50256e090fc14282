"""``syncengine validate``."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli import exit_codes
from syncengine.cli.failing import exit_code_of
from syncengine.cli.options import profiles_argument
from syncengine.errors import SyncEngineError


@click.command()
@profiles_argument(required=True)
def command(profiles: tuple[Path, ...]) -> int:
    """Check PROFILES down to every plugin's options, and say everything that is wrong. Touches no network."""
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.host import PluginHost

    host = PluginHost()
    codes: list[int] = []
    for path in profiles:
        try:
            profile = app.load(path, host)
        except SyncEngineError as error:
            codes.append(exit_code_of(error))
        else:
            click.echo(f"{path}: profile {profile.name} is valid")
    return exit_codes.gravest(codes)
