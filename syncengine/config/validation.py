"""Judges a part of a profile by a JSON Schema and says in plain words what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from syncengine.config.document import Node, Path, Scalar, find, shortened
from syncengine.config.findings import Findings, value_of
from syncengine.config.words import expectation, got, hint, nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

#: Problems of a mapping as a whole; they point at its key.
_OF_THE_WHOLE = frozenset({"required", "minProperties", "maxProperties", "minItems", "maxItems", "dependentRequired"})


def judge(findings: Findings, node: Node, path: Path, schema: Mapping[str, Any], *, form: Any = None) -> None:
    """Add every problem of a part of the document.

    A scalar that came from a variable has no quotes that could make it text. So where its typed value does not fit
    and its text does (an album called ``2019``), it becomes text.

    Args:
        findings: where the problems go.
        node: the part.
        path: where it is in the document.
        schema: draft 2020-12.
        form: a type that takes nothing that the schema refuses; what it takes is right, which costs no validator.
    """
    if form is not None and _is_taken(node, form):
        return
    validator = _validator_class()(schema)
    errors = _errors(validator, node)
    if sum(_taken_as_text(validator, node, error) for error in errors):
        errors = _errors(validator, node)
    for error in errors:
        _report(findings, path, error)


def _is_taken(node: Node, form: Any) -> bool:
    try:
        msgspec.convert(value_of(node), form)
    except msgspec.ValidationError:
        return False
    return True


def _errors(validator: Validator, node: Node) -> list[ValidationError]:
    return [inner for error in validator.iter_errors(value_of(node)) for inner in _meant(error)]


@cache
def _validator_class() -> type[Validator]:
    from jsonschema import Draft202012Validator  # 30 to 100 ms that only what may be wrong pays
    from jsonschema.validators import extend

    # JSON Schema takes 95.0 for an integer; the option's Struct does not.
    checker = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    extended: type[Validator] = extend(Draft202012Validator, type_checker=checker)  # type: ignore[no-untyped-call]  # its stubs lack the types
    return extended


def _taken_as_text(validator: Validator, root: Node, error: ValidationError) -> bool:
    node, _ = find(root, tuple(error.absolute_path))
    if not (isinstance(node, Scalar) and node.variables and not isinstance(error.instance, str)):
        return False
    if not isinstance(error.schema, Mapping) or not validator.evolve(schema=error.schema).is_valid(node.text):
        return False
    node.plain = False
    return True


def _report(findings: Findings, above: Path, error: ValidationError) -> None:
    path = (*above, *error.absolute_path)
    instance: Any = error.instance
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties":
        _report_unknown(findings, path, instance, list(schema.get("properties", ())))
    elif error.validator == "required":
        for name in schema["required"]:
            if name not in instance:
                findings.add(path, f"the key '{name}' is missing", at_key=True)
    else:
        at_key = error.validator in _OF_THE_WHOLE
        findings.add(path, _message(findings, path, error, schema), at_key=at_key)


def _report_unknown(findings: Findings, path: Path, instance: Mapping[str, Any], known: list[str]) -> None:
    for name in instance:
        if name not in known:
            message = f"unknown key {shortened(name)}{nearest(name, known)}; allowed: {', '.join(known) or 'none'}"
            findings.add((*path, name), message, at_key=True)


def _meant(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the error, or those of the one alternative whose type fits a mapping or a list: it is what was meant."""
    groups: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        groups.setdefault(inner.schema_path[0], []).append(inner)
    fitting = [group for group in groups.values() if not any(_is_of_the_type(inner) for inner in group)]
    if isinstance(error.instance, dict | list) and fitting:
        for inner in fitting[0]:
            yield from _meant(inner)
    else:
        yield error


def _is_of_the_type(error: ValidationError) -> bool:
    return not error.path and error.validator in {"type", "enum", "const"}


def _message(findings: Findings, path: Path, error: ValidationError, schema: Mapping[str, Any]) -> str:
    instance: Any = error.instance
    node, _ = find(findings.root, path)
    if error.validator in {"minProperties", "maxProperties"} and schema.get("maxProperties") == 1:
        return _not_one_key(instance)
    if error.validator == "uniqueItems":
        return "an entry is here twice"
    if error.validator in {"minItems", "maxItems"}:
        return f"expected {expectation(schema)}, got {len(instance)}"
    expected = expectation(schema)
    message = f"expected {expected}, {got(node, instance, path)}"
    if error.validator == "enum" and isinstance(instance, str):
        return message + nearest(instance, _words(schema["enum"]))
    return message + hint(schema, node, instance)


def _not_one_key(instance: Mapping[str, Any]) -> str:
    if not instance:
        return "expected one plugin's name, got an empty mapping"
    names = ", ".join(shortened(name) for name in instance)
    return f"expected one plugin's name, got {len(instance)} keys ({names}); indent its options below its name"


def _words(values: Iterable[Any]) -> Iterator[str]:
    return (value for value in values if isinstance(value, str))
