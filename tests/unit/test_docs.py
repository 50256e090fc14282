"""Whatever a user can name is documented: commands, their options, plugins, their options, hooks, keys, variables."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from syncengine.api import KINDS, PluginKind, options_schema
from syncengine.api.hooks import Hooks
from syncengine.cli import exit_codes
from syncengine.cli.entry import COMMANDS, cli
from syncengine.host import PluginHost, bundled

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(document: str, title: str) -> str:
    """The part of a document below one of its headings, up to the next heading of that rank or a higher one."""
    found = re.search(rf"^(#+) {re.escape(title)}$", document, re.MULTILINE)
    assert found, f"there is no heading {title!r}"
    rest = document[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_its_options(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert f"`syncengine {name}" in text("README.md")
    described = section(text("docs/commands.md"), name)
    assert f"`syncengine {name}" in described
    options = [
        option for parameter in command.params if parameter.param_type_name == "option" for option in parameter.opts
    ]
    assert [option for option in options if f"`{option}" not in described] == []


def test_the_options_of_all_commands_are_documented() -> None:
    general = text("docs/commands.md").partition("\n## ")[0]
    options = [option for parameter in cli.params for option in parameter.opts]
    assert [option for option in options if f"`{option}" not in general] == []


def test_no_command_is_documented_that_is_not_there() -> None:
    there = set(COMMANDS)
    for name in ("README.md", "docs/commands.md", "docs/guide.md", "docs/profile.md", "docs/plugins.md"):
        named = set(re.findall(r"`(?:\.venv/bin/)?syncengine ([a-z]+)", text(name)))
        named |= set(re.findall(r"^(?:\.venv/bin/)?syncengine ([a-z]+)", text(name), re.MULTILINE))
        assert named <= there, f"{name} names {named - there}"


def test_every_exit_code_is_documented() -> None:
    codes = [value for value in vars(exit_codes).values() if isinstance(value, int)]
    described = section(text("docs/commands.md"), "Exit codes")
    assert [code for code in codes if f"| {code} |" not in described] == []


def plugins() -> list[tuple[PluginKind, str]]:
    host = PluginHost(bundled)
    return [(kind, name) for kind in KINDS for name in host.names(kind)]


@pytest.mark.parametrize(("kind", "name"), plugins())
def test_every_plugin_is_documented_with_its_options(kind: PluginKind, name: str) -> None:
    plugin = PluginHost(bundled).get(kind, name)
    described = section(text("docs/profile.md"), name)
    options = options_schema(plugin.Options).get("properties", {})
    assert [option for option in options if f"`{option}`" not in described] == []


def leaves(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key of a profile that holds a value, not further keys."""
    for key, value in schema["properties"].items():
        if "properties" in value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def test_every_key_of_a_profile_is_documented() -> None:
    document = text("docs/profile.md")
    found = list(leaves(json.loads(text("schemas/profile.schema.json"))))
    assert ("select", "taken", "after") in found
    assert [
        path for path in found if len(path) > 1 and f"`{'.'.join(path[1:])}`" not in section(document, path[0])
    ] == []
    assert all(section(document, path[0]).strip() for path in found)


def test_every_hook_is_documented() -> None:
    document = text("docs/plugins.md")
    hooks = [
        f"{name}({', '.join(parameter for parameter in inspect.signature(function).parameters if parameter != 'self')})"
        for name, function in vars(Hooks).items()
        if name.startswith("syncengine_")
    ]
    assert len(hooks) == 4
    assert [hook for hook in hooks if f"`{hook}`" not in document] == []


def test_every_variable_is_documented() -> None:
    document = section(text("docs/profile.md"), "Environment variables")
    used = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", text(".env.example"), re.MULTILINE))
    for profile in (ROOT / "profiles").glob("*.yaml"):
        used |= set(re.findall(r"\$\{([A-Z_]+)", profile.read_text(encoding="utf-8")))
    assert "BACKUP_DESTINATION" in used
    assert [name for name in sorted(used) if f"`{name}`" not in document] == []


def test_every_name_of_the_api_has_a_docstring() -> None:
    import syncengine.api

    things = [getattr(syncengine.api, name) for name in syncengine.api.__all__]
    classes = [thing for thing in things if inspect.isclass(thing)]
    assert len(classes) > 20
    methods = [
        method
        for thing in classes
        for name, method in vars(thing).items()
        if inspect.isfunction(method) and not name.startswith("_") and method.__module__.startswith("syncengine")
    ]
    assert [thing.__qualname__ for thing in (*classes, *methods) if not inspect.getdoc(thing)] == []


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text(encoding="utf-8")):
        if target.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), f"{document.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_decision_is_listed() -> None:
    listed = text("docs/decisions/README.md")
    pages = [page.name for page in (DOCS / "decisions").glob("*.md") if page.name != "README.md"]
    assert len(pages) > 5
    assert [page for page in pages if f"({page})" not in listed] == []
