"""Writing as JSON what a source may say and Unicode does not allow: halves of surrogate pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec


def encoded_lines(encoder: msgspec.json.Encoder, lines: Sequence[Any]) -> bytes:
    """Return values as lines of JSON; what UTF-8 cannot carry becomes ``\\udc80`` in letters."""
    try:
        return encoder.encode_lines(lines)
    except UnicodeEncodeError:
        return encoder.encode_lines([cleaned(msgspec.to_builtins(line)) for line in lines])


def encoded(value: Any) -> bytes:
    """Return a value as indented JSON with a line feed at its end; what UTF-8 cannot carry is put into letters."""
    try:
        plain = msgspec.json.encode(value)
    except UnicodeEncodeError:
        plain = msgspec.json.encode(cleaned(msgspec.to_builtins(value)))
    return msgspec.json.format(plain, indent=2) + b"\n"


def cleaned(value: Any) -> Any:
    """Return a JSON-like value in which every text can be encoded."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list | tuple):
        return [cleaned(element) for element in value]
    if isinstance(value, dict):
        return {cleaned(key): cleaned(element) for key, element in value.items()}
    return value
