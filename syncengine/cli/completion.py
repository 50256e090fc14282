"""``syncengine completion``."""

from __future__ import annotations

import click

from syncengine.cli import exit_codes


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for SHELL.

    \b
    bash: syncengine completion bash > ~/.local/share/bash-completion/completions/syncengine
    zsh:  syncengine completion zsh > "${fpath[1]}/_syncengine"
    fish: syncengine completion fish > ~/.config/fish/completions/syncengine.fish
    """
    # Imported here: --help needs none of it.
    from click.shell_completion import get_completion_class

    from syncengine.cli.entry import cli

    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(completion(cli, {}, "syncengine", "_SYNCENGINE_COMPLETE").source())
    return exit_codes.WELL
