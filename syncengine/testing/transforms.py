"""A transform that does what native decoders do on a bad day; for tests of the engine's workers."""

from __future__ import annotations

import os
import signal
import threading
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec

from syncengine.api import AppliedTransform, Asset, ItemError, Meta, PluginOptions, Transform

_BLOCK = 64 << 20
_PAGE = 4096

Mode = Literal["hang", "crash", "eat-memory", "raise", "item-error", "wrong-size", "no-file", "none"]


class MisbehavingOptions(PluginOptions, frozen=True):
    """Options of ``misbehaving``."""

    mode: Annotated[Mode, Meta(description="What it does; none: it behaves.")]
    names: Annotated[str, Meta(description="Glob of the names that it misbehaves on; it behaves on others.")] = "*"
    most_memory: Annotated[
        int, Meta(ge=0, description="Bytes after which eat-memory gives up, where nobody stops it.")
    ] = (8 << 30)


class Misbehaving(Transform[MisbehavingOptions]):
    """Accepts everything. Where it behaves, it returns the bytes reversed as ``<stem>.reversed<ext>``."""

    Options = MisbehavingOptions

    def accepts(self, asset: Asset) -> bool:
        """Accept everything."""
        del asset
        return True

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        """Misbehave, or reverse the bytes."""
        mode = self.options.mode if fnmatchcase(asset.name, self.options.names) else "none"
        if mode == "hang":
            _hang()
        if mode == "crash":
            _crash()
        if mode == "eat-memory":
            _eat_memory(self.options.most_memory)
        if mode == "raise":
            raise RuntimeError("misbehaving transform: raised on purpose")
        if mode == "item-error":
            raise ItemError(f"{asset.name} cannot be read (on purpose)")
        name = Path(asset.name)
        target = workdir / f"{name.stem}.reversed{name.suffix}"
        content = asset.path.read_bytes()[::-1]
        if mode != "no-file":
            target.write_bytes(content)
        return msgspec.structs.replace(
            asset,
            path=target,
            name=target.name,
            size=len(content) + 1 if mode == "wrong-size" else 0,
            sha256=b"",
            applied=(*asset.applied, AppliedTransform(name="misbehaving", options=msgspec.to_builtins(self.options))),
        )


def _hang() -> NoReturn:
    while True:
        threading.Event().wait(3600)


def _crash() -> None:
    # As a native library would: no exception, no clean-up.
    os.kill(os.getpid(), signal.SIGSEGV)


def _eat_memory(most: int) -> NoReturn:
    eaten = []
    for _ in range(most // _BLOCK):
        block = bytearray(_BLOCK)
        # Only a page that was written to counts as used.
        block[::_PAGE] = b"\1" * (_BLOCK // _PAGE)
        eaten.append(block)
    raise RuntimeError(f"misbehaving transform: used {most} bytes, and nobody stopped it")
