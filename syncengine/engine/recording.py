"""Making a batch's results permanent: catalog, then state, then ledger. Nothing is recorded before it is durable."""

from __future__ import annotations

import time
from pathlib import Path

from syncengine.engine import catalog, spool
from syncengine.engine.account import Account
from syncengine.engine.conclusion import Conclusion
from syncengine.engine.parts import RunParts
from syncengine.engine.ports import State
from syncengine.records import StateBatch


class Journal:
    """The one way into the state: each change goes into the run's catalog first, so that the state can be made again.

    Args:
        directory: the spool of what is under way; the catalog is written there.
        state: bound to a profile and a destination.
        profile: the profile's name.
    """

    def __init__(self, directory: Path, state: State, profile: str) -> None:
        self._state = state
        self._profile = profile
        self._catalog = (directory / spool.CATALOG).open("ab")

    def commit(self, batch: StateBatch) -> None:
        """Record what is durable at the destination already.

        Raises:
            FatalError: the state cannot be written.
            OSError: the disk of the state directory is full or failing.
        """
        self._catalog.write(catalog.moment(time.time()) + catalog.encode(batch, self._profile))
        spool.sync(self._catalog)
        self._state.commit(batch)

    def close(self) -> None:
        """Finish the catalog's file; may be called twice."""
        self._catalog.close()


class Recorder:
    """Records batches.

    Args:
        parts: the run.
        account: takes the ledger's lines.
    """

    def __init__(self, parts: RunParts, account: Account) -> None:
        self._parts = parts
        self._account = account
        self.journal = Journal(parts.spool, parts.state, parts.profile)
        #: Ids of the albums whose members changed.
        self.albums: set[str] = set()
        self.changed = False

    def record(self, conclusion: Conclusion) -> None:
        """Record what is durable already. Raises ``FatalError`` when the state cannot be written."""
        if conclusion.items or conclusion.contents:
            self.journal.commit(
                StateBatch(
                    items=[*conclusion.followers, *((item.id, record) for item, record in conclusion.items)],
                    contents=conclusion.contents,
                    fingerprints=conclusion.fingerprints,
                )
            )
            self.changed = True
            self.albums.update(album.id for record in conclusion.contents for album in record.albums)
        self._account.warn(conclusion.warnings)
        self._account.near_duplicates += conclusion.near
        self._account.maintained += conclusion.unlisted
        for line in conclusion.lines:
            self._account.finish(line)
            self._parts.observers.item_finished(self._parts.profile, line)

    def close(self) -> None:
        """Finish the catalog's file; may be called twice."""
        self.journal.close()
