"""One run from its beginning to its report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing

import msgspec

from syncengine.api import Album, RunReport
from syncengine.engine import listings, spool
from syncengine.engine.account import Account
from syncengine.engine.albums import AlbumWriter
from syncengine.engine.clean_text import encoded
from syncengine.engine.departures import Listing
from syncengine.engine.keeping_up import KeepingUp, outdated
from syncengine.engine.mirroring import mirror, rehearse_mirror
from syncengine.engine.own_disk import own_file_failed
from syncengine.engine.papers import Papers
from syncengine.engine.parts import RunParts
from syncengine.engine.pipeline import process
from syncengine.engine.planning import decide_all
from syncengine.engine.recording import Recorder
from syncengine.engine.reporting import Clock, Ended, inventory_of, now, report_of
from syncengine.engine.restoring import settle
from syncengine.engine.work import METADATA_ONLY
from syncengine.errors import FatalError, InterruptedRunError, ItemError
from syncengine.model import LedgerLine, Outcome
from syncengine.records import StateBatch


def run(parts: RunParts) -> RunReport:
    """Run a profile once.

    Whatever ends the run, what was recorded is completed: albums, listings, ledger, catalog, report. When even that
    fails, the ledger and the catalog wait in the spool for the next run.

    Args:
        parts: everything the run is made of, open.

    Returns:
        The account. It says how the run ended; a run that had to stop returns and does not raise.
    """
    clock = Clock()
    parts.observers.run_started(parts.profile, parts.run)
    with (
        ExitStack() as stack,
        closing(account_of(parts, stack)) as account,
        closing(Recorder(parts, account)) as recorder,
    ):
        ended, reason = _guarded(parts, lambda: _begin(parts, account, recorder))
        with parts.exclusive():
            if ended == "completed" and parts.mirror is not None:
                ended, reason = _guarded(
                    parts, lambda: mirror(parts, account, recorder, inventory_of(parts, account)), last=True
                )
            closed, why = _guarded(parts, lambda: _complete(parts, account, recorder), last=True)
    if ended == "completed":
        ended, reason = closed, why
    report = report_of(parts, account, clock, ended, reason)
    report = _saved(parts, report)
    if closed == "completed":  # Otherwise the papers stay in the spool, and tell the next run that it has to mend.
        closed, why = _guarded(
            parts, lambda: _deliver(parts, report, mended=ended != "stopped" and not account.unmended), last=True
        )
        if ended == "completed" and closed != "completed":
            report = _saved(parts, msgspec.structs.replace(report, ended="stopped", reason=why, complete=False))
    parts.observers.run_finished(parts.profile, report)
    return report


def _saved(parts: RunParts, report: RunReport) -> RunReport:
    """Remember an account in the state; where that cannot be done, the account says so itself."""
    saved, why = _guarded(parts, lambda: parts.state.save_run(report), last=True)
    if saved == "completed" or report.ended != "completed":
        return report
    return msgspec.structs.replace(report, ended="stopped", reason=why, complete=False)


def rehearse(parts: RunParts) -> RunReport:
    """Decide about every item and do nothing: a dry run. What would be fetched counts as stored or updated."""
    clock = Clock()
    with ExitStack() as stack, closing(account_of(parts, stack)) as account:
        ended, reason = _guarded(parts, lambda: _decide(parts, account))
        if ended == "completed" and parts.mirror is not None:
            ended, reason = _guarded(parts, lambda: rehearse_mirror(parts, account, inventory_of(parts, account)))
    report = report_of(parts, account, clock, ended, reason)
    return msgspec.structs.replace(report, dry_run=True)


def account_of(parts: RunParts, stack: ExitStack) -> Account:
    """Return the run's account, which keeps what is listed when removals are to be followed."""
    listing = stack.enter_context(closing(Listing(parts.staging))) if parts.mirror is not None else None
    return Account(parts.spool / spool.LEDGER, parts.progress, listing)


def _begin(parts: RunParts, account: Account, recorder: Recorder) -> None:
    if parts.recovering:
        with parts.exclusive():
            settle(parts.destination, parts.state, recorder.journal, now())
    keeping = KeepingUp(parts, account, recorder)
    keeping.begin()
    process(parts, account, recorder)
    keeping.end()


def _decide(parts: RunParts, account: Account) -> None:
    for decisions in decide_all(parts, account):
        account.count_unchanged(decisions.unchanged)
        account.count_filtered(decisions.filtered)
        account.count_refused(decisions.refused)
        for work in decisions.work:
            if work.is_listed:
                outcome = Outcome.UPDATED if work.why in METADATA_ONLY else Outcome.STORED
                account.finish(LedgerLine(outcome=outcome, id=work.item.id, name=work.item.name, reason=work.reason))
    before = parts.upkeep.before(parts.destination.identity)
    if (before is None or not before.is_by(parts.setup)) and not parts.is_ending:
        account.warn(outdated(parts, before).sentences(parts.upkeep))


def _guarded(parts: RunParts, step: Callable[[], object], *, last: bool = False) -> tuple[Ended, str]:
    """Take a step of the run; return how it ended and why."""
    try:
        step()
    except (FatalError, ItemError) as error:
        return "stopped", f"{error.reason}; {error.advice}" if error.advice else error.reason
    except OSError as error:  # The disk of the state or of staging: what the run keeps for itself.
        failed = own_file_failed(error, parts.spool)
        return "stopped", f"{failed.reason}; {failed.advice}"
    except InterruptedRunError:
        return "interrupted", "interrupted; run again to go on from here"
    if parts.stop.is_set() and not last:
        return "interrupted", "interrupted; run again to go on from here"
    return "completed", ""


def _complete(parts: RunParts, account: Account, recorder: Recorder) -> None:
    """Bring what describes the whole destination up to date with what was recorded."""
    account.close()  # Here, where a disk that is full is an end of the run and no accident.
    papers = Papers(parts.destination, parts.staging)
    albums = AlbumWriter(parts, papers)
    changed = recorder.changed or parts.recovering
    dirty = recorder.albums
    if parts.recovering:
        dirty = dirty | {album.id for record in parts.state.all_contents() for album in record.albums}
        dirty |= {album.id for album in parts.state.albums()}
    listed = _albums(parts, account)
    records = albums.write(
        dirty,
        listed or (),
        drop_empty=parts.mirror is not None and listed is not None,
        announce=lambda new: recorder.journal.commit(StateBatch(albums=new)),
    )
    account.warn(albums.warnings)
    account.unmended += albums.warnings
    if changed:
        listings.write_checksums(parts.state, papers, parts.staging)
        listings.write_deduplication(parts.state, papers, parts.staging)
    refused = papers.place()
    account.warn(refused)
    account.unmended += refused
    account.albums = len(records)
    known = {album.id: album for album in parts.state.albums()}
    if changed_albums := [record for record in records if record != known.get(record.id)]:
        recorder.journal.commit(StateBatch(albums=changed_albums))
    recorder.close()


def _deliver(parts: RunParts, report: RunReport, *, mended: bool) -> None:
    """Bring the run's papers to the destination."""
    (parts.spool / spool.REPORT).write_bytes(encoded(report))
    spool.deliver(parts.spool, Papers(parts.destination, parts.staging), mended=mended)


def _albums(parts: RunParts, account: Account) -> list[Album] | None:
    """Return what the source says of its albums; ``None`` where it does not, so what their members say has to do."""
    if not account.read_to_end:
        return None
    try:
        return list(parts.source.albums())
    except ItemError as error:
        account.unread.append(f"the source's albums: {error}")
        return None
