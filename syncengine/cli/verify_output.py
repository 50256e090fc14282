"""The words for people about a verification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from syncengine.cli.output import MAX_SHOWN, duration_text, printable, size_text
from syncengine.engine.verification.findings import FindingKind

if TYPE_CHECKING:
    from syncengine.engine.verification.findings import Finding, Verification

_MEANINGS = {
    FindingKind.FLIPPED: "same size, other bytes",
    FindingKind.TRUNCATED: "shorter than recorded",
    FindingKind.GROWN: "longer than recorded",
    FindingKind.MISSING: "not there",
    FindingKind.RENAMED: "there under another name",
    FindingKind.UNREADABLE: "cannot be read",
    FindingKind.LINK: "a name in an album that does not lead to its file",
    FindingKind.METADATA: "a metadata file or album.json missing or damaged",
    FindingKind.CHECKSUMS: "the list of checksums is not what is recorded",
    FindingKind.EXTRA: "nobody recorded it; it is left alone",
}


def verification_lines(found: Verification) -> Iterator[str]:
    """Yield the account of a verification, on one screen."""
    yield _headline(found)
    yield f"  {found.destination}"
    if found.continued:
        yield f"  began {found.started}, went on {found.continued}: {found.earlier:,} files were read by then"
    yield ""
    counts = {kind: [finding for finding in found.findings if finding.kind is kind] for kind in FindingKind}
    yield f"  {'intact':<10} {found.intact:>9,}  {_amount(found)}"
    for kind, meaning in _MEANINGS.items():
        if counts[kind]:
            yield f"  {kind:<10} {len(counts[kind]):>9,}  {meaning}{_repaired_text(counts[kind])}"
    yield f"  {'recorded':<10} {found.recorded:>9,}  {_selection_text(found)}"
    yield from _open_ones(found)
    yield from _others(found)
    for note in found.notes:
        yield printable(f"  {note}")
    yield ""
    yield _verdict(found)


def _headline(found: Verification) -> str:
    took = duration_text(found.seconds)
    if found.ended != "completed":
        return f"Verification of profile {found.profile} {found.ended} after {took}: {found.reason}"
    rate = f", {size_text(found.bytes_read / found.seconds)}/s" if found.seconds and found.bytes_read else ""
    return f"Verification of profile {found.profile}: {size_text(found.bytes_read)} read in {took}{rate}"


def _amount(found: Verification) -> str:
    return f"{size_text(found.bytes_checked)} read back and compared"


def _repaired_text(findings: list[Finding]) -> str:
    repaired = sum(finding.repaired for finding in findings)
    return f" ({repaired:,} repaired)" if repaired else ""


def _selection_text(found: Verification) -> str:
    match found.selection["kind"]:
        case "sample":
            percent = f"{found.selection['sample'] * 100:g}%"
            return f"a sample of {percent} was to be read: {found.selected:,} files (seed {found.selection['seed']})"
        case "since":
            return f"those stored since {found.selection['since']} were to be read: {found.selected:,} files"
        case _ if found.checked == found.recorded:
            return "every one of them was looked at"
        case _:
            return f"{found.recorded - found.checked:,} of them not reached"


def _open_ones(found: Verification) -> Iterator[str]:
    findings = [finding for finding in found.findings if not finding.by_others]
    if not findings:
        return
    yield ""
    yield f"Not as recorded ({len(findings):,}):"
    gravest_first = list(FindingKind)
    findings.sort(key=lambda finding: (finding.repaired, gravest_first.index(finding.kind)))
    for finding in findings[:MAX_SHOWN]:
        repair = f"; {'repaired: ' if finding.repaired else ''}{finding.repair}" if finding.repair else ""
        yield printable(f"  {finding.kind} {finding.path}: {finding.reason}{repair}")
    if len(findings) > MAX_SHOWN:
        yield f"  and {len(findings) - MAX_SHOWN:,} more; --json names them all"


def _others(found: Verification) -> Iterator[str]:
    litter = [finding for finding in found.findings if finding.by_others]
    if litter or found.notes:
        yield ""
    if litter:
        example = printable(litter[0].path)
        yield f"  {len(litter):,} left by other programs, such as {example}: they do no harm and are left alone"


def _verdict(found: Verification) -> str:
    open_ones = [finding for finding in found.findings if finding.is_open]
    if found.ended != "completed":
        return "NOT COMPLETE: what was not reached was not checked."
    if not open_ones:
        whole = "Everything that is recorded" if found.is_proof else "Everything that was looked at"
        return f"{whole} is there and intact."
    if any(finding.kind is not FindingKind.EXTRA and not finding.repair for finding in open_ones):
        return "NOT ALL WELL: 'syncengine verify --repair' restores what can be restored."
    return "NOT ALL WELL: see above."
