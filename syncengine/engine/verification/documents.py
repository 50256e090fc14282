"""The metadata files of stored photos: they are to be there, to be readable, and to speak of the file that is there."""

from __future__ import annotations

from typing import Any

from syncengine.api import Destination, ItemError
from syncengine.engine import metadata_file
from syncengine.engine.verification.findings import Finding, FindingKind
from syncengine.engine.verification.recorded import RecordedFile


class Documents:
    """Looks at metadata files.

    Args:
        destination: open.
        profile: whose metadata files have to be there; where another profile stored a photo, its own rules hold.
        is_wanted: the profile wants metadata files.
    """

    def __init__(self, destination: Destination[Any], profile: str, *, is_wanted: bool) -> None:
        self._destination = destination
        self._profile = profile
        self._is_wanted = is_wanted

    def look_at(self, file: RecordedFile) -> Finding | None:
        """Return what is wrong with the metadata file of a stored file. Raises ``FatalError``."""
        path = metadata_file.metadata_path(file.path)
        is_owed = self._is_wanted and file.profile == self._profile
        try:
            if not is_owed and self._destination.stat(path) is None:
                return None
            document = metadata_file.read(self._destination, file.path)
            if document is None:
                is_there = self._destination.stat(path) is not None
                return _found(file, path, "it cannot be understood" if is_there else "there is no file of that name")
        except ItemError as error:
            return _found(file, path, f"it cannot be read: {error}")
        except OSError as error:
            return _found(file, path, f"it cannot be read: {error.strerror or error}")
        if document.stored.sha256 != file.sha256.hex():
            return _found(file, path, "it speaks of other bytes than those that were recorded")
        return None


def _found(file: RecordedFile, path: str, reason: str) -> Finding:
    return Finding(kind=FindingKind.METADATA, path=path, reason=reason, file=file)
