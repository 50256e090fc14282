"""``syncengine plugins``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json

if TYPE_CHECKING:
    from syncengine.host import InstalledPlugin


@click.command()
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> int:
    """List what is installed, built in and third-party; with NAME, a plugin's options, types and defaults."""
    # Imported here: --help needs none of it.
    from syncengine.host import PluginHost

    found = [plugin for plugin in PluginHost().all() if name in (None, plugin.name, f"{plugin.kind}.{plugin.name}")]
    if name is not None and not found:
        raise click.UsageError(f"no plugin {name!r} is installed; 'syncengine plugins' lists them")
    if as_json:
        print_json({"plugins": [_entry(plugin) for plugin in found]})
        return exit_codes.WELL
    for plugin in found:
        origin = "built in" if plugin.builtin else plugin.distribution
        click.echo(f"{plugin.kind + '.' + plugin.name:<28} {origin:<24} {_summary(plugin)}")
        if name is not None:
            _describe(plugin)
    return exit_codes.WELL


def _schema(plugin: InstalledPlugin) -> dict[str, Any]:
    from syncengine.api import options_schema

    return options_schema(plugin.plugin.Options) if plugin.plugin is not None else {}


def _summary(plugin: InstalledPlugin) -> str:
    if plugin.error is not None:
        return f"BROKEN: {plugin.error}"
    if plugin.plugin is None:
        return "is told what a run does; a profile names it under notify"
    return (plugin.plugin.__doc__ or "").strip().partition("\n")[0]


def _entry(plugin: InstalledPlugin) -> dict[str, Any]:
    return {
        "kind": plugin.kind,
        "name": plugin.name,
        "distribution": plugin.distribution,
        "builtin": plugin.builtin,
        "summary": _summary(plugin),
        "error": str(plugin.error) if plugin.error else None,
        "options": _schema(plugin),
    }


def _describe(plugin: InstalledPlugin) -> None:
    schema = _schema(plugin)
    if not schema.get("properties"):
        click.echo("  no options")
    for option, facts in schema.get("properties", {}).items():
        default = "required" if option in schema.get("required", ()) else f"default {facts.get('default')!r}"
        click.echo(f"  {option}: {_type_text(facts)}, {default}")
        if facts.get("description"):
            click.echo(f"      {facts['description']}")


def _type_text(facts: dict[str, Any]) -> str:
    if "enum" in facts:
        return " | ".join(str(value) for value in facts["enum"])
    if "anyOf" in facts:
        return " or ".join(_type_text(one) for one in facts["anyOf"])
    bounds = [str(facts[key]) for key in ("minimum", "maximum") if key in facts]
    kind = str(facts.get("type", "any"))
    return f"{kind} {' to '.join(bounds)}" if bounds else kind
