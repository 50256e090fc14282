"""What a verification finds, and its account, as ``verify --json`` prints it; ``schemas/verify.schema.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal

import msgspec

from syncengine.engine.clean_text import cleaned
from syncengine.engine.verification.recorded import RecordedFile

VERSION = 1


class FindingKind(StrEnum):
    """What can be wrong with a file at the destination."""

    FLIPPED = "flipped"
    TRUNCATED = "truncated"
    GROWN = "grown"
    MISSING = "missing"
    RENAMED = "renamed"
    UNREADABLE = "unreadable"
    LINK = "link"
    METADATA = "metadata"
    CHECKSUMS = "checksums"
    EXTRA = "extra"


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that is not as it was recorded.

    Args:
        kind: what is wrong.
        path: of the file that it is about, relative to the destination's root.
        reason: what was found there, a sentence.
        file: what was recorded, for a photo, a kept original or an XMP sidecar, and for a photo's metadata file.
        found_at: for ``renamed``, where a file of exactly these bytes is.
        album: for ``link`` and an album's own file, the album's id.
        by_others: an ``extra`` file that systems and NAS boxes leave in every folder; it is no reason to worry.
        is_refused: for ``unreadable``, the system does not let this user read it; its bytes may be well.
        repaired: it was repaired, and read back since.
        repair: how it was repaired, or why it was not.
    """

    kind: FindingKind
    path: str
    reason: str
    file: RecordedFile | None = None
    found_at: str = ""
    album: str = ""
    by_others: bool = False
    is_refused: bool = False
    repaired: bool = False
    repair: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody should look at it."""
        return not (self.repaired or self.by_others)

    def entry(self) -> dict[str, Any]:
        """Return it for ``--json``; what is empty is left out."""
        entry: dict[str, Any] = {"kind": self.kind.value, "path": self.path, "reason": self.reason}
        if self.file is not None and self.kind is not FindingKind.METADATA:
            entry["sha256"] = self.file.sha256.hex()
        rest = {"found_at": self.found_at, "by_others": self.by_others, "repair": self.repair}
        entry |= {name: value for name, value in rest.items() if value}
        return {**entry, "repaired": self.repaired}


Ended = Literal["completed", "stopped", "interrupted"]


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a verification.

    Args:
        profile: the profile's name.
        destination: the destination plugin's name and where it is.
        started: when the first file was read, ISO 8601 with offset; of an interrupted verification's first part.
        continued: when this part of it began, or empty.
        finished: ISO 8601 with offset.
        ended: as a run ends.
        reason: why it did not complete, and what to do.
        selection: what was to be looked at: ``all``, or ``sample`` or ``since`` with what they say.
        recorded: files that the state knows at this destination.
        selected: how many of them were to be read.
        checked: how many of those were, by all parts together.
        earlier: how many of these an earlier part has read and found intact.
        intact: how many are as they were recorded.
        bytes_checked: bytes of those that were read, by all parts together.
        bytes_read: bytes that this part has read.
        seconds: that reading took, in this part.
        findings: in the order of their paths.
        notes: what a person should know beside that.
    """

    profile: str
    destination: str
    started: str
    continued: str
    finished: str
    ended: Ended
    reason: str
    selection: Mapping[str, Any]
    recorded: int
    selected: int
    checked: int
    earlier: int
    intact: int
    bytes_checked: int
    bytes_read: int
    seconds: float
    findings: Sequence[Finding] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_proof(self) -> bool:
        """Whether everything that is recorded was read back, and is as it was recorded."""
        whole = self.selection.get("kind") == "all" and self.checked == self.recorded
        return whole and self.ended == "completed" and not any(finding.is_open for finding in self.findings)

    def counts(self) -> dict[str, int]:
        """Return how many findings there are of each kind."""
        found = Counter(finding.kind.value for finding in self.findings)
        return {kind.value: found[kind.value] for kind in FindingKind if found[kind.value]}

    def entry(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        facts = {field: getattr(self, field) for field in self.__struct_fields__ if field != "findings"}
        entry: dict[str, Any] = cleaned(
            {
                "version": VERSION,
                **facts,
                "proof": self.is_proof,
                "counts": self.counts(),
                "findings": [finding.entry() for finding in self.findings],
            }
        )
        return entry
