"""What a run changes while a verification goes on is neither missing, nor extra, nor damaged."""

from __future__ import annotations

import contextlib
import threading

import msgspec

from syncengine.engine.verification.findings import FindingKind
from syncengine.records import StateBatch
from syncengine.state.store import StateStore
from tests.unit.engine.photos import ROME, photo
from tests.unit.engine.verification.test_verifier import PLACE, disk, fill, kinds


def change(backup, batch):
    with StateStore.open(backup.directory / "state") as store:
        store.bind(backup.profile, backup.destination.identity).commit(batch)


def record_of(backup, name):
    return next(record for record in backup.contents() if record.path == f"{PLACE}/{name}")


def test_what_a_run_stored_meanwhile_is_no_extra(backup, verified, watched):
    fill(backup)
    backup.library.add(photo("new.jpg", albums=(ROME,)), b"new")
    watched.after = lambda count: backup.run() if count == 1 else None
    found = verified()
    assert (found.findings, found.checked) == ([], 6)


def test_what_a_run_moved_meanwhile_is_read_where_it_is_now(backup, verified, watched):
    fill(backup)

    def move(count):
        if count == 1:
            record = record_of(backup, "5.jpg")
            backup.destination.move(record.path, f"{PLACE}/moved.jpg")
            backup.destination.move(f"metadata/{record.path}.json", f"metadata/{PLACE}/moved.jpg.json")
            change(backup, StateBatch(contents=[msgspec.structs.replace(record, path=f"{PLACE}/moved.jpg")]))

    watched.after = move
    with contextlib.suppress(FileNotFoundError):
        disk(backup, "metadata/checksums.sha256").unlink()
    found = verified(threads=1, unfinished=frozenset)
    assert found.findings == []


def test_what_a_run_removed_meanwhile_is_not_missing(backup, verified, watched):
    fill(backup)

    def remove(count):
        if count == 1:
            record = record_of(backup, "5.jpg")
            backup.destination.remove(record.path)
            backup.destination.remove(f"metadata/{record.path}.json")
            change(backup, StateBatch(gone_contents=[record.content]))

    watched.after = remove
    assert verified(unfinished=frozenset).findings == []


def test_what_was_made_again_meanwhile_is_compared_with_what_is_recorded_now(backup, verified):
    fill(backup)
    before = record_of(backup, "3.jpg")
    disk(backup, before.path).write_bytes(b"made again")
    disk(backup, f"metadata/{before.path}.json").unlink()
    waited = threading.Event()

    @contextlib.contextmanager
    def exclusive():
        if not waited.is_set():  # As if the batch of a run had just ended that placed it.
            waited.set()
            digest = bytes.fromhex("c9" * 32)
            change(backup, StateBatch(contents=[msgspec.structs.replace(before, stored_sha256=digest, stored_size=10)]))
        yield

    found = verified(exclusive=exclusive, unfinished=frozenset, metadata=())
    assert {finding.kind for finding in found.findings} == {FindingKind.FLIPPED}
    (finding,) = found.findings
    assert finding.file is not None
    assert finding.file.sha256 == bytes.fromhex("c9" * 32)


def test_beside_a_run_that_has_not_ended_the_albums_are_not_complete_yet(backup, verified):
    fill(backup)
    disk(backup, "albums/Rome/0.jpg").unlink()
    disk(backup, "metadata/checksums.sha256").unlink()
    found = verified(unfinished=frozenset)
    assert (found.findings, len(found.notes)) == ([], 1)
    assert kinds(verified()) == {"albums/Rome/0.jpg": "link", "metadata/checksums.sha256": "checksums"}


def test_what_a_run_links_into_albums_after_they_were_looked_at_is_no_extra(backup, verified, watched):
    fill(backup)
    backup.library.add(photo("new.jpg", albums=(ROME,)), b"new")
    watched.note = lambda text: backup.run() if text.startswith("looking for files") else None
    assert verified().findings == []


def test_beside_a_run_what_is_new_in_albums_is_none_either(backup, verified):
    fill(backup)
    disk(backup, "albums/Rome/new.jpg").write_bytes(b"new")
    assert verified(unfinished=frozenset).findings == []
    assert kinds(verified()) == {"albums/Rome/new.jpg": "extra"}


def test_what_a_killed_run_left_is_told_from_what_nobody_knows(backup, verified):
    fill(backup)
    disk(backup, f"{PLACE}/left.jpg").write_bytes(b"left")
    disk(backup, f"{PLACE}/alien.jpg").write_bytes(b"alien")
    found = verified(unfinished=lambda: frozenset({f"{PLACE}/left.jpg"}))
    assert kinds(found) == {f"{PLACE}/alien.jpg": "extra"}
    assert found.notes == ("1 files were left by a run that was killed; the next run takes them over",)
