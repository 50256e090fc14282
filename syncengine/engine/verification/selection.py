"""Which files a verification is to read: all, a fair sample, or those that runs have stored since a moment."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from math import ceil
from typing import Any

import msgspec

from syncengine.api import Destination
from syncengine.engine import catalog
from syncengine.engine.verification.recorded import RecordedFiles, file_of
from syncengine.errors import ConfigError

CATALOGS = "metadata/catalog"

_SPAN = re.compile(r"(\d+)\s*([hdwmy])", re.IGNORECASE)
_RUN = re.compile(r"\d{8}T\d{4,}Z?")
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30, "y": 365}


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be read; all of it where neither is given.

    Args:
        sample: the fraction of the files, above 0 and at most 1.
        seed: of the sample; the same seed draws the same sample from the same files.
        since: the id of the first run whose files are wanted; ids sort by time.
        asked: ``--since`` as it was given.
    """

    sample: float | None = None
    seed: int = 0
    since: str = ""
    asked: str = ""

    @property
    def is_all(self) -> bool:
        """Whether everything that is recorded is wanted."""
        return self.sample is None and not self.since

    def is_same_as(self, other: Selection) -> bool:
        """Whether both ask for the same, whatever sample was drawn and whenever ``30d`` was said."""
        return (self.sample, self.asked) == (other.sample, other.asked)

    def entry(self) -> dict[str, Any]:
        """Return it for the account."""
        entry: dict[str, Any] = {"kind": "all" if self.is_all else "sample" if self.sample is not None else "since"}
        if self.sample is not None:
            entry |= {"sample": self.sample, "seed": self.seed}
        if self.since:
            entry |= {"since": self.asked, "first_run": self.since}
        return entry


def parse_sample(text: str) -> float:
    """Return the fraction that ``5%`` stands for. Raises ``ConfigError``."""
    number = text.strip().removesuffix("%").strip()
    try:
        percent = float(number) if text.strip().endswith("%") else 0.0
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise ConfigError(f"--sample {text}: a part of the files is meant, above 0% and at most 100%, such as 5%")
    return percent / 100


def parse_since(text: str, zone: tzinfo, now: datetime) -> str:
    """Return the id of the first run that ``--since`` means.

    Args:
        text: the id of a run, a date or a moment (ISO 8601), or a span of time such as ``30d``.
        zone: of dates that know none.
        now: aware.

    Raises:
        ConfigError: it is none of these.
    """
    text = text.strip()
    if _RUN.fullmatch(text):
        return text
    if span := _SPAN.fullmatch(text):
        try:
            return _run_id(now - timedelta(days=int(span[1]) * _DAYS[span[2].lower()]))
        except OverflowError:
            return "0"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--since {text}: the id of a run, a date (2026-01-31) or a span of time (12h, 30d, 4w) is meant"
        ) from None
    return _run_id(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def _run_id(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%S")


class Selected:
    """The selected files of a destination.

    Args:
        recorded: all files.
        selection: which of them.
        stored_since: contents of the runs that ``selection.since`` means.
    """

    def __init__(self, recorded: RecordedFiles, selection: Selection, stored_since: frozenset[bytes]) -> None:
        self._recorded = recorded
        self._selection = selection
        self._stored_since = stored_since
        self.count = 0
        self.size = 0
        for line in self:
            self.count += 1
            self.size += file_of(line).size or 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield the line of each selected file by path; the same ones every time."""
        sample = self._selection.sample
        if sample is not None:
            return _drawn(self._recorded, self._recorded.count, sample, self._selection.seed)
        if self._selection.since:
            return (line for line in self._recorded if file_of(line).content in self._stored_since)
        return iter(self._recorded)


def _drawn(lines: Iterable[bytes], count: int, fraction: float, seed: int) -> Iterator[bytes]:
    """Yield a fair sample: every set of so many files is as likely as any other (Knuth, TAOCP 3.4.2, algorithm S)."""
    chance = random.Random(seed)  # nosec B311  # a sample that can be drawn again, no secret
    wanted = ceil(count * fraction)
    for left, line in zip(range(count, 0, -1), lines, strict=False):
        if chance.random() * left < wanted:
            wanted -= 1
            yield line


def contents_since(destination: Destination[Any], run: str) -> tuple[frozenset[bytes], list[str]]:
    """Return the contents that the catalog says were stored by ``run`` or later ones, and what could not be read."""
    contents: set[bytes] = set()
    notes: list[str] = []
    for stat in destination.list(CATALOGS):
        name = stat.path.rpartition("/")[2].removesuffix(".jsonl")
        if name < run:
            continue
        with destination.read(stat.path) as stream:
            damaged = 0
            for line in stream:
                try:
                    contents.update(record.content for record in catalog.decode(line).batch.contents)
                except ValueError:
                    damaged += 1
        if damaged:
            notes.append(f"{stat.path}: {damaged:,} lines cannot be read, so files of that run may be left out")
    return frozenset(contents), notes
