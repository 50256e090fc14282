"""``syncengine verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profile_argument
from syncengine.cli.run import stop_on_signal

if TYPE_CHECKING:
    from syncengine.cli.logs import LogChoice
    from syncengine.engine.verification.findings import Verification


@click.command()
@profile_argument
@click.option("--sample", metavar="PERCENT", default="", help="Read a fair random sample of the files, such as 5%.")
@click.option("--since", metavar="WHEN", default="", help="Only what was stored since: a run's id, a date, or 30d.")
@click.option("--repair", is_flag=True, help="Restore what is damaged or missing, from copies or from the source.")
@click.option(
    "--from",
    "others",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PROFILE",
    help="With --repair: look for copies at this profile's destination first.",
)
@click.option("--restart", is_flag=True, help="Begin anew instead of going on where an interrupted one stopped.")
@json_option
@click.pass_obj
def command(logging: LogChoice, /, *, profile: Path, as_json: bool, **options: Any) -> int:
    """Read back what PROFILE has stored, and compare it with the recorded checksums.

    It may go on beside a run. Ctrl-C ends it; the next one goes on from there.
    """
    # Imported here: --help needs none of it.
    from syncengine.cli.verify_output import verification_lines

    found = _verified(logging, profile, quiet=as_json, **options)
    if as_json:
        print_json(found.entry())
        if found.reason:
            click.echo(f"syncengine: {found.reason}", err=True)
    else:
        for line in verification_lines(found):
            click.echo(line)
    return exit_code_for(found)


def _verified(
    logging: LogChoice, profile: Path, *, quiet: bool, repair: bool, others: tuple[Path, ...], **asked: Any
) -> Verification:
    """Verify, and repair where that is asked for; ``asked`` is what a ``VerifyRequest`` takes."""
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.app.repair import RepairRequest
    from syncengine.app.verification import VerifyRequest, verify_profile
    from syncengine.cli.progress import Tally
    from syncengine.cli.verify_progress import watcher_for
    from syncengine.config.loading import load_profile
    from syncengine.host import PluginHost

    if others and not repair:
        raise click.UsageError("--from PROFILE says where a repair finds copies; use it with --repair")
    host = PluginHost()
    loaded = app.load(profile, host)
    logging.apply(fallback=loaded.log_level)
    repairing = RepairRequest(host=host, progress=Tally(), others=tuple(load_profile(path, host) for path in others))
    with stop_on_signal() as stop, watcher_for(loaded.name, quiet=quiet) as watcher:
        return verify_profile(loaded, VerifyRequest(**asked), watcher, stop, repairing if repair else None)


def exit_code_for(found: Verification) -> int:
    """Return the exit code that an account stands for."""
    if found.ended == "interrupted":
        return exit_codes.INTERRUPTED
    if found.ended == "stopped":
        return exit_codes.COULD_NOT_RUN
    if any(finding.is_open for finding in found.findings):
        return exit_codes.SOME_ITEMS_FAILED
    return exit_codes.WELL
