"""The form of a profile that is right, as Structs.

``schemas/profile.schema.json`` is what a profile is judged by. These Structs take nothing that it refuses, so what
they take need not be judged at all: importing jsonschema is a fifth of what a run with nothing to do takes to begin.
What they refuse may still be right (two metadata formats, say); the schema decides, and says what is wrong.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

_Stage = str | Annotated[dict[str, Any], Meta(min_length=1, max_length=1)]
_Texts = list[Annotated[str, Meta(min_length=1)]]


class _Keys(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping with fixed keys."""


class _Taken(_Keys):
    after: str | None = None
    before: str | None = None


class _Exclude(_Keys):
    names: _Texts = []
    states: list[Literal["archived", "trashed", "locked", "partner-shared"]] = []


class _Select(_Keys):
    albums: _Texts = []
    kinds: list[Literal["photo", "video", "other"]] = []
    taken: _Taken | None = None
    favorites: bool = False
    exclude: _Exclude | None = None


class _Layout(_Keys):
    path: str = ""
    albums: Literal["auto", "hardlink", "symlink", "copy", "manifest", "none"] = "auto"
    metadata: Annotated[list[Literal["json", "xmp"]], Meta(max_length=1)] = []


class _Sync(_Keys):
    mode: Literal["additive", "mirror"] = "additive"
    max_delete: Annotated[int, Meta(ge=0)] | Annotated[str, Meta(pattern=r"^[0-9]{1,3}(\.[0-9]+)? ?%$")] = 0
    trash_days: Annotated[int, Meta(ge=1, le=3650)] = 30


class _Execution(_Keys):
    downloads: Annotated[int, Meta(ge=1, le=64)] = 5
    workers: Literal["auto"] | Annotated[int, Meta(ge=1, le=256)] = "auto"
    bandwidth: str | float | None = None
    item_timeout: Annotated[float, Meta(ge=1, le=86400)] = 300
    item_memory: str | float = ""


class _State(_Keys):
    when_damaged: Literal["stop", "rebuild"] = "stop"


class _Logging(_Keys):
    level: str = ""


class Envelope(_Keys, kw_only=True):
    """A whole profile, but for what stands below the plugins' names."""

    version: Literal[1]
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = ""
    source: _Stage
    select: _Select | None = None
    transforms: list[_Stage] | None = None
    dedup: list[_Stage] | None = None
    destination: _Stage
    layout: _Layout | None = None
    sync: _Sync | None = None
    execution: _Execution | None = None
    state: _State | None = None
    schedule: str | None = None
    timezone: str | None = None
    notify: list[_Stage] | None = None
    logging: _Logging | None = None
