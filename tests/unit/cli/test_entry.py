"""The command group."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from syncengine.cli import exit_codes
from syncengine.cli.entry import COMMANDS, cli


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = CliRunner().invoke(cli, [command, "-h"], prog_name="syncengine")
    assert done.exit_code == 0
    assert done.output.startswith(f"Usage: syncengine {command}")


def test_a_misspelt_command_gets_a_suggestion():
    done = CliRunner().invoke(cli, ["repot"])
    assert done.exit_code == 2
    assert "Did you mean 'report'?" in done.output


@pytest.mark.parametrize(
    ("codes", "gravest"), [([], 0), ([0, 1], 1), ([1, 2], 2), ([4, 2, 0], 4), ([3, 4], 3), ([130, 3], 130)]
)
def test_the_gravest_exit_code_wins(codes, gravest):
    assert exit_codes.gravest(codes) == gravest
