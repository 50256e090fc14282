"""``syncengine schema``."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli import exit_codes

DEFAULT_FILE = Path("schemas/editor/profile.schema.json")


@click.command()
@click.option("--write", is_flag=True, help=f"Write it to {DEFAULT_FILE} instead, for editors.")
def command(write: bool) -> int:
    """Print the JSON Schema of a profile with every installed plugin's options."""
    # Imported here: --help needs none of it.
    from syncengine.config.schema import profile_schema, render_schema
    from syncengine.host import PluginHost

    rendered = render_schema(profile_schema(PluginHost()))
    if not write:
        click.echo(rendered, nl=False)
        return exit_codes.WELL
    DEFAULT_FILE.parent.mkdir(parents=True, exist_ok=True)
    DEFAULT_FILE.write_bytes(rendered)
    click.echo(f"wrote {DEFAULT_FILE}")
    return exit_codes.WELL
