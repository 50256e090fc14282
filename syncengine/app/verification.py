"""Verifications: a profile's destination read back, beside whatever run is under way there."""

from __future__ import annotations

import os
import random
import threading
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from syncengine.app.existing import open_existing
from syncengine.app.proof import last_run, leave_proof
from syncengine.app.release import Verified, release
from syncengine.app.repair import Ground, RepairRequest, repair_findings
from syncengine.app.scratch import temporary_directory
from syncengine.config.profile import Profile
from syncengine.engine import spool
from syncengine.engine.intents import read_orphans
from syncengine.engine.layout import candidate_paths
from syncengine.engine.own_disk import own_disk
from syncengine.engine.verification.findings import Verification
from syncengine.engine.verification.selection import Selection, parse_sample, parse_since
from syncengine.engine.verification.verifier import Verifying, Watcher, verify
from syncengine.errors import ConfigError, FatalError
from syncengine.state.locks import destination_lock, profile_lock
from syncengine.state.placement import default_state_directory
from syncengine.state.store import StateStore

#: Threads that read; more of them only make a disk's head jump.
_FEWEST, _MOST = 2, 4


class VerifyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks of a verification.

    Args:
        sample: such as ``5%``, or empty.
        since: the id of a run, a date or a span of time, or empty.
        restart: do not go on where an interrupted one stopped.
    """

    sample: str = ""
    since: str = ""
    restart: bool = False

    def selection(self, profile: Profile) -> Selection:
        """Return what is to be read. Raises ``ConfigError`` when that makes no sense."""
        if self.sample and self.since:
            raise ConfigError("--sample and --since cannot be used together; choose one")
        if self.sample:
            seed = random.SystemRandom().getrandbits(32)
            return Selection(sample=parse_sample(self.sample), seed=seed)
        if self.since:
            first = parse_since(self.since, profile.zone, datetime.now().astimezone())
            return Selection(since=first, asked=self.since.strip())
        return Selection()


def verify_profile(
    profile: Profile,
    request: VerifyRequest,
    watcher: Watcher,
    stop: threading.Event,
    repair: RepairRequest | None = None,
) -> Verification:
    """Read a profile's destination back and return the account; repair what was found where that is asked for.

    Raises:
        ConfigError: the request makes no sense.
        LockedError: another verification of the profile is under way.
        FatalError: it could not begin; once it has begun, the account says why it stopped.
    """
    selection = request.selection(profile)
    directory = default_state_directory()
    with ExitStack() as stack:
        stack.enter_context(profile_lock(directory, f"{profile.name} (verify)"))
        store = stack.enter_context(StateStore.open(directory))
        destination = open_existing(profile, stop, stack)
        if store.part(destination.identity).is_unfinished():
            raise FatalError(
                f"what the state holds of {destination.location} is not whole: making it again did not come to its end",
                advice="run the profile, or 'syncengine state rebuild', and verify then",
            )
        ground = Ground(
            profile=profile,
            directory=directory,
            destination=destination,
            state=store.bind(profile.name, destination.identity),
            note=watcher.note,
            stop=stop,
        )
        _check_known(ground)
        own = directory / "profiles" / profile.name
        stack.enter_context(own_disk(own))
        own.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = last_run(ground.state)
        found = verify(_parts(ground, selection, request, watcher, temporary_directory(stack)))
        if repair is not None and found.ended == "completed" and any(finding.is_open for finding in found.findings):
            found = repair_findings(ground, repair, found)
        proof = leave_proof(own, found, destination.identity, before, ground.state)
        if proof is None:
            return found
        verified = Verified(proof=proof, run=before, counters=store.counters(), stop=stop)
        return msgspec.structs.replace(found, notes=(*found.notes, *release(profile, directory, verified)))


def _parts(ground: Ground, selection: Selection, request: VerifyRequest, watcher: Watcher, scratch: Path) -> Verifying:
    profile, identity = ground.profile, ground.destination.identity
    return Verifying(
        profile=profile.name,
        destination_label=f"{profile.destination.name} {ground.destination.location}",
        destination=ground.destination,
        state=ground.state,
        selection=selection,
        restart=request.restart,
        layout=profile.layout.path,
        albums=profile.layout.albums,
        metadata=profile.layout.metadata,
        threads=min(_MOST, max(_FEWEST, len(os.sched_getaffinity(0)))),
        scratch=scratch,
        progress_file=ground.directory / "profiles" / profile.name / "verify.jsonl",
        watcher=watcher,
        stop=ground.stop,
        exclusive=partial(destination_lock, ground.directory, identity),
        unfinished=partial(_unfinished, ground.directory, identity),
    )


def _check_known(ground: Ground) -> None:
    """Refuse to call all well where nothing is known."""
    if next(iter(ground.state.all_contents()), None) is None:
        raise FatalError(
            f"nothing is recorded of {ground.destination.location}, so there is nothing to compare it with",
            advice=f"run profile {ground.profile.name} first; where it ran before, see that the right disk is mounted",
        )


class _Known(msgspec.Struct, frozen=True):
    identity: str


def _unfinished(directory: Path, identity: str) -> frozenset[str] | None:
    """Return the paths that runs without an end were about to place at a destination; ``None`` without such runs."""
    left: list[Path] = []
    profiles = directory / "profiles"
    for own in sorted(profiles.iterdir()) if profiles.is_dir() else ():
        try:
            known = msgspec.json.decode((own / "destination.json").read_bytes(), type=_Known)
        except (OSError, msgspec.MsgspecError):
            continue
        if known.identity == identity:
            left += spool.leftovers(own / "runs")
    if not left:
        return None
    orphans = read_orphans(left)
    return frozenset(name for (content, _), path in orphans.items() for name in candidate_paths(path, content))
