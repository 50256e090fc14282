"""Whether ``metadata/checksums.sha256`` says what the state says, so that ``sha256sum -c`` agrees."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from syncengine.api import Destination, ItemError
from syncengine.engine.hashing import digest_of
from syncengine.engine.listings import CHECKSUMS
from syncengine.engine.verification.findings import Finding, FindingKind
from syncengine.engine.verification.recorded import file_of


def check_checksums(destination: Destination[Any], lines: Iterable[bytes]) -> Finding | None:
    """Return what is wrong with the list of checksums.

    Args:
        destination: open.
        lines: of all recorded files, by path.

    Raises:
        FatalError: the destination cannot be read any more.
    """
    expected = hashlib.sha256()
    is_empty = True
    for line in lines:
        file = file_of(line)
        expected.update(f"{file.sha256.hex()}  {file.path}\n".encode())
        is_empty = False
    try:
        with destination.read(CHECKSUMS) as stream:
            reason = "" if digest_of(stream) == expected.digest() else "it does not say what is recorded"
    except FileNotFoundError:
        reason = "" if is_empty else "there is no file of that name"
    except (ItemError, OSError) as error:
        reason = f"it cannot be read: {error}"
    return Finding(kind=FindingKind.CHECKSUMS, path=CHECKSUMS, reason=reason) if reason else None
