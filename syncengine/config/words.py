"""The words of a validation message: what was expected, what was there instead, what may have been meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from syncengine.config.document import Node, Path, Scalar
from syncengine.config.scalars import resolve

_SECRET = re.compile(r"TOKEN|KEY|SECRET|PASS|CREDENTIAL|AUTH|HOOK|URL", re.IGNORECASE)
_SHORT = 40

_TYPES = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_YES_NO = frozenset({"yes", "no", "on", "off", "y", "n"})


def expectation(schema: Mapping[str, Any]) -> str:
    """Return what a schema wants, such as ``an integer from 1 to 100``."""
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "const" in schema:
        return literal(schema["const"])
    if "enum" in schema:
        return one_of(literal(value) for value in schema["enum"])
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        words = [word for each in alternatives if each != {"type": "null"} for word in _choices(each)]
        return _either(list(dict.fromkeys(words)) or ["nothing"])
    types = types_of(schema)
    named = " or ".join(_TYPES[kind] for kind in types if kind in _TYPES and (kind != "null" or len(types) == 1))
    return (named or "something else") + _bounds(schema)


def got(node: Node, value: Any, path: Path) -> str:
    """Return what stands at a node, naming the variables that it came from and keeping secrets to itself."""
    variables = node.variables if isinstance(node, Scalar) else ()
    names = (*variables, *(step for step in path if isinstance(step, str)))
    shown = _value(value, secret=any(_SECRET.search(name) for name in names))
    if not isinstance(node, Scalar) or not variables:
        return "got " + shown
    shown = shown if value is not None else "empty"
    if len(variables) == 1:
        return f"but {'the default of ' if node.defaulted else ''}{variables[0]} is {shown}"
    return f"but with {' and '.join(dict.fromkeys(variables))} it is {shown}"


def hint(schema: Mapping[str, Any], node: Node, value: Any) -> str:
    """Return what to do about a value of the wrong type, beginning with ``;``, or nothing."""
    types = types_of(schema)
    if not isinstance(node, Scalar):
        return "; put text with { or [ in quotes" if types == ["string"] else ""
    if isinstance(value, str) and "boolean" in types and value.lower() in _YES_NO:
        return "; write true or false"
    if node.variables or value is None:
        return ""
    if isinstance(value, str) and "string" not in types and not isinstance(resolve(value), str):
        return "; remove the quotes"
    return "; put it in quotes" if not isinstance(value, str) and types[:1] == ["string"] else ""


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the names of the types that a schema allows by itself."""
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean ...?)`` with the known word that is most like ``word``, or nothing."""
    from difflib import get_close_matches  # only a mistake needs it

    by_case = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), by_case, n=1, cutoff=0.6)
    return f" (did you mean {by_case[near[0]]}?)" if near else ""


def one_of(words: Iterable[str]) -> str:
    """Return ``one of a, b, c``; a single word is itself."""
    listed = list(words)
    return f"one of {', '.join(listed)}" if len(listed) > 1 else "".join(listed)


def literal(value: Any) -> str:
    """Return a value as YAML writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _value(value: Any, *, secret: bool) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return {type(None): "nothing", dict: "a mapping", list: "a list"}.get(type(value)) or literal(value)
    if secret:
        return "something else (not shown)"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= _SHORT else f"a text of {len(value)} characters"
    return f"{'the integer' if isinstance(value, int) else 'the number'} {value}"


def _choices(schema: Mapping[str, Any]) -> list[str]:
    if schema.get("type") == "boolean":
        return ["true", "false"]
    return [literal(value) for value in schema["enum"]] if "enum" in schema else [expectation(schema)]


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    parts = []
    if low is not None and high is not None:
        parts.append(f"from {low} to {high}")
    elif low is not None:
        parts.append(f"of at least {low}")
    elif high is not None:
        parts.append(f"of at most {high}")
    parts.extend(f"{word} {bound}" for word, bound in (("above", above), ("below", below)) if bound is not None)
    if "multipleOf" in schema:
        parts.append(f"that is a multiple of {schema['multipleOf']}")
    if "pattern" in schema:
        parts.append(f"that matches {schema['pattern']}")
    return "".join(" " + part for part in [*parts, *_lengths(schema)])


def _lengths(schema: Mapping[str, Any]) -> list[str]:
    least, most = schema.get("minLength"), schema.get("maxLength")
    few, many = schema.get("minItems"), schema.get("maxItems")
    parts = []
    if least is not None:
        parts.append("that is not empty" if least == 1 else f"of at least {least} characters")
    if most is not None:
        parts.append(f"of at most {most} characters")
    if few is not None:
        parts.append(f"with at least {few} entr{'y' if few == 1 else 'ies'}")
    if many is not None:
        parts.append(f"with at most {many} entr{'y' if many == 1 else 'ies'}")
    return parts
