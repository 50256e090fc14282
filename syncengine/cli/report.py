"""``syncengine report``."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profile_argument

_KEPT = 1000


@click.command()
@profile_argument
@click.option("--run", "run_id", metavar="ID", help="A run's id, or its beginning [default: the last run].")
@json_option
def command(profile: Path, run_id: str | None, as_json: bool) -> int:
    """Show the account of a run of PROFILE: what became of every item that the source listed."""
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.cli.report_text import report_lines
    from syncengine.host import PluginHost

    name = app.load(profile, PluginHost()).name
    found = app.reports(name, _KEPT if run_id else 1)
    report = next((report for report in found if report.run.startswith(run_id or "")), None)
    if report is None:
        wanted = f"no run {run_id} of profile {name}" if run_id else f"profile {name} has not run yet"
        click.echo(f"syncengine: {wanted}; 'syncengine status {profile}' lists its runs", err=True)
        return exit_codes.WRONG if run_id else exit_codes.COULD_NOT_RUN
    if as_json:
        print_json(report)
    else:
        for line in report_lines(report):
            click.echo(line)
    return exit_codes.WELL
