"""A run's ledger and catalog on local disk, until they are at the destination; what a killed run left is found again.

Layout below the spool directory: ``<run>/ledger.jsonl``, ``<run>/catalog.jsonl``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from syncengine.engine.papers import Papers
from syncengine.errors import ItemError

LEDGER = "ledger.jsonl"
CATALOG = "catalog.jsonl"
REPORT = "report.json"
INTENTS = "intents.jsonl"


def leftovers(spool: Path) -> list[Path]:
    """Return the directories of runs that did not come to their end, oldest first."""
    return sorted(path for path in spool.iterdir() if path.is_dir()) if spool.is_dir() else []


def deliver(directory: Path, papers: Papers, *, mended: bool = True) -> None:
    """Bring a run's ledger, catalog and report to the destination, and remove the local ones.

    Args:
        directory: of one run, named after it; may lack any of the files.
        papers: are put in place here.
        mended: nothing is left to do for the next run; otherwise the directory stays, with what was intended.

    Raises:
        ItemError: something is in the way at the destination; the local files stay for the next run.
    """
    run = directory.name
    targets = {
        LEDGER: f"logs/ledger_{run}.jsonl",
        CATALOG: f"metadata/catalog/{run}.jsonl",
        REPORT: f"logs/backup_report_{run}.json",
    }
    for name, path in targets.items():
        if (directory / name).is_file() and (directory / name).stat().st_size:
            shutil.copyfile(directory / name, papers.stage(path))
    refused = papers.place()
    if refused:
        raise ItemError("; ".join(refused), advice="see that they can be written there, then run again")
    if mended:
        shutil.rmtree(directory)
    for name in targets:
        (directory / name).unlink(missing_ok=True)


def sync(stream: Any) -> None:
    """Return when what was written to a local file survives a power cut."""
    stream.flush()
    os.fsync(stream.fileno())
