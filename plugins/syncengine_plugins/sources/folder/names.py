"""How a path below the root becomes an item's id and name, and back.

An id is the path relative to the root, letter for letter. A path whose bytes are no UTF-8 cannot be text, so its id is
``//`` and its bytes percent-encoded; no relative path begins like that, so two files never share an id.
"""

from __future__ import annotations

import os
from urllib.parse import quote_from_bytes, unquote_to_bytes

_ENCODED = "//"


def is_text(path: str) -> bool:
    """Return whether a path as the file system gave it is valid UTF-8."""
    if path.isascii():
        return True
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def id_of(path: str) -> str:
    """Return the id of a path relative to the root."""
    return path if is_text(path) else _ENCODED + quote_from_bytes(os.fsencode(path))


def path_of(item_id: str) -> str | None:
    """Return the relative path of an id, or ``None`` when it is none of this source's ids.

    Args:
        item_id: as ``id_of`` returned it; an id that would leave the root is refused.
    """
    encoded = item_id.startswith(_ENCODED)
    path = os.fsdecode(unquote_to_bytes(item_id[len(_ENCODED) :])) if encoded else item_id
    if not path or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        return None
    return path


def name_of(name: str) -> str:
    """Return a file name as text, with each byte that is no UTF-8 as ``%E9``."""
    if is_text(name):
        return name
    return "".join(f"%{ord(one) - 0xDC00:02X}" if "\udc80" <= one <= "\udcff" else one for one in name)
