"""A repair from its beginning to what became of each finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing

from syncengine.engine.recording import Journal
from syncengine.engine.repairing.copies import GoodCopy, album_copies, recorded_copies
from syncengine.engine.repairing.papers import PaperRepairer, told
from syncengine.engine.repairing.parts import Case, Repairing, digests_wanted, file_of
from syncengine.engine.repairing.putting_back import Restorer
from syncengine.engine.repairing.setting_aside import SetAside
from syncengine.engine.verification.findings import Finding, FindingKind
from syncengine.errors import ItemError
from syncengine.records import ContentRecord

#: What is repaired by putting the recorded bytes there again.
_FILES = frozenset(
    {
        FindingKind.FLIPPED,
        FindingKind.TRUNCATED,
        FindingKind.GROWN,
        FindingKind.MISSING,
        FindingKind.RENAMED,
        FindingKind.UNREADABLE,
    }
)


def can_be_repaired(finding: Finding) -> bool:
    """Whether a repair does something about a finding; files that nobody recorded are nobody's to touch."""
    return finding.kind is not FindingKind.EXTRA


def repair(parts: Repairing, findings: Iterable[Finding]) -> list[Finding]:
    """Repair what can be repaired; return the findings, each with what became of it.

    Raises:
        FatalError: the destination or the state cannot be used any more; what was repaired until then is.
    """
    return _Repairer(parts).run(list(findings))


class _Repairer:
    def __init__(self, parts: Repairing) -> None:
        self._parts = parts
        self._restorer = Restorer(parts)
        self._papers = PaperRepairer(parts, self._restorer)

    def run(self, findings: list[Finding]) -> list[Finding]:
        """Repair, in the order in which it costs more."""
        parts = self._parts
        with closing(Journal(parts.spool, parts.state, parts.profile)) as journal, parts.exclusive():
            cases = self._cases(findings)
            parts.note("repairing from what is at the destination")
            for case in cases:
                if case.is_open:
                    self._restorer.move_back(case)
            self._papers.write_sidecars(cases, journal)
            self._copy(cases, self._local_copies(cases))
            if digests_wanted(cases):
                parts.note("repairing from other destinations")
                self._copy(cases, parts.elsewhere.copies(digests_wanted(cases)))
            self._papers.write_documents(findings, journal)
            self._papers.clear_links(findings)
        is_mended = self._ask_the_source(cases)
        with parts.exclusive():
            if not is_mended:
                self._papers.mend()
            return self._outcomes(findings, cases)

    def _cases(self, findings: list[Finding]) -> list[Case]:
        """Return the files that are to be repaired, each as it is recorded now."""
        cases: list[Case] = []
        for finding in findings:
            if finding.file is None or finding.kind not in _FILES:
                continue
            (record,) = self._parts.state.contents([finding.file.content])
            file = file_of(record, finding.file)
            if record is None or file is None:
                continue
            aside = SetAside(self._parts.destination, self._parts.run)
            case = Case(finding=finding, file=file, record=record, aside=aside)
            if self._restorer.is_well(file):
                case.done = "it is well by now"
            elif finding.is_refused:
                case.why_not = "the system refuses to give it; see to its owner and permissions first"
            cases.append(case)
        return cases

    def _local_copies(self, cases: list[Case]) -> Iterator[GoodCopy]:
        for case in cases:
            if case.needs_bytes:
                directories = self._restorer.directories
                yield from album_copies(case.file, case.record, directories, self._parts.destination)
        if digests := digests_wanted(cases):
            yield from recorded_copies(digests, self._parts.state, self._parts.destination)

    def _copy(self, cases: list[Case], copies: Iterator[GoodCopy]) -> None:
        """Restore files from copies until none is left that wants one."""
        for copy in copies:
            for case in cases:
                is_itself = copy.destination is self._parts.destination and copy.path == case.file.path
                if case.needs_bytes and copy.sha256 == case.file.sha256 and not is_itself:
                    self._restorer.restore(case, copy)
            if self._parts.stop.is_set() or not digests_wanted(cases):
                return

    def _ask_the_source(self, cases: list[Case]) -> bool:
        """Have the rest stored again by the ordinary pipeline; return whether that has mended albums and lists."""
        left = [case for case in cases if case.needs_bytes]
        if not left or self._parts.stop.is_set():
            return False
        ids = self._items_with({case.record.content: case.record for case in left})
        contents = set(ids.values())
        for case in left:
            if case.record.content not in contents:
                case.why_not = case.why_not or f"no copy of it was found; profile {case.record.profile} has stored it"
        with self._parts.exclusive():
            asked = [case for case in left if case.record.content in contents]
            for case in asked:
                self._set_aside(case)
            self._parts.destination.flush()
        if not asked:
            return False
        self._parts.note("repairing from the source")
        try:
            fetched = self._parts.fetch_again(frozenset(ids))
        except BaseException:
            for case in asked:
                case.aside.put_back()
            raise
        failures = {content: fetched.failures[id_] for id_, content in ids.items() if id_ in fetched.failures}
        with self._parts.exclusive():
            for case in asked:
                self._see_what_came(case, failures.get(case.record.content, "") or fetched.reason)
        return fetched.is_run

    def _items_with(self, records: dict[bytes, ContentRecord]) -> dict[str, bytes]:
        """Return the profile's items that have these contents: id -> content.

        One whose transform failed has no record of its own, only that of the untouched original that was kept.
        """
        own = {record.item: key for key, record in records.items() if record.profile == self._parts.profile}
        return own | {id_: item.content for id_, item in self._papers.items_of(set(records))}

    def _set_aside(self, case: Case) -> None:
        """Set aside what is in a file's place: the pipeline stores again what is missing."""
        try:
            self._restorer.set_aside(case)
        except ItemError as error:
            case.why_not = f"it cannot be set aside: {error}"
            case.aside.put_back()

    def _see_what_came(self, case: Case, failure: str) -> None:
        (record,) = self._parts.state.contents([case.record.content])
        file = file_of(record, case.file)
        if file is not None and self._restorer.is_well(file):
            case.done = "from the source" if file.path == case.file.path else f"from the source, as {file.path}"
            return
        no_more = "the source does not have these bytes any more, and no other copy was found"
        case.why_not = failure or case.why_not or no_more
        case.aside.put_back()

    def _outcomes(self, findings: list[Finding], cases: list[Case]) -> list[Finding]:
        """Return the findings with what became of each; what is called repaired was read back."""
        by_finding = {id(case.finding): case for case in cases}
        outcomes: list[Finding] = []
        for before, after in zip(findings, self._papers.outcomes(findings), strict=True):
            case = by_finding.get(id(before))
            outcomes.append(self._told(case) if case is not None else after)
        return outcomes

    def _told(self, case: Case) -> Finding:
        stopped = "interrupted before its turn" if self._parts.stop.is_set() else "no copy of it was found"
        return told(case.finding, case.done, "" if case.done else case.why_not or stopped)
