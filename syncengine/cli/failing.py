"""Errors as people read them: one line on stderr each, and the exit code that goes with it."""

from __future__ import annotations

import logging

import click

from syncengine.cli import exit_codes
from syncengine.errors import (
    ConfigError,
    FatalError,
    InterruptedRunError,
    ItemError,
    LockedError,
    PluginError,
    SyncEngineError,
)

_LOG = logging.getLogger(__name__)


def exit_code_of(error: SyncEngineError) -> int:
    """Say what happened and what to do, and return the exit code."""
    _LOG.debug("the command failed", exc_info=error)
    match error:
        case ConfigError():
            for problem in error.problems:
                click.echo(str(problem), err=True)
            return exit_codes.WRONG
        case PluginError():
            click.echo(f"syncengine: {error}", err=True)
            return exit_codes.WRONG
        case LockedError():
            click.echo(f"syncengine: {error}; wait for it to end, or stop it", err=True)
            return exit_codes.ALREADY_RUNNING
        case InterruptedRunError():
            click.echo(f"syncengine: {error}", err=True)
            return exit_codes.INTERRUPTED
        case FatalError() | ItemError():
            click.echo(f"syncengine: {with_advice(error.reason, error.advice)}", err=True)
            return exit_codes.COULD_NOT_RUN
        case _:
            click.echo(f"syncengine: {error}", err=True)
            return exit_codes.COULD_NOT_RUN


def with_advice(reason: str, advice: str) -> str:
    """Return what happened and what to do as one line."""
    return " ".join((f"{reason}; {advice}" if advice else reason).split())
