"""``syncengine init``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from syncengine.cli import exit_codes
from syncengine.errors import SyncEngineError

_PROFILE = """\
# yaml-language-server: $schema=../schemas/editor/profile.schema.json
version: 1
name: {name}
source:
  {source}:
    path: {source_path}
transforms:
  - heic-to-jpeg: {{enabled: {convert}, quality: 95}}
dedup:
  - sha256
destination:
  filesystem:
    path: {destination}
timezone: {zone}
"""


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write [default: asked].")
def command(output: Path | None) -> int:
    """Ask a few questions and write a profile that is valid. An existing file is never overwritten."""
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.config.timezone import local_zone
    from syncengine.host import PluginHost

    file = output if output is not None else Path(click.prompt("Profile to write", default="profiles/my-photos.yaml"))
    if file.exists():
        raise click.UsageError(f"{file} exists already; choose another name with -o")
    source = click.prompt(
        "Where the photos come from", type=click.Choice(["takeout", "folder"]), default="takeout", show_choices=True
    )
    what = "Folder with the Takeout archives" if source == "takeout" else "Folder with the photos"
    text = _PROFILE.format(
        name=_name(file),
        source=source,
        source_path=_quoted(click.prompt(what, default="./takeout" if source == "takeout" else "./photos")),
        destination=_quoted(click.prompt("Where the backup goes", default="./backup")),
        convert=str(click.confirm("Convert HEIC to JPEG", default=True)).lower(),
        zone=_quoted(click.prompt("Time zone of photos that know none", default=str(local_zone(os.environ)))),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)
    try:
        app.load(file, PluginHost())
    except SyncEngineError:
        file.unlink()
        raise
    click.echo(f"wrote {file}; 'syncengine plan {file}' shows what it would do, 'syncengine run {file}' does it")
    return exit_codes.WELL


def _name(file: Path) -> str:
    return "".join(character if character.isalnum() or character in "-_." else "-" for character in file.stem)


def _quoted(text: str) -> str:
    """Return ``text`` as a YAML scalar; what looks like a variable stays one."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
