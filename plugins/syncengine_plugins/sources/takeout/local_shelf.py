"""Parts that lie in a folder of this machine, or one single archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from syncengine.api import FatalError
from syncengine_plugins.sources.takeout.ingest import peek, read_tgz, read_tree, read_zip_file
from syncengine_plugins.sources.takeout.intake import PartIntake
from syncengine_plugins.sources.takeout.parts import FoundParts, PartFile, find_parts
from syncengine_plugins.sources.takeout.reading import Archives, Copies
from syncengine_plugins.sources.takeout.shelf import Checksums, Shelf
from syncengine_plugins.sources.takeout.tgz_fetch import Between


class LocalShelf(Shelf):
    """A folder with archives and unpacked exports.

    Args:
        root: the folder, or one archive.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self) -> FoundParts:
        """See ``Shelf``."""
        try:
            return find_parts(self.root)
        except OSError as error:
            raise FatalError(
                f"the Takeout folder {self.root} cannot be read: {error.strerror or error}",
                advice="check that it is there and mounted, or set `path` to where the archives of Google Takeout are",
            ) from error

    def is_takeout(self, part: PartFile) -> bool:
        """See ``Shelf``."""
        return peek(part)

    def read(self, part: PartFile, intake: PartIntake, checksums: Checksums) -> Iterator[None]:
        """See ``Shelf``."""
        if part.kind == "zip":
            read_zip_file(part, intake)
        elif part.kind == "tgz":
            read_tgz(part, intake)
        else:
            read_tree(part, intake, checksums)
        yield

    def copies(self, scratch: Path, between: Between) -> Copies:
        """See ``Shelf``."""
        return Archives(scratch, between)

    def require_presence(self) -> None:
        """See ``Shelf``."""
        if not self.root.exists():
            raise FatalError(
                f"the Takeout folder {self.root} is gone", advice="check that it is mounted, then run again"
            )
