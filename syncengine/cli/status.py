"""``syncengine status``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click
import msgspec

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profiles_argument

if TYPE_CHECKING:
    from syncengine.api import SignInStatus
    from syncengine.app import ProfileStatus
    from syncengine.app.proof import Proof
    from syncengine.config.profile import Profile

_SHOWN = 5


@click.command()
@profiles_argument(required=False)
@json_option
def command(profiles: tuple[Path, ...], as_json: bool) -> int:
    """Show the last runs of PROFILES, when they are due and how long their sign-in lives.

    Without PROFILES, every profile that ever ran here is shown with its runs.
    """
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.app.proof import proof_of
    from syncengine.host import PluginHost

    host = PluginHost()
    if profiles:
        found = [_Shown.of(app.load(path, host)) for path in profiles]
    else:
        found = [_Shown(status=app.status(name, _SHOWN), proof=proof_of(name)) for name in app.known_profiles()]
    if as_json:
        print_json({"profiles": [shown.entry() for shown in found]})
        return exit_codes.WELL
    if not found:
        click.echo("No profile has run here yet.")
    for shown in found:
        for line in shown.lines():
            click.echo(line)
    return exit_codes.WELL


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of one profile.

    Args:
        status: its runs.
        due: when its schedule says that it is to run next, ISO 8601; in the past when it is overdue.
        sign_in: what is known of its sign-in, where its source needs one.
        proof: when all of it was read back last and found intact.
    """

    status: ProfileStatus
    due: str | None = None
    sign_in: SignInStatus | None = None
    proof: Proof | None = None

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Look a profile up."""
        # Imported here: --help needs none of it.
        from syncengine import app
        from syncengine.app.proof import proof_of
        from syncengine.config.schedule import due_after
        from syncengine.sign_in import sign_in_status

        status = app.status(profile.name, _SHOWN)
        last = datetime.fromisoformat(status.runs[0].started) if status.runs else datetime.now().astimezone()
        due = due_after(profile.schedule, last, profile.zone).isoformat() if profile.schedule else None
        return cls(status=status, due=due, sign_in=sign_in_status(profile), proof=proof_of(profile.name))

    def entry(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        entry: dict[str, Any] = msgspec.to_builtins(self.status)
        others = {"sign_in": self.sign_in, "verified": self.proof}
        return {**entry, "due": self.due, **msgspec.to_builtins(others)}

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        # Imported here: --help needs none of it.
        from syncengine.cli.output import duration_text, size_text

        state = "running now" if self.status.running else "has not run yet" if not self.status.runs else ""
        yield f"{self.status.profile}: {state}" if state else self.status.profile
        if self.due is not None:
            moment = datetime.fromisoformat(self.due)
            late = " (overdue)" if moment < datetime.now().astimezone() else ""
            yield f"  due {moment:%Y-%m-%d %H:%M %Z}{late}"
        if self.sign_in is not None:
            yield f"  {_sign_in_text(self.sign_in)}"
            yield from (f"  {warning}" for warning in self.sign_in.warnings)
        if self.proof is not None:
            yield f"  {_proof_text(self.proof)}"
        for report in self.status.runs:
            counted = ", ".join(f"{count:,} {name}" for name, count in report.outcomes.items() if count)
            complete = "" if report.complete else ", NOT COMPLETE"
            yield (
                f"  {report.started}  {report.ended}{complete}  {counted or 'nothing listed'}; "
                f"{size_text(report.bytes_written)} in {duration_text(report.seconds)}  [{report.run}]"
            )


def _proof_text(proof: Proof) -> str:
    days = (datetime.now().astimezone() - datetime.fromisoformat(proof.verified)).days
    ago = "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"
    return f"verified {ago}: {proof.files:,} files were read back and intact"


def _sign_in_text(sign_in: SignInStatus) -> str:
    if not sign_in.signed_in:
        return "not signed in; 'syncengine auth login' does it"
    since = f" since {sign_in.issued:%Y-%m-%d}" if sign_in.issued else ""
    until = f", until about {sign_in.expires:%Y-%m-%d} unless a run renews it" if sign_in.expires else ""
    return f"signed in as {sign_in.account or 'an unknown account'}{since}{until}"
