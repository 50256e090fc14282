"""``syncengine state``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from syncengine.cli import exit_codes
from syncengine.cli.options import json_option, print_json, profile_argument
from syncengine.cli.run import stop_on_signal

if TYPE_CHECKING:
    from syncengine.app.state_care import StateCheck
    from syncengine.cli.logs import LogChoice
    from syncengine.config.profile import Profile
    from syncengine.engine.rebuilding import Rebuilt

_MOST_SHOWN = 20


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make the state again, check it, copy it. It is a cache: what it holds can be made from the destination."""


@command.command()
@profile_argument
@click.option("--hash", "rehash", is_flag=True, help="Hash every stored file instead of looking at its size.")
@click.option("--alone", is_flag=True, help="Say that no other profile backs up there; a mirror may act on that.")
@json_option
@click.pass_obj
def rebuild(logging: LogChoice, *, profile: Path, rehash: bool, alone: bool, as_json: bool) -> int:
    """Make the state of PROFILE's destination again, for all profiles that share it.

    From the catalog there; what that lacks, from the metadata files; what they lack, by hashing the files. The
    destination is only read. Interrupted, the next run begins again.
    """
    # Imported here: --help needs none of it.
    from syncengine.app.state_care import rebuild_state
    from syncengine.cli.progress import progress_for

    loaded = _load(profile, logging)
    with stop_on_signal() as stop, progress_for(loaded.name, quiet=as_json) as progress:
        done = rebuild_state(loaded, progress, stop, rehash=rehash, alone=alone)
    if as_json:
        print_json({"profile": loaded.name, **msgspec.to_builtins(done)})
    else:
        for line in _rebuilt_lines(loaded.name, done):
            click.echo(line)
    return exit_codes.WELL


@command.command()
@profile_argument
@json_option
@click.pass_obj
def check(logging: LogChoice, *, profile: Path, as_json: bool) -> int:
    """Read every record of the state, and compare what it says of PROFILE's destination with the catalog there.

    The exit code is 3 when something is wrong. Nothing is changed.
    """
    # Imported here: --help needs none of it.
    from syncengine.app.state_care import check_state
    from syncengine.cli.progress import progress_for

    loaded = _load(profile, logging)
    with stop_on_signal() as stop, progress_for(loaded.name, quiet=as_json) as progress:
        found = check_state(loaded, progress, stop)
    if as_json:
        print_json(found)
    else:
        for line in _check_lines(found):
            click.echo(line)
    return exit_codes.COULD_NOT_RUN if found.count else exit_codes.WELL


@command.command()
@profile_argument
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@click.pass_obj
def backup(logging: LogChoice, *, profile: Path, file: Path | None, as_json: bool) -> int:
    """Write a compact copy of the state to FILE; without FILE, into the directory copies beside the state."""
    # Imported here: --help needs none of it.
    from syncengine.app.state_care import backup_state
    from syncengine.cli.output import size_text

    _load(profile, logging)
    copy = backup_state(file)
    if as_json:
        print_json({"file": str(copy), "bytes": copy.stat().st_size})
    else:
        click.echo(f"{copy}: {size_text(copy.stat().st_size)}")
    return exit_codes.WELL


def _load(profile: Path, logging: LogChoice) -> Profile:
    # Imported here: --help needs none of it.
    from syncengine import app
    from syncengine.host import PluginHost

    loaded = app.load(profile, PluginHost())
    logging.apply(fallback=loaded.log_level)
    return loaded


def _rebuilt_lines(profile: str, done: Rebuilt) -> Iterator[str]:
    yield f"The state of profile {profile} was made again, in {done.seconds:.1f} s:"
    items = ", ".join(f"{count:,} of {name}" for name, count in sorted(done.items.items())) or "none"
    yield f"  files    {done.contents:>9,}  {_origins(done)}"
    yield f"  items    {sum(done.items.values()):>9,}  {items}"
    yield f"  runs     {done.runs:>9,}  accounts that 'syncengine status' and 'report' show"
    if done.dropped:
        yield f"  missing  {done.dropped:>9,}  not there as recorded; stored again by the next run that finds them"
    if done.lost_items:
        yield f"  dropped  {done.lost_items:>9,}  items of them"
    if done.guessed:
        yield f"  guessed  {done.guessed:>9,}  another profile may hold these files as well; a mirror leaves them alone"
    yield from _few(done.warnings, "Worth knowing")
    if not done.is_from_catalog and done.contents:
        yield "The next run reads the source once more; what is stored already is not stored again."


def _origins(done: Rebuilt) -> str:
    parts = [f"{done.lines:,} lines of {done.catalogs:,} catalogs"]
    if done.from_metadata:
        parts.append(f"{done.from_metadata:,} metadata files")
    if done.found:
        parts.append(f"{done.found:,} files hashed that nothing tells about")
    return "from " + ", ".join(parts)


def _check_lines(found: StateCheck) -> Iterator[str]:
    for problem in found.problems[:_MOST_SHOWN]:
        yield f"{problem.table}: {problem.what}; {problem.advice}"
    if found.count > _MOST_SHOWN:
        yield f"and {found.count - _MOST_SHOWN:,} more problems"
    yield from found.notes
    records = sum(found.records.values())
    verdict = f"{found.count:,} problems" if found.count else "nothing is wrong"
    yield f"{records:,} records read: {verdict}"


def _few(lines: list[str], title: str) -> Iterator[str]:
    if not lines:
        return
    yield f"{title} ({len(lines):,}):"
    for line in lines[:_MOST_SHOWN]:
        yield f"  {line}"
    if len(lines) > _MOST_SHOWN:
        yield f"  and {len(lines) - _MOST_SHOWN:,} more ('--json' has up to a hundred of each kind)"
