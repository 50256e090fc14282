"""``syncengine apply``."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli import exit_codes
from syncengine.cli.failing import exit_code_of
from syncengine.cli.options import json_option, print_json
from syncengine.errors import InterruptedRunError, SyncEngineError


@click.command()
@click.argument("plan", type=click.Path(path_type=Path))
@json_option
def command(*, plan: Path, as_json: bool) -> int:
    """Do exactly what PLAN says, a file that 'syncengine plan PROFILE -o PLAN' made.

    When the source, the profile or the destination has changed since, nothing is done, and what changed is named.
    """
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.cli.progress import progress_for
    from syncengine.cli.report_text import report_lines
    from syncengine.cli.run import exit_code_for, stop_on_signal
    from syncengine.host import PluginHost

    try:
        with stop_on_signal() as stop, progress_for(plan.name, quiet=as_json) as progress:
            applied = app.apply_plan(plan, PluginHost(), progress, stop)
    except SyncEngineError as error:
        if as_json:
            print_json({"runs": [], "unmet": 0})
        code = exit_code_of(error)
        return exit_codes.INTERRUPTED if isinstance(error, InterruptedRunError) else code
    report = applied.report
    if as_json:
        print_json({"runs": [report], "unmet": applied.unmet})
        if report.reason:
            click.echo(f"syncengine: {report.reason}", err=True)
    else:
        for line in report_lines(report):
            click.echo(line)
    code = exit_code_for(report)
    return exit_codes.SOME_ITEMS_FAILED if code == exit_codes.WELL and applied.unmet else code
