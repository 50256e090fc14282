"""``syncengine auth``."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profile_argument

if TYPE_CHECKING:
    from syncengine.api import SignInStatus, SignInWay
    from syncengine.config.profile import Profile

#: One of these is set where a browser can show itself, or where the user named one.
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Sign a profile's source in and out. Credentials are kept encrypted in the state directory."""


@command.command()
@profile_argument
@click.option("--no-browser", is_flag=True, help="Open no browser: print the address, take the one it leads to.")
@click.option("--device", is_flag=True, help="Show a code to type on another device; works for few scopes.")
def login(profile: Path, *, no_browser: bool, device: bool) -> int:
    """Sign in for PROFILE. An earlier sign-in is replaced once the new one is there."""
    # Imported here: --help needs none of it.
    from syncengine import sign_in

    if no_browser and device:
        raise click.UsageError("--no-browser and --device are two ways to sign in; choose one")
    loaded = _load(profile)
    way: SignInWay = "device" if device else "paste" if no_browser else "browser"
    done = sign_in.sign_in(loaded, TerminalScreen(), way=way)
    click.echo(f"Signed in for profile {loaded.name}{f' as {done.account}' if done.account else ''}.")
    for warning in done.warnings:
        click.echo(f"warning: {warning}", err=True)
    return exit_codes.WELL


@command.command()
@profile_argument
@json_option
def status(profile: Path, *, as_json: bool) -> int:
    """Show who is signed in for PROFILE, what was granted, and how long it will last. Touches no network."""
    # Imported here: --help needs none of it.
    from syncengine import sign_in

    loaded = _load(profile)
    found = sign_in.sign_in_status(loaded)
    if as_json:
        print_json({"profile": loaded.name, "needed": found is not None, "sign_in": found})
    else:
        _show(loaded, found, profile)
    is_well = found is None or (found.signed_in and not found.missing and not _is_over(found))
    return exit_codes.WELL if is_well else exit_codes.COULD_NOT_RUN


@command.command()
@profile_argument
def reset(profile: Path) -> int:
    """Give up the sign-in of PROFILE: revoke it at the service, and delete it here.

    Google revokes all that this account granted to this OAuth client, so other profiles that use both have to sign in
    again too.
    """
    # Imported here: --help needs none of it.
    from syncengine import sign_in

    loaded = _load(profile)
    done = sign_in.sign_out(loaded)
    if not done.deleted:
        click.echo(f"Nobody is signed in for profile {loaded.name}.")
        return exit_codes.WELL
    click.echo(f"The sign-in of profile {loaded.name} is deleted{' and revoked' if done.revoked else ''}.")
    if done.note:
        click.echo(f"warning: {done.note}", err=True)
    return exit_codes.WELL


@command.command()
@profile_argument
def rekey(profile: Path) -> int:
    """Encrypt the sign-ins of all profiles with a new key.

    The new key is what SYNCENGINE_KEY, SYNCENGINE_KEY_FILE, a systemd credential or SYNCENGINE_PASSPHRASE gives where
    PROFILE runs (the old one then goes into SYNCENGINE_OLD_KEY or SYNCENGINE_OLD_PASSPHRASE, unless it is in a file);
    with a key file, a new one is made. May be interrupted and repeated.
    """
    # Imported here: --help needs none of it.
    from syncengine import sign_in

    done = sign_in.rekey(_load(profile))
    what = "1 sign-in" if done.entries == 1 else f"{done.entries:,} sign-ins"
    click.echo(f"{what} encrypted anew with {done.origin}.")
    for line in done.advice:
        click.echo(line)
    return exit_codes.WELL


class TerminalScreen:
    """The person at the terminal: a ``SignInScreen``."""

    def show(self, text: str) -> None:
        """Show a line, or a few."""
        click.echo(text)

    def ask(self, question: str) -> str:
        """Return the line that the person answers with."""
        click.echo(f"{question}: ", nl=False)
        line = sys.stdin.readline()
        if not line:
            raise click.Abort
        return line.rstrip("\n")

    def browse(self, url: str) -> bool:
        """Open a browser on this machine and return whether one was found."""
        # Imported here: only a sign-in needs it.
        import webbrowser

        if sys.platform == "linux" and not any(map(os.environ.get, _SCREENS)):
            return False  # or a browser in letters would take over the terminal
        try:
            return webbrowser.open(url)
        except webbrowser.Error:
            return False


def _load(profile: Path) -> Profile:
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.host import PluginHost

    return app.load(profile, PluginHost())


def _is_over(found: SignInStatus) -> bool:
    return found.expires is not None and found.expires <= datetime.now(UTC)


def _show(profile: Profile, found: SignInStatus | None, file: Path) -> None:
    if found is None:
        click.echo(f"The source {profile.source.name} of profile {profile.name} needs no sign-in.")
        return
    if not found.signed_in:
        click.echo(f"Nobody is signed in for profile {profile.name}; run 'syncengine auth login {file}'.")
        return
    click.echo(f"{profile.name}: signed in{f' as {found.account}' if found.account else ''}")
    click.echo(f"  granted    {', '.join(found.granted) or 'nothing'}")
    for title, moment in (("signed in", found.issued), ("renewed", found.refreshed), ("ends", found.expires)):
        if moment is not None:
            click.echo(f"  {title:<9}  {_moment_text(moment)}")
    for warning in found.warnings:
        click.echo(f"  warning: {warning}")


def _moment_text(moment: datetime) -> str:
    """Return a moment and how far away it is: hours below two days, days above."""
    hours = (moment - datetime.now(UTC)).total_seconds() / 3600
    amount = f"{abs(hours):.0f} hours" if abs(hours) < 48 else f"{abs(hours) / 24:.0f} days"
    return f"{moment.astimezone():%Y-%m-%d %H:%M} ({'in ' + amount if hours > 0 else amount + ' ago'})"
