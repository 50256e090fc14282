"""Finds the JSON Schemas that the engine owns, in an installed package and in a checkout."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

PROFILE = "profile.schema.json"

_CHECKOUT = Path(__file__).resolve().parents[2] / "schemas"


def schema(name: str) -> dict[str, Any]:
    """Return one of the engine's schemas.

    Args:
        name: its file name, such as ``report.schema.json``.

    Raises:
        FileNotFoundError: there is none of that name.
    """
    shipped = resources.files("syncengine") / "_schemas" / name
    content = shipped.read_bytes() if shipped.is_file() else (_CHECKOUT / name).read_bytes()
    found: dict[str, Any] = msgspec.json.decode(content)
    return found
