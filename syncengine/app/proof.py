"""What a verification that found everything intact leaves in the state directory."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from syncengine.api import RunReport
from syncengine.engine.ports import State
from syncengine.engine.verification.findings import Verification
from syncengine.state.placement import default_state_directory

_FILE = "verified.json"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification that found everything intact leaves in the state directory.

    Args:
        verified: when it began, ISO 8601 with offset.
        run: the profile's last run then, which was complete; empty where the last one was not.
        files: how many were read back.
        destination: identity of the destination.
    """

    version: int = 1
    verified: str
    run: str
    files: int
    destination: str


def proof_of(profile: str) -> Proof | None:
    """Return what the last verification that found everything intact has left, or ``None``."""
    try:
        content = (default_state_directory() / "profiles" / profile / _FILE).read_bytes()
        return msgspec.json.decode(content, type=Proof)
    except (OSError, msgspec.MsgspecError):
        return None


def last_run(state: State) -> RunReport | None:
    """Return the account of the profile's last run."""
    return next(iter(state.runs(1)), None)


def leave_proof(own: Path, found: Verification, destination: str, run: RunReport | None, state: State) -> Proof | None:
    """Remember that everything was read back and is well, and return that; ``None`` when it is not.

    Args:
        own: the profile's part of the state directory.
        found: the account.
        destination: identity of the destination.
        run: the last run when the verification began: what a later one stored was not read.
        state: bound to the profile.
    """
    if not found.is_proof:
        return None
    now = last_run(state)
    is_whole = run is not None and now is not None and run.run == now.run and run.complete and run.ended == "completed"
    proof = Proof(
        verified=found.started,
        run=run.run if run is not None and is_whole else "",
        files=found.checked,
        destination=destination,
    )
    new = own / "verified.new"
    new.write_bytes(msgspec.json.encode(proof))
    os.replace(new, own / _FILE)
    return proof
