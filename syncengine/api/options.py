"""How a plugin declares its options: once, as a Struct beside the code that reads them.

The JSON Schema that validates a profile is generated from it, and so are ``syncengine plugins`` and the editor's
completion. Example::

    class Options(PluginOptions):
        quality: Annotated[int, Meta(ge=1, le=100, description="JPEG quality.")] = 95

A bound that the schema alone would know (``Meta(extra_json_schema=...)``) is for editors; what must hold is said by
the type, its ``Meta``, or the Struct's ``__post_init__``.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import Meta

__all__ = ["Meta", "PluginOptions", "options_schema"]


class PluginOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every plugin's options; unknown keys are errors."""


def options_schema(options: type[PluginOptions]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a plugin's options, with defaults, bounds and descriptions."""
    (schema,), components = msgspec.json.schema_components([options], ref_template="#/$defs/{name}")
    for component in components.values():
        if "description" in component:  # A docstring, which Python 3.13 dedents and older ones do not.
            component["description"] = cleandoc(component["description"])
    own: dict[str, Any] = components.pop(options.__name__, schema)
    if components:
        own = {**own, "$defs": components}
    return own
