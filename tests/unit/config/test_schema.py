from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from syncengine.api import PluginError
from syncengine.config.document import parse
from syncengine.config.findings import value_of
from syncengine.config.schema import profile_schema, render_schema
from syncengine.host import PluginHost, bundled

CHECKOUT = Path(__file__).parents[3]
EDITOR = CHECKOUT / "schemas" / "editor" / "profile.schema.json"


def _problems(schema: dict[str, Any], text: str) -> list[str]:
    """Return what an editor says of a profile as it is written, variables and all."""
    value = value_of(parse(text, "f").root)
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(value)]


SMALLEST = "version: 1\nsource: {takeout: {path: ./in}}\ndestination: {filesystem: {path: ./out}}\n"


@pytest.mark.parametrize(
    "text",
    [
        SMALLEST,
        SMALLEST.replace("1", '"${VERSION:-1}"'),
        SMALLEST + "transforms:\n  - heic-to-jpeg\n  - heic-to-jpeg:\n",
        SMALLEST + "transforms:\n  - heic-to-jpeg: {enabled: '${ON}', quality: '${Q:-95}', keep_original: '${KEEP}'}\n",
        SMALLEST + "transforms:\n  - heic-to-jpeg: {border: {width: '${W}', colour: red}, sharpness: '${S}'}\n",
        SMALLEST + "dedup: [sha256]\nexecution: {downloads: '${N}', workers: auto, bandwidth: '${B}'}\n",
        SMALLEST + "layout: {albums: '${A}', metadata: ['${M}']}\nselect: {kinds: ['${K}'], favorites: '${F}'}\n",
    ],
)
def test_an_editor_accepts_what_loads_with_its_variables_still_in_it(plugins: PluginHost, text: str) -> None:
    assert _problems(profile_schema(plugins), text) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (SMALLEST.replace("takeout", "takeot"), "$.source"),
        (SMALLEST.replace("{path: ./in}", ""), "$.source"),
        (SMALLEST + "transforms:\n  - heic-to-jpeg: {quality: 101}\n", "$.transforms[0]"),
        (SMALLEST + "transforms:\n  - heic-to-jpeg: {quality: high}\n", "$.transforms[0]"),
        (SMALLEST + "dedup:\n  - sha256: {depth: 1}\n", "$.dedup[0]"),
        (SMALLEST.replace("./in", "./in, enabled: false"), "$.source"),
        (SMALLEST + "execution: {downloads: many}\n", "$.execution.downloads"),
        (SMALLEST + "notify: [webhook]\n", "$.notify[0]"),
    ],
)
def test_an_editor_refuses_what_does_not_load(plugins: PluginHost, text: str, path: str) -> None:
    assert _problems(profile_schema(plugins), text) == [path]


class Catalog:
    """One sound transform, one that is broken, one observer."""

    def __init__(self, plugins: PluginHost) -> None:
        self._plugins = plugins

    def names(self, kind: str) -> list[str]:
        return {"transform": ["heic-to-jpeg", "sepia"], "observer": ["diary"]}.get(kind) or self._plugins.names(kind)

    def get(self, kind: Any, name: str) -> type[Any]:
        if name == "sepia":
            raise PluginError("transform.sepia", "no codec")
        return self._plugins.get(kind, name)


def test_a_broken_plugin_and_an_observer_have_their_place(plugins: PluginHost) -> None:
    schema = profile_schema(Catalog(plugins))
    transforms = schema["$defs"]["transform"]["anyOf"][1]["properties"]
    assert transforms["sepia"]["description"] == "This plugin is broken: no codec"
    assert "quality" in transforms["heic-to-jpeg"]["properties"]
    assert _problems(schema, SMALLEST + "notify:\n  - diary\n  - diary: {enabled: '${TELL}'}\n") == []
    assert _problems(schema, SMALLEST + "notify:\n  - diary: {volume: 3}\n") == ["$.notify[0]"]


def test_the_schema_is_a_schema(plugins: PluginHost) -> None:
    schema = profile_schema(plugins)
    Draft202012Validator.check_schema(schema)
    assert "x-expected" not in render_schema(schema).decode()


def test_the_file_for_editors_is_what_the_bundled_plugins_make() -> None:
    made = render_schema(profile_schema(PluginHost(bundled))).decode()
    assert EDITOR.read_text(encoding="utf-8") == made, "make it again: syncengine schema --write"


def _options() -> Iterator[tuple[str, str, dict[str, Any]]]:
    definitions = profile_schema(PluginHost(bundled))["$defs"]
    for kind in ("source", "transform", "dedup", "destination"):
        for name, options in definitions[kind]["anyOf"][1]["properties"].items():
            for option, schema in options["properties"].items():
                yield f"{kind}.{name}", option, schema


def test_every_option_of_a_bundled_plugin_is_described() -> None:
    described = {(plugin, option): bool(schema.get("description")) for plugin, option, schema in _options()}
    assert described
    assert [key for key, has_words in described.items() if not has_words] == []


def test_the_profiles_that_are_shipped_are_fine_in_an_editor() -> None:
    schema = profile_schema(PluginHost(bundled))
    profiles = sorted((CHECKOUT / "profiles").glob("*.yaml"))
    assert len(profiles) >= 4
    for profile in profiles:
        text = profile.read_text(encoding="utf-8")
        assert text.startswith("# yaml-language-server: $schema=../schemas/editor/profile.schema.json\n")
        assert _problems(schema, text) == [], profile.name
