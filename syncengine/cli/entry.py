"""The command group: commands are imported when they are called, so that ``--help`` answers at once."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from types import TracebackType
from typing import NoReturn

import click

from syncengine import __version__
from syncengine.cli import exit_codes
from syncengine.cli.logs import LogChoice
from syncengine.security.redaction import guard_tracebacks, redact

#: New objects after which the garbage collector looks for cycles; Python's own 700 are over in a hundred items.
_COLLECT_AFTER = 20_000

#: Command, what it does in one line. Each is ``command`` in the module of that name.
COMMANDS = {
    "run": "Back up: run profiles one after the other.",
    "plan": "Show what a run would do, item by item, with the reason.",
    "apply": "Do exactly what a saved plan says, or nothing.",
    "validate": "Check profiles and every plugin's options; touches no network.",
    "status": "Show the last runs of profiles.",
    "albums": "List the albums of a profile's source.",
    "report": "Show the account of a run.",
    "verify": "Read back what is stored, and compare it with the recorded checksums.",
    "state": "Make the state again, check it, copy it.",
    "trash": "Show what mirror runs removed, bring it back, or remove it for good.",
    "auth": "Sign a profile's source in and out, and show how long it lasts.",
    "plugins": "List the installed plugins, or describe one.",
    "schema": "Print the JSON Schema of a profile with every installed plugin's options.",
    "init": "Ask a few questions and write a profile.",
    "completion": "Print the shell completion for bash, zsh or fish.",
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and summaries, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which they are shown."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"syncengine.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with; a misspelt one gets a suggestion."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            # Imported here: only a mistake needs it.
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " See 'syncengine --help'."
            raise click.UsageError(f"there is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="syncengine")
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error [default: $LOG_LEVEL or warning].")
@click.option("--log-json", is_flag=True, help="Write log lines as JSON.")
@click.option("--debug", is_flag=True, help="Log everything, and show tracebacks.")
@click.pass_context
def cli(ctx: click.Context, log_level: str | None, log_json: bool, debug: bool) -> None:
    """Back up a photo library to storage you own, and account for every item.

    A profile is a YAML file: one source, one destination, and what happens between them.
    Begin with 'syncengine init', then 'syncengine run PROFILE'.
    """
    ctx.obj = LogChoice("debug" if debug else log_level or None, as_json=log_json)
    ctx.obj.apply()
    guard_tracebacks()
    if not debug:
        sys.excepthook = _unexpected


def main() -> NoReturn:
    """Run the command line and exit; errors are one line each on stderr."""
    # Imported here: the errors' words are not needed for --help, but they cost nothing beside a command's own imports.
    from syncengine.cli.failing import exit_code_of
    from syncengine.errors import SyncEngineError

    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])
    try:
        code = cli.main(prog_name="syncengine", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        code = exit_codes.WRONG
    except click.ClickException as error:
        error.show()
        code = exit_codes.COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = exit_codes.INTERRUPTED
    except SyncEngineError as error:
        code = exit_code_of(error)
    gc.freeze()  # Everything is closed; the interpreter's end need not look for cycles in what it drops anyway.
    sys.exit(code if isinstance(code, int) else exit_codes.WELL)


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say in one line that syncengine itself failed."""
    del trace
    click.echo(
        f"syncengine: internal error: {kind.__name__}: {redact(str(error))}; "
        "run 'syncengine --debug ...' for the traceback and report it, please",
        err=True,
    )
    sys.stderr.flush()
    os._exit(exit_codes.COULD_NOT_RUN)
