"""What a plan is made of: profile, destination and options, as facts that show whether they changed since."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from syncengine import __version__
from syncengine.app.runs import RunRequest
from syncengine.config.profile import Profile, Stage
from syncengine.engine.parts import RunParts
from syncengine.engine.saved_plan.facts import Head, PlannedDestination, PlannedOptions, PlannedProfile
from syncengine.engine.saved_plan.making import contents_of
from syncengine.errors import ConfigError
from syncengine.security.redaction import redact

#: Options that may hold what nobody else is to know; not even a digest of them is written.
_SECRET = re.compile(r"token|secret|pass(word|phrase|wd)|(^|[_-])key|credential|cookie|auth|pin$", re.IGNORECASE)

#: Keys that a profile writes in another way than its value has them.
_AS_WRITTEN = {
    "zone": "timezone",
    "select.after": "select.taken.after",
    "select.before": "select.taken.before",
    "select.exclude_names": "select.exclude.names",
    "select.exclude_states": "select.exclude.states",
}
#: What does not decide what is done, only how quickly, when, and who is told.
_WITHOUT_EFFECT = frozenset({"file", "execution", "schedule", "observers", "log_level"})


def head_of(profile: Profile, request: RunRequest, parts: RunParts) -> Head:
    """Return what a plan begins with.

    Args:
        profile: that it is of.
        request: what the command line adds.
        parts: open.
    """
    return Head(
        made=datetime.now().astimezone().isoformat(timespec="seconds"),
        syncengine=__version__,
        profile=profile_facts(profile),
        destination=destination_facts(profile, parts),
        options=PlannedOptions(**{name: getattr(request, name) for name in PlannedOptions.__struct_fields__}),
    )


def profile_facts(profile: Profile) -> PlannedProfile:
    """Return what a plan remembers of its profile. Raises ``ConfigError`` when its file is gone."""
    path = Path(os.path.abspath(profile.file))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    return PlannedProfile(
        path=str(path),
        name=profile.name,
        sha256=hashlib.sha256(content).hexdigest(),
        settings=dict(_settings(profile)),
    )


def _settings(profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield each value that a profile ends up with, defaults included, as a digest under its key."""
    for field in profile.__struct_fields__:
        if field not in _WITHOUT_EFFECT:
            for key, digest in _leaves(field, getattr(profile, field)):
                yield _AS_WRITTEN.get(key, key), digest


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Stage):
        yield from _leaves(f"{key}.{value.name}", value.options)
    elif isinstance(value, tuple) and any(isinstance(one, Stage) for one in value):
        for place, stage in enumerate(value):
            yield from _leaves(f"{key}[{place}]", stage)
    elif isinstance(value, msgspec.Struct):
        yield from _leaves(key, {name: getattr(value, name) for name in value.__struct_fields__})
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not _SECRET.search(str(name)):
                yield from _leaves(f"{key}.{name}", inner)
    else:
        yield key, _digest(value)


def _digest(value: Any) -> str:
    text = redact(msgspec.json.encode(value, enc_hook=str, order="deterministic").decode())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def destination_facts(profile: Profile, parts: RunParts) -> PlannedDestination:
    """Return what a plan remembers of its destination."""
    contents, digest = contents_of(parts.state)
    runs = parts.state.runs(1)
    return PlannedDestination(
        plugin=profile.destination.name,
        location=parts.destination.location,
        identity=parts.destination.identity,
        contents=contents,
        sha256=digest,
        last_run=runs[0].run if runs else "",
    )
