"""``syncengine report``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profile_argument

if TYPE_CHECKING:
    from syncengine.engine.run_comparison import Comparison

_KEPT = 100_000
_NAMED = 5


@click.command()
@profile_argument
@click.option("--run", "run_id", metavar="ID", help="A run's id, or its beginning [default: the last run].")
@click.option(
    "--since", metavar="ID|DATE|last", help="What changed since an earlier run, or since the day before DATE."
)
@json_option
def command(profile: Path, run_id: str | None, since: str | None, as_json: bool) -> int:
    """Show the account of a run of PROFILE: what became of every item that the source listed."""
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.cli.report_text import report_lines
    from syncengine.host import PluginHost

    loaded = app.load(profile, PluginHost())
    found = app.reports(loaded.name, _KEPT if run_id or since else 1)
    report = next((report for report in found if report.run.startswith(run_id or "")), None)
    if report is None:
        wanted = f"no run {run_id} of profile {loaded.name}" if run_id else f"profile {loaded.name} has not run yet"
        click.echo(f"syncengine: {wanted}; 'syncengine status {profile}' lists its runs", err=True)
        return exit_codes.WRONG if run_id else exit_codes.COULD_NOT_RUN
    if since is not None:
        comparison = app.compare_runs(loaded, found, report, since)
        if as_json:
            print_json(comparison)
        else:
            click.echo("\n".join(_comparison_lines(comparison)))
    elif as_json:
        print_json(report)
    else:
        click.echo("\n".join(report_lines(report)))
    return exit_codes.WELL


def _comparison_lines(comparison: Comparison) -> Iterator[str]:
    # Imported here: --help needs none of it.
    from syncengine.cli.output import printable

    yield f"Run {comparison.run}"
    yield f"after {comparison.since}:" + ("" if comparison.counts else " nothing is different")
    for change, count in comparison.counts.items():
        yield ""
        yield f"  {change:<14} {count:>9,}"
        for item in comparison.items[change][:_NAMED]:
            reason = (
                f": {item.reason}" if item.reason and change in ("newly failing", "still failing", "left out") else ""
            )
            yield f"    {printable(item.path or item.name)}{printable(reason)}"
        if count > _NAMED:
            yield f"    and {count - _NAMED:,} more" + ("" if count > len(comparison.items[change]) else " (--json)")
    if comparison.remarks:
        yield ""
    for remark in comparison.remarks:
        yield f"Note: {remark}."
