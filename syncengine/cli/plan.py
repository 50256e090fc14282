"""``syncengine plan``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profile_argument

if TYPE_CHECKING:
    from syncengine.engine.planning import Decisions


@click.command()
@profile_argument
@click.option("--album", "albums", multiple=True, metavar="TITLE", help="Only this album: a title, a glob, or id:ID.")
@click.option("--all", "show_all", is_flag=True, help="Show unchanged and filtered items as well.")
@json_option
def command(profile: Path, albums: tuple[str, ...], show_all: bool, as_json: bool) -> int:
    """Show what a run of PROFILE would do, item by item, with the reason. Nothing is fetched or written.

    Whether a new item is a copy of another is only known once its bytes were read.
    """
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.cli.progress import Tally
    from syncengine.host import PluginHost

    host = PluginHost()
    counts: Counter[str] = Counter()
    entries: list[dict[str, Any]] = []
    with app.planned(app.load(profile, host), host, app.RunRequest(albums=albums), Tally()) as decided:
        for decisions in decided:
            for entry in _entries(decisions):
                counts[entry["action"]] += 1
                if not show_all and entry["action"] in ("unchanged", "filter"):
                    continue
                if as_json:
                    entries.append(entry)
                else:
                    click.echo(f"{entry['action']:<9} {entry['name']}  ({entry['reason']})")
    if as_json:
        print_json({"profile": str(profile), "counts": dict(counts), "items": entries})
    else:
        click.echo(", ".join(f"{counts[action]:,} to {action}" for action in ("store", "update")), nl=False)
        click.echo(f", {counts['unchanged']:,} unchanged, {counts['filter']:,} filtered")
    return exit_codes.WELL


def _entries(decisions: Decisions) -> list[dict[str, Any]]:
    entries = [
        {
            "action": "update" if work.why == "metadata changed" else "store",
            "id": work.item.id,
            "name": work.item.name,
            "reason": work.why,
        }
        for work in decisions.work
    ]
    entries += [
        {"action": "unchanged", "id": item.id, "name": item.name, "reason": known.path}
        for item, known in decisions.unchanged
    ]
    entries += [
        {"action": "filter", "id": item.id, "name": item.name, "reason": rule} for item, rule in decisions.filtered
    ]
    return entries
