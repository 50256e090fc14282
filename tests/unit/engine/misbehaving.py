"""Plugins that do what a native decoder may do, chosen by the name of the file. Worker processes import this."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import msgspec

from syncengine.api import AppliedTransform, Asset, Deduplicator, FatalError, ItemError, Match, PluginOptions, Transform


class Obedient(Transform[PluginOptions]):
    """Does what the stem of the asset's name says; ``*.txt`` is not accepted."""

    def accepts(self, asset: Asset) -> bool:
        if asset.name == "confused.jpg":
            raise KeyError("confused")
        return not asset.name.endswith(".txt")

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        act: Callable[[Asset, Path], Asset] = getattr(self, asset.name.partition(".")[0])
        return act(asset, workdir)

    def upper(self, asset: Asset, workdir: Path) -> Asset:
        made = workdir / "made.out"
        made.write_bytes(asset.path.read_bytes().upper())
        applied = (*asset.applied, AppliedTransform(name="upper"))
        return msgspec.structs.replace(asset, path=made, name="made.out", size=1, sha256=b"?", applied=applied)

    def slow(self, asset: Asset, workdir: Path) -> Asset:
        time.sleep(0.1)
        return self.upper(asset, workdir)

    def same(self, asset: Asset, workdir: Path) -> Asset:
        return msgspec.structs.replace(asset, size=99)

    def hang(self, asset: Asset, workdir: Path) -> Asset:
        (workdir / "half").write_bytes(b"half")
        time.sleep(600)
        return asset

    def deaf(self, asset: Asset, workdir: Path) -> Asset:
        """Compute in C for hours, without a look at Python's signals."""
        hashlib.pbkdf2_hmac("sha256", b"", b"", (1 << 31) - 1)
        return asset

    def crash(self, asset: Asset, workdir: Path) -> Asset:
        (workdir / "half").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(600)
        return asset

    def leave(self, asset: Asset, workdir: Path) -> Asset:
        os._exit(3)

    def quit(self, asset: Asset, workdir: Path) -> Asset:
        raise SystemExit(4)

    def eat(self, asset: Asset, workdir: Path) -> Asset:
        (workdir / "half").write_bytes(b"half")
        return msgspec.structs.replace(asset, name=str(len(bytearray(8 << 30))))

    def refuse(self, asset: Asset, workdir: Path) -> Asset:
        raise ItemError("cannot decode: it is a sandwich")

    def stumble(self, asset: Asset, workdir: Path) -> Asset:
        warnings.warn("wobbly", RuntimeWarning, stacklevel=1)
        raise TypeError("unsupported operand")

    def full(self, asset: Asset, workdir: Path) -> Asset:
        raise OSError(errno.ENOSPC, "No space left on device", str(workdir / "made.out"))

    def fatal(self, asset: Asset, workdir: Path) -> Asset:
        raise FatalError("licence ran out", advice="buy one")

    def nothing(self, asset: Asset, workdir: Path) -> Asset:
        return None  # type: ignore[return-value]  # the contract broken on purpose

    def absent(self, asset: Asset, workdir: Path) -> Asset:
        return msgspec.structs.replace(asset, path=workdir / "never-made")

    def empty(self, asset: Asset, workdir: Path) -> Asset:
        made = workdir / "empty"
        made.touch()
        return msgspec.structs.replace(asset, path=made)

    def outside(self, asset: Asset, workdir: Path) -> Asset:
        return msgspec.structs.replace(asset, path=Path("/etc/hostname"))

    def link(self, asset: Asset, workdir: Path) -> Asset:
        made = workdir / "link"
        made.symlink_to("/etc/hostname")
        return msgspec.structs.replace(asset, path=made)

    def pid(self, asset: Asset, workdir: Path) -> Asset:
        made = workdir / "made.pid"
        made.write_text(str(os.getpid()))
        return msgspec.structs.replace(asset, path=made, name=str(os.getpid()))


class FirstBytes(Deduplicator[PluginOptions]):
    """Decodes, by its own word; fails for content that begins with ``bad``."""

    decodes = True

    @property
    def method(self) -> str:
        return f"first-{self.stage}"

    def fingerprint(self, asset: Asset) -> bytes | None:
        data = asset.path.read_bytes()
        if data.lower().startswith(b"bad"):
            raise RuntimeError("no such image")
        if data.lower().startswith(b"long"):
            return data * 100
        return data[:4] if asset.name != "same.doc" else None

    def match(self, fingerprint: bytes) -> Match | None:
        return None


class LastBytes(FirstBytes):
    stage = "final"


class Plain(FirstBytes):
    decodes = False


class Unsendable(Obedient):
    def __init__(self, options: PluginOptions) -> None:
        super().__init__(options)
        self.callback = lambda: None


class Lost(Obedient):
    """Can be sent, but not received."""

    def __reduce__(self) -> tuple[object, ...]:
        return _only_in, (os.getpid(),)


def _only_in(pid: int) -> Lost:
    if pid != os.getpid():
        raise ImportError("not installed here")
    return Lost(PluginOptions())
