"""The parameter ``fields``: which parts of an answer come back.

Grammar: ``a,b(c,d/e),f/*``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from syncengine.testing.google.shapes import SHAPES
from syncengine.testing.google.wire.message import Answer, Request, json_answer
from syncengine.testing.google.wire.problems import ApiError, bad_request

Mask: TypeAlias = "dict[str, Mask]"
_TOKEN = re.compile(r"[A-Za-z]\w*|[*,/()]")


def parse(text: str, known: Iterable[str] = ()) -> Mask:
    """Make a mask of the parameter.

    Args:
        text: the parameter.
        known: names that the answer has at its top; empty allows any.

    Returns:
        For each name what is wanted of it; an empty mask wants all.

    Raises:
        ApiError: 400 ``invalidParameter``, it cannot be understood or names what the answer has not.
    """
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text.replace(" ", ""):
        raise _invalid(text)
    mask, rest = _list(tokens, text)
    unknown = [name for name in mask if known and name != "*" and name not in set(known)]
    if rest or unknown:
        raise _invalid(unknown[0] if unknown else text)
    return mask


def _list(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    """``item ("," item)*``; returns what follows, too."""
    mask: Mask = {}
    while True:
        rest = _item(tokens, mask, text)
        if not rest or rest[0] != ",":
            return mask, rest
        tokens = rest[1:]


def _item(tokens: list[str], mask: Mask, text: str) -> list[str]:
    """``name``, ``name/item`` or ``name(list)``, put into the mask."""
    if not tokens or tokens[0] in ",/()":
        raise _invalid(text)
    inner = mask.setdefault(tokens[0], {})
    rest = tokens[1:]
    if rest[:1] == ["/"]:
        return _item(rest[1:], inner, text)
    if rest[:1] == ["("]:
        found, rest = _list(rest[1:], text)
        inner.update(found)
        if rest[:1] != [")"]:
            raise _invalid(text)
        return rest[1:]
    return rest


def select(value: Any, mask: Mask) -> Any:
    """What a mask leaves of a JSON value.

    Args:
        value: any JSON value; lists are gone through.
        mask: from ``parse``; empty leaves everything.
    """
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [select(one, mask) for one in value]
    if isinstance(value, dict):
        return {name: select(value[name], inner) for name, inner in mask.items() if name in value}
    return value


def masked_answer(value: dict[str, Any], request: Request, shape: str) -> Answer:
    """What the request's ``fields`` leave of a value.

    Args:
        value: the whole answer.
        request: whose ``fields`` count; without them everything comes back.
        shape: the answer's shape, whose names ``fields`` may use.
    """
    mask = parse(request.one("fields"), SHAPES[shape]) if request.one("fields") else {}
    return json_answer(select(value, mask))


def _invalid(name: str) -> ApiError:
    return bad_request(f"Invalid field selection {name}", "invalidParameter")
