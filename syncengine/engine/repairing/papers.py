"""What describes the files: sidecars and metadata files that are lost, albums, and the lists of the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, suppress

import msgspec

from syncengine.engine import listings, metadata_file, spool, xmp_file
from syncengine.engine.albums import AlbumWriter
from syncengine.engine.papers import Papers
from syncengine.engine.recording import Journal
from syncengine.engine.repairing.documents import document_of
from syncengine.engine.repairing.parts import Case, Repairing, file_of
from syncengine.engine.repairing.putting_back import Restorer
from syncengine.engine.repairing.setting_aside import SetAside
from syncengine.engine.verification.album_check import AlbumCheck
from syncengine.engine.verification.checksums import check_checksums
from syncengine.engine.verification.findings import Finding, FindingKind
from syncengine.engine.verification.recorded import RecordedFiles
from syncengine.errors import ItemError
from syncengine.records import ContentRecord, ItemRecord, StateBatch

#: A metadata token that no source gives: the next run takes what the source knows into the metadata file again.
_FORGOTTEN = ""


class PaperRepairer:
    """Writes the engine's own files again.

    Args:
        parts: the repair.
        restorer: places and reads back.
    """

    def __init__(self, parts: Repairing, restorer: Restorer) -> None:
        self._parts = parts
        self._restorer = restorer

    def write_sidecars(self, cases: list[Case], journal: Journal) -> None:
        """Make missing XMP sidecars again. One that was changed is left: photo programs write into them."""
        for case in cases:
            if not case.is_open or case.file.role != "sidecar":
                continue
            if case.finding.kind is not FindingKind.MISSING:
                case.why_not = "photo programs write into sidecars, so it is left as it is"
                continue
            document = metadata_file.read(self._parts.destination, case.record.path)
            content = xmp_file.encode(document or self._document_of(case.record))
            digest = hashlib.sha256(content).digest()
            if digest != case.file.sha256:
                case.record = msgspec.structs.replace(case.record, sidecar_sha256=digest)
                case.file = file_of(case.record, case.file) or case.file
                journal.commit(StateBatch(contents=[case.record]))
            self._restorer.write(case, content, "made again from its metadata file")

    def write_documents(self, findings: list[Finding], journal: Journal) -> None:
        """Write lost metadata files from the state, and have the next run take in what the source knows beside that."""
        lost = {finding.file.content for finding in findings if finding.kind is FindingKind.METADATA and finding.file}
        if not lost:
            return
        papers = Papers(self._parts.destination, self._parts.staging)
        for record in self._parts.state.contents(sorted(lost)):
            if record is not None:
                content = metadata_file.encode(self._document_of(record))
                papers.write(metadata_file.metadata_path(record.path), content)
        papers.place()
        items = [
            (id_, msgspec.structs.replace(record, metadata_token=_FORGOTTEN))
            for id_, record in self.items_of(lost)
            if record.metadata_token
        ]
        if items:
            journal.commit(StateBatch(items=items))

    def clear_links(self, findings: list[Finding]) -> None:
        """Set links in albums aside that lead to something else; a file that is in a link's place stays."""
        aside = SetAside(self._parts.destination, self._parts.run)
        for finding in findings:
            if finding.kind is FindingKind.LINK:
                with suppress(ItemError):
                    if self._parts.destination.link_target(finding.path) is not None:
                        aside.put(finding.path)

    def items_of(self, contents: set[bytes]) -> Iterator[tuple[str, ItemRecord]]:
        """Yield the profile's items that have one of these contents."""
        return ((id_, record) for id_, record in self._parts.state.all_items() if record.content in contents)

    def _document_of(self, record: ContentRecord) -> metadata_file.MetadataFile:
        return document_of(record, self._parts.source_label, self._parts.zone)

    def mend(self) -> None:
        """Bring what describes the whole destination up to date, as a run does after one that was killed."""
        parts = self._parts
        papers = Papers(parts.destination, parts.staging)
        albums = AlbumWriter(parts, papers)
        records = albums.write({album.id for album in parts.state.albums()}, ())
        listings.write_checksums(parts.state, papers, parts.staging)
        listings.write_deduplication(parts.state, papers, parts.staging)
        refused = papers.place()
        parts.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(Journal(parts.spool, parts.state, parts.profile)) as journal:
            if records:
                journal.commit(StateBatch(albums=records))
        spool.deliver(parts.spool, Papers(parts.destination, parts.staging), mended=not (refused or albums.warnings))

    def outcomes(self, findings: list[Finding]) -> list[Finding]:
        """Return findings about papers with what became of each; the others as they are."""
        albums = {finding.album for finding in findings if finding.album}
        state, reader = self._parts.state, self._restorer.reader
        check = AlbumCheck(self._parts.destination, state, reader, self._parts.profile, self._parts.albums)
        broken = {(finding.kind, finding.path): finding.reason for finding in check.check_only(albums)}
        return [self._outcome(finding, broken) for finding in findings]

    def _outcome(self, finding: Finding, broken: dict[tuple[FindingKind, str], str]) -> Finding:
        if finding.album:
            return told(finding, "written again", broken.get((finding.kind, finding.path), ""))
        if finding.kind is FindingKind.CHECKSUMS:
            with RecordedFiles(self._parts.state, self._parts.staging) as recorded:
                left = check_checksums(self._parts.destination, recorded)
            return told(finding, "written again", left.reason if left else "")
        if finding.kind is FindingKind.METADATA and finding.file is not None:
            (record,) = self._parts.state.contents([finding.file.content])
            file = file_of(record, finding.file)
            left = self._restorer.documents.look_at(file) if file is not None else None
            return told(finding, "written again from the state", left.reason if left else "")
        return finding


def told(finding: Finding, done: str, why_not: str) -> Finding:
    """Return a finding with what became of it."""
    if why_not:
        return msgspec.structs.replace(finding, repair=f"not repaired: {why_not}")
    return msgspec.structs.replace(finding, repaired=True, repair=done)
