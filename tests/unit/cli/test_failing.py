"""Errors as people read them."""

from __future__ import annotations

import logging

import pytest

from syncengine.cli import exit_codes
from syncengine.cli.failing import exit_code_of, with_advice
from syncengine.errors import (
    ConfigError,
    FatalError,
    InterruptedRunError,
    ItemError,
    LockedError,
    PluginError,
    Problem,
    SyncEngineError,
)

PROBLEMS = [Problem("unknown key 'pth'", file="nas.yaml", line=3, column=5, path="$.source"), Problem("no name")]


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (ConfigError(PROBLEMS), exit_codes.WRONG, ["nas.yaml:3:5: $.source: unknown key 'pth'", "no name"]),
        (
            PluginError("transform.x", "cannot be loaded"),
            exit_codes.WRONG,
            ["syncengine: plugin transform.x: cannot be loaded"],
        ),
        (
            LockedError("profile nas"),
            exit_codes.ALREADY_RUNNING,
            ["syncengine: profile nas is already running; wait for it to end, or stop it"],
        ),
        (
            FatalError("the disk is full", advice="make room"),
            exit_codes.COULD_NOT_RUN,
            ["syncengine: the disk is full; make room"],
        ),
        (FatalError("the disk is gone"), exit_codes.COULD_NOT_RUN, ["syncengine: the disk is gone"]),
        (ItemError("a.jpg is damaged"), exit_codes.COULD_NOT_RUN, ["syncengine: a.jpg is damaged"]),
        (InterruptedRunError("asked to stop"), exit_codes.INTERRUPTED, ["syncengine: asked to stop"]),
        (SyncEngineError("something else"), exit_codes.COULD_NOT_RUN, ["syncengine: something else"]),
    ],
)
def test_each_error_is_said_in_its_own_words_and_has_its_exit_code(capsys, error, code, lines):
    assert exit_code_of(error) == code
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()) == ("", lines)


def test_what_another_system_said_in_several_lines_is_one_line():
    assert with_advice("refused:\n  try\tlater", "or never\n") == "refused: try later; or never"


def test_the_traceback_is_there_for_whoever_debugs(caplog):
    caplog.set_level(logging.DEBUG, "syncengine.cli.failing")
    exit_code_of(FatalError("the disk is gone"))
    (record,) = caplog.records
    assert (record.levelno, record.exc_info[0]) == (logging.DEBUG, FatalError)
