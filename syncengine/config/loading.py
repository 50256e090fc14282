"""Reads a profile from its file: text, tree, variables, validation, values; top to bottom in ``load_profile``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from syncengine.api import ItemState, Kind, Selection
from syncengine.config import schema_files
from syncengine.config.document import lookup, parse
from syncengine.config.envelope import Envelope
from syncengine.config.findings import Findings
from syncengine.config.interpolation import environment
from syncengine.config.path_template import path_template
from syncengine.config.profile import Execution, Layout, Profile, Sync
from syncengine.config.quantities import day, most, rate, size, timetable
from syncengine.config.stages import PluginCatalog, StageReader
from syncengine.config.text import read_text
from syncengine.config.timezone import local_zone, zone
from syncengine.config.validation import judge

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def load_profile(path: Path, plugins: PluginCatalog, *, environ: Mapping[str, str] | None = None) -> Profile:
    """Return the profile in a file, validated down to every plugin's options.

    Args:
        path: the file, as the user named it; messages name it so.
        plugins: what is installed.
        environ: the environment; the process's own when ``None``. A ``.env`` beside the profile and one in the
            working directory add to it.

    Raises:
        ConfigError: with every problem of the file, in its order.
    """
    document = parse(read_text(path), str(path))
    variables = environment(path, environ)
    findings = Findings(document.root, str(path), document.problems)
    findings.interpolate(variables)
    judge(findings, document.root, (), schema_files.schema(schema_files.PROFILE), form=Envelope)
    stages = StageReader(findings, plugins)
    source, destination = stages.one("source"), stages.one("destination")
    parts: dict[str, Any] = {
        "name": _name(findings, path),
        "select": _selection(findings),
        "transforms": stages.listed("transforms", "transform"),
        "dedup": stages.listed("dedup", "dedup"),
        "layout": _layout(findings),
        "sync": _sync(findings),
        "execution": _execution(findings),
        "rebuild_damaged_state": findings.read(("state", "when_damaged"), str, "stop") == "rebuild",
        "zone": _zone(findings, variables),
        "schedule": findings.read(("schedule",), timetable, None),
        "observers": stages.observers(),
        "log_level": findings.read(("logging", "level"), _level, None),
    }
    stages.each_once("dedup")
    findings.raise_if_any()
    assert source is not None  # nosec B101: a missing one is a finding
    assert destination is not None  # nosec B101: likewise
    return Profile(file=path, source=source, destination=destination, **parts)


def _name(findings: Findings, path: Path) -> str:
    given = lookup(findings.root, ("name",))
    if given is None and not _NAME.fullmatch(path.stem):
        findings.add((), f"the file's name cannot be the profile's ('{path.stem}'); give it a name with the key 'name'")
    return findings.read(("name",), str, path.stem)


def _selection(findings: Findings) -> Selection:
    after = findings.read(("select", "taken", "after"), day, None)
    before = findings.read(("select", "taken", "before"), day, None)
    if after is not None and before is not None and after >= before:
        findings.add(
            ("select", "taken"),
            f"nothing is after {after} and before {before}; 'before' must be a later day",
            at_key=True,
        )
    return Selection(
        albums=findings.read(("select", "albums"), tuple, ()),
        kinds=findings.read(("select", "kinds"), _each(Kind), ()),
        after=after,
        before=before,
        favorites=findings.read(("select", "favorites"), bool, False),
        exclude_names=findings.read(("select", "exclude", "names"), tuple, ()),
        exclude_states=findings.read(("select", "exclude", "states"), _each(ItemState), ()),
    )


def _layout(findings: Findings) -> Layout:
    default = Layout()
    return Layout(
        path=findings.read(("layout", "path"), path_template, default.path),
        albums=findings.read(("layout", "albums"), _same, default.albums),
        metadata=findings.read(("layout", "metadata"), tuple, default.metadata),
    )


def _sync(findings: Findings) -> Sync:
    default = Sync()
    return Sync(
        mode=findings.read(("sync", "mode"), _same, default.mode),
        max_delete=findings.read(("sync", "max_delete"), most, default.max_delete),
        trash_days=findings.read(("sync", "trash_days"), int, default.trash_days),
    )


def _execution(findings: Findings) -> Execution:
    default = Execution()
    return Execution(
        downloads=findings.read(("execution", "downloads"), int, default.downloads),
        workers=findings.read(("execution", "workers"), _workers, None),
        bandwidth=findings.read(("execution", "bandwidth"), rate, None),
        item_timeout=findings.read(("execution", "item_timeout"), float, default.item_timeout),
        item_memory=findings.read(("execution", "item_memory"), size, default.item_memory),
    )


def _zone(findings: Findings, environ: Mapping[str, str]) -> ZoneInfo:
    named = findings.read(("timezone",), zone, None)
    return named if named is not None else local_zone(environ)


def _workers(value: int | str) -> int | None:
    return value if isinstance(value, int) else None


def _level(value: str) -> str:
    if value.upper() not in _LEVELS:
        raise ValueError(f"expected one of {', '.join(_LEVELS)}")
    return value.upper()


def _each(kind: Callable[[Any], Any]) -> Callable[[list[Any]], tuple[Any, ...]]:
    return lambda values: tuple(kind(value) for value in values)


def _same(value: Any) -> Any:
    return value
