"""``syncengine plan``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from syncengine.cli import exit_codes
from syncengine.cli.options import choices_options, json_option, profile_argument

if TYPE_CHECKING:
    from syncengine.engine.planning import Decisions
    from syncengine.engine.saved_plan.actions import Action
    from syncengine.engine.saved_plan.facts import Tail

_COLOURS = {"store": "green", "remake": "green", "update": "yellow", "move": "yellow", "remove": "red"}


@click.command()
@profile_argument
@choices_options
@click.option("--all", "show_all", is_flag=True, help="Show unchanged and filtered items as well.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Keep the plan in FILE.")
@json_option
def command(*, profile: Path, choices: dict[str, Any], show_all: bool, output: Path | None, as_json: bool) -> int:
    """Show what a run of PROFILE would do, item by item, with the reason. Nothing is fetched or written.

    Whether a new item is a copy of another is only known once its bytes were read. 'syncengine apply FILE' does exactly
    what a plan that was kept says, or nothing when anything has changed since.
    """
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.cli.progress import Tally
    from syncengine.host import PluginHost

    host = PluginHost()
    request = app.RunRequest(**choices)
    with (
        TemporaryFile() as items,
        app.planned(app.load(profile, host), host, request, Tally(), file=output) as plan,
    ):
        for actions, decisions in plan:
            others = list(_others(decisions)) if show_all else []
            if as_json:
                _keep(items, [*actions, *others])
            else:
                _show(actions, others)
        tail, remarks = plan.tail(), plan.remarks
        if as_json:
            _print(items, profile, tail, remarks)
    if not as_json:
        for line in _summary(tail, remarks, output):
            click.echo(line)
    return exit_codes.WELL if tail.source.complete else exit_codes.SOME_ITEMS_FAILED


def _others(decisions: Decisions) -> Iterator[dict[str, Any]]:
    """Yield the items that nothing is to be done with."""
    for item, known in decisions.unchanged:
        yield {"action": "unchanged", "id": item.id, "name": item.name, "reason": known.path}
    for item, rule in decisions.filtered:
        yield {"action": "filter", "id": item.id, "name": item.name, "reason": rule}


def _show(actions: Sequence[Action], others: Sequence[dict[str, Any]]) -> None:
    # Imported here: --help needs none of it.
    from syncengine.cli.output import printable, size_text

    for action in actions:
        verb = click.style(f"{action.action:<9}", fg=_COLOURS[action.action])
        size = size_text(action.size) if action.size is not None and action.action in ("store", "remake") else ""
        where = "" if action.action == "store" else "  " + " -> ".join(filter(None, (action.path, action.to)))
        click.echo(f"{verb} {size:>9}  {printable(action.label)}  ({printable(action.reason)}){printable(where)}")
    for other in others:
        click.echo(f"{other['action']:<9} {'':>9}  {printable(other['name'])}  ({printable(other['reason'])})")


def _summary(tail: Tail, remarks: Sequence[str], output: Path | None) -> Iterator[str]:
    # Imported here: --help needs none of it.
    from syncengine.cli.output import printable, size_text

    totals = tail.totals
    parts = []
    for verb in ("store", "remake", "update", "move", "remove"):
        count = totals.actions.get(verb, 0)
        if count or verb in ("store", "update"):
            parts.append(f"{count:,} to {verb}")
    fetched = [f"{size_text(totals.bytes)} to fetch"] if totals.bytes else []
    fetched += [f"{totals.unsized:,} items of unknown size"] if totals.unsized else []
    counts = ", ".join([*parts, f"{totals.unchanged:,} unchanged", f"{totals.filtered:,} filtered"])
    yield "; ".join([counts, *fetched])
    if not tail.source.complete:
        missing = tail.source.missing
        yield "NOT COMPLETE: the source may hold more than was listed" + (":" if missing else ".")
        yield from (f"  {printable(name)}" for name in missing)
    for remark in remarks:
        yield f"Note: {printable(remark)}."
    if output is not None:
        yield f"Kept in {output}. To do exactly this, and nothing else: syncengine apply {output}"


def _keep(items: BinaryIO, entries: Sequence[Any]) -> None:
    # Imported here: --help needs none of it.
    from syncengine.engine.clean_text import encoded_lines

    items.write(encoded_lines(msgspec.json.Encoder(), entries))


def _print(items: BinaryIO, profile: Path, tail: Tail, remarks: Sequence[str]) -> None:
    """Print one JSON object, in memory that does not grow with the plan."""
    counts = {**tail.totals.actions, "unchanged": tail.totals.unchanged, "filter": tail.totals.filtered}
    head = {
        "profile": str(profile),
        "counts": {name: count for name, count in counts.items() if count},
        "bytes": tail.totals.bytes,
        "complete": tail.source.complete,
        "missing": tail.source.missing,
        "remarks": remarks,
    }
    click.echo(msgspec.json.encode(head).removesuffix(b"}") + b',"items":[', nl=False)
    items.seek(0)
    separator = b"\n"
    for line in items:
        click.echo(separator + line.rstrip(), nl=False)
        separator = b",\n"
    click.echo("\n]}")
