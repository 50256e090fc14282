"""``syncengine run``."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from syncengine.cli import exit_codes
from syncengine.cli.failing import exit_code_of
from syncengine.cli.logs import LogChoice
from syncengine.cli.options import choices_options, json_option, print_json, profiles_argument
from syncengine.errors import SyncEngineError

if TYPE_CHECKING:
    from syncengine.app import RunRequest
    from syncengine.model import RunReport


@click.command()
@profiles_argument(required=True)
@click.option("--dry-run", is_flag=True, help="Decide what would be done, and do nothing.")
@choices_options
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    profiles: tuple[Path, ...],
    dry_run: bool,
    choices: dict[str, Any],
    as_json: bool,
) -> int:
    """Back up: run PROFILES one after the other. One that fails does not stop the next.

    Ctrl-C ends the run soon and safely: what is stored is recorded, and the next run goes on from there.
    """
    # Imported here: --help needs none of it.
    from syncengine.app import RunRequest

    runs = _Runs(RunRequest(dry_run=dry_run, **choices), ctx.obj, as_json=as_json)
    with stop_on_signal() as stop:
        codes = [runs.run(path, stop) for path in profiles if not stop.is_set()]
    if as_json:
        print_json({"runs": runs.reports})
    return exit_codes.gravest(codes)


class _Runs:
    """Runs profiles one after the other and keeps their accounts.

    Args:
        request: what the command line adds to each profile.
        logging: the command line's log level and form.
        as_json: the accounts will be printed as JSON.
    """

    def __init__(self, request: RunRequest, logging: LogChoice, *, as_json: bool) -> None:
        # Imported here: --help needs none of it.
        from syncengine.host import PluginHost

        self.reports: list[RunReport] = []
        self._host = PluginHost()
        self._request = request
        self._logging = logging
        self._as_json = as_json

    def run(self, path: Path, stop: threading.Event) -> int:
        """Run one profile and return its exit code."""
        # Imported here: --help needs none of it.
        from syncengine import app
        from syncengine.cli.progress import progress_for

        try:
            profile = app.load(path, self._host)
            self._logging.apply(fallback=profile.log_level)
            with progress_for(profile.name, quiet=self._as_json) as progress:
                report = app.run_profile(profile, self._host, self._request, progress, stop)
        except SyncEngineError as error:
            return exit_code_of(error)
        self.reports.append(report)
        self._show(report)
        return exit_code_for(report)

    def _show(self, report: RunReport) -> None:
        # Imported here: --help needs none of it.
        from syncengine.cli.report_text import report_lines

        if not self._as_json:
            for line in report_lines(report):
                click.echo(line)
        elif report.reason:
            click.echo(f"syncengine: {report.reason}", err=True)


def exit_code_for(report: RunReport) -> int:
    """Return the exit code that a run's account stands for.

    A source that was not read completely is not all well, and neither is a mirror that could not follow its source.
    """
    if report.ended == "interrupted":
        return exit_codes.INTERRUPTED
    if report.ended == "stopped":
        return exit_codes.COULD_NOT_RUN
    if report.outcomes.get("failed") or report.removal_refused or not report.complete:
        return exit_codes.SOME_ITEMS_FAILED
    return exit_codes.WELL


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C and SIGTERM set; the second Ctrl-C does what it always does."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        click.echo("stopping: finishing what is in flight (Ctrl-C again to drop it)", err=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
