"""The JSON Schema of one plugin's options, ready to judge them and to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncengine.api import PluginKind, options_schema
from syncengine.errors import PluginError

_DEFINED = "#/$defs/"


def plugin_schema(kind: PluginKind, name: str, plugin: type[Any]) -> dict[str, Any]:
    """Return the schema of a plugin's options, its own definitions put in place.

    Raises:
        PluginError: its options have a type that JSON cannot hold, or that contains itself.
    """
    try:
        schema = options_schema(plugin.Options)
        inlined: dict[str, Any] = _inlined(schema, schema.pop("$defs", {}))
    except (TypeError, RecursionError) as error:
        raise PluginError(f"{kind}.{name}", f"its options cannot be described: {error}") from error
    return inlined


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref", "")
    if isinstance(reference, str) and reference.startswith(_DEFINED):
        name = reference.removeprefix(_DEFINED)
        if name not in definitions:  # the options' own definition, which is the schema itself
            raise TypeError(f"{name} contains itself")
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _inlined({**definitions[name], **rest}, definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
