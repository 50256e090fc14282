"""The whole JSON Schema of a profile, with the options of every plugin: for editors and for ``syncengine schema``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from syncengine.api import KINDS
from syncengine.config import schema_files
from syncengine.config.plugin_options import plugin_schema
from syncengine.config.stages import PluginCatalog
from syncengine.errors import PluginError

#: The part of a profile in which stages of each kind stand.
_SECTIONS = {"transform": "transforms", "dedup": "dedup", "observer": "notify"}
_VARIABLE = {
    "description": "A value from the environment: ${NAME} or ${NAME:-default}.",
    "type": "string",
    "pattern": r"\$\{[A-Za-z_]",
}
_ENABLED = {"description": "false leaves this stage out.", "type": "boolean", "default": True}
#: What an editor shows, and so belongs to the key and not to one of its alternatives.
_ANNOTATIONS = ("title", "description", "default", "examples")


def profile_schema(plugins: PluginCatalog) -> dict[str, Any]:
    """Return the schema of a profile in which every installed plugin's options stand.

    Args:
        plugins: what is installed. One that is broken stands there by its name, with the reason.
    """
    envelope = _opened(schema_files.schema(schema_files.PROFILE))
    del envelope["$defs"]["stage"]
    for kind in (*KINDS, "observer"):
        stage = {"$ref": f"#/$defs/{kind}"}
        section = _SECTIONS.get(kind)
        if section is None:
            envelope["properties"][kind] = {"description": envelope["properties"][kind]["description"], **stage}
        else:
            envelope["properties"][section]["items"] = stage
        envelope["$defs"][kind] = _stage(plugins, kind, optional=section is not None)
    envelope["$defs"]["variable"] = _VARIABLE
    return envelope


def render_schema(schema: Mapping[str, Any]) -> bytes:
    """Return a schema as the files hold it: JSON, indented, one line feed at its end."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def _stage(plugins: PluginCatalog, kind: str, *, optional: bool) -> dict[str, Any]:
    names = plugins.names(kind)
    if not names:
        return {"description": f"No {kind} plugin is installed.", "not": {}}
    options = {name: _options(plugins, kind, name, optional=optional) for name in names}
    mapping = {
        "type": "object",
        "properties": options,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"description": f"A {kind} plugin.", "anyOf": [{"enum": names}, mapping]}


def _options(plugins: PluginCatalog, kind: str, name: str, *, optional: bool) -> dict[str, Any]:
    """Return the schema of one plugin's options as a profile may write them."""
    try:
        known = next((known for known in KINDS if known == kind), None)
        schema = plugin_schema(known, name, plugins.get(known, name)) if known is not None else _no_options()
    except PluginError as error:
        return {"description": f"This plugin is broken: {error.reason}", "type": ["object", "null"]}
    schema = _opened(schema)
    if optional:
        schema["properties"]["enabled"] = _or_variable(_ENABLED)
    schema.pop("title", None)  # a Struct's name says nothing to a user
    if not schema.get("required"):
        schema.pop("required", None)
        schema["type"] = ["object", "null"]
    return schema


def _no_options() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "additionalProperties": False}


def _or_variable(schema: dict[str, Any]) -> dict[str, Any]:
    schema = _opened(schema)
    alternatives = schema.get("anyOf", [schema])
    if not any(_is_constrained_scalar(alternative) for alternative in alternatives):
        return schema
    shown = {key: schema[key] for key in _ANNOTATIONS if key in schema}
    alternatives = schema.get("anyOf") or [{key: value for key, value in schema.items() if key not in shown}]
    return {**shown, "anyOf": [*alternatives, {"$ref": "#/$defs/variable"}]}


def _opened(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with everything inside of it open to variables, but not yet the value itself."""
    schema = {key: value for key, value in schema.items() if key != "x-expected"}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = _or_variable(schema[key])
    if "anyOf" in schema:
        schema["anyOf"] = [_opened(alternative) for alternative in schema["anyOf"]]
    if "properties" in schema:
        schema["properties"] = {name: _or_variable(inner) for name, inner in schema["properties"].items()}
    return schema


def _is_constrained_scalar(schema: Mapping[str, Any]) -> bool:
    """Return whether a single value is wanted that the text of a variable is not, as it stands."""
    if "$ref" in schema:
        return False
    if "enum" in schema or "const" in schema:
        return True
    types = schema.get("type", "string")
    scalars = set([types] if isinstance(types, str) else types) - {"object", "array", "null"}
    return bool(scalars) and ("string" not in scalars or "pattern" in schema)
