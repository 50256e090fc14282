"""What is done to the image of one item: transforms, a checksum, fingerprints. A pure function of its arguments.

It runs in a worker process, and it is one of the engine's two borders: whatever a plugin lets out is caught here and
fails this item alone.
"""

from __future__ import annotations

import errno
import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from syncengine.api import Asset, Deduplicator, FatalError, ItemError, Transform

T = TypeVar("T")

AnyTransform = Transform[Any]
AnyDeduplicator = Deduplicator[Any]

_LONGEST_FINGERPRINT = 64
_LONGEST_REASON = 300
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_log = logging.getLogger(__name__)


class Worked(msgspec.Struct, frozen=True, kw_only=True):
    """What came out of the image work on one item.

    Args:
        assets: the file to store; the untouched original when nothing was changed or something failed.
        fingerprints: by method, of the deduplicators that decode; ``None`` where one does not cover the file.
        failure: why a transform could not do its work; empty when all went well.
        notes: remarks for the report, such as a fingerprint that could not be taken.
    """

    assets: tuple[Asset, ...]
    fingerprints: dict[str, bytes | None] = {}
    failure: str = ""
    notes: tuple[str, ...] = ()


def needs_work(asset: Asset, transforms: Sequence[AnyTransform], deduplicators: Sequence[AnyDeduplicator]) -> bool:
    """Return whether ``work_on`` would have something to do.

    A transform that cannot even answer is given the work, where what is wrong with it is reported.
    """
    if any(deduplicator.decodes for deduplicator in deduplicators):
        return True
    try:
        return any(_accepts(transform, asset) for transform in transforms)
    except ItemError:
        return True


def work_on(
    asset: Asset, transforms: Sequence[AnyTransform], deduplicators: Sequence[AnyDeduplicator], workdir: Path
) -> Worked:
    """Run the transforms in order, then take the fingerprints that need decoding.

    Args:
        asset: the fetched file; it stays as it is.
        transforms: in order; each sees what the one before it made.
        deduplicators: those with ``decodes`` are asked for a fingerprint, at the stage that they name.
        workdir: a directory for this item alone, made when a transform has something to do; the caller removes it.

    Returns:
        The outcome; a failure is a part of it.

    Raises:
        FatalError: the disk of ``workdir`` is full or read-only, or a plugin says that the run cannot go on.
    """
    try:
        final = _transformed(asset, transforms, workdir)
    except ItemError as error:
        return Worked(assets=(asset,), failure=error.reason)
    fingerprints: dict[str, bytes | None] = {}
    notes: list[str] = []
    for deduplicator in deduplicators:
        if deduplicator.decodes:
            seen = asset if deduplicator.stage == "fetched" else final
            try:
                fingerprints[deduplicator.method] = _fingerprint(deduplicator, seen)
            except ItemError as error:
                fingerprints[deduplicator.method] = None
                notes.append(f"no fingerprint for near duplicates: {error.reason}")
    return Worked(assets=(final,), fingerprints=fingerprints, notes=tuple(notes))


def _transformed(asset: Asset, transforms: Sequence[AnyTransform], workdir: Path) -> Asset:
    current = asset
    for transform in transforms:
        if _accepts(transform, current):
            made = _applied(transform, current, workdir)
            if current.path != asset.path:
                current.path.unlink(missing_ok=True)
            current = made
    return current


def _accepts(transform: AnyTransform, asset: Asset) -> bool:
    return _at_border(f"transform {_name(transform)}", lambda: transform.accepts(asset))


def _applied(transform: AnyTransform, asset: Asset, workdir: Path) -> Asset:
    """Return what the transform made, measured by the engine, not by the transform."""
    label = f"transform {_name(transform)}"
    try:
        workdir.mkdir(exist_ok=True)
    except OSError as error:
        raise _cannot_write(workdir, error) from error
    made = _at_border(label, lambda: transform.apply(asset, workdir))
    return _at_border(label, lambda: _measured(label, asset, made, workdir))


def _measured(label: str, before: Asset, made: object, workdir: Path) -> Asset:
    if not isinstance(made, Asset):
        raise ItemError(f"{label} returned {type(made).__name__}, not an asset")
    if made.path == before.path:
        return msgspec.structs.replace(made, item=before.item, size=before.size, sha256=before.sha256)
    if made.path.is_symlink() or not made.path.is_file() or made.path.resolve().parent != workdir.resolve():
        raise ItemError(f"{label} did not leave a file in its working directory")
    with made.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
        size = stream.tell()
    if size == 0:
        raise ItemError(f"{label} made an empty file")
    return msgspec.structs.replace(made, item=before.item, size=size, sha256=digest)


def _fingerprint(deduplicator: AnyDeduplicator, asset: Asset) -> bytes | None:
    label = f"deduplicator {_name(deduplicator)}"
    fingerprint = _at_border(label, lambda: deduplicator.fingerprint(asset))
    if fingerprint is not None and not (isinstance(fingerprint, bytes) and len(fingerprint) <= _LONGEST_FINGERPRINT):
        raise ItemError(f"{label} gave a fingerprint that is not at most {_LONGEST_FINGERPRINT} bytes")
    return fingerprint


def _at_border(label: str, call: Callable[[], T]) -> T:
    """Call into a plugin; anything unexpected becomes an ``ItemError`` that names the plugin."""
    try:
        return call()
    except (ItemError, FatalError, MemoryError):
        raise
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise _cannot_write(error.filename or "a temporary file", error) from error
        raise _unexpected(label, error) from error
    except Exception as error:
        raise _unexpected(label, error) from error


def _unexpected(label: str, error: Exception) -> ItemError:
    _log.error("%s failed", label, exc_info=error)
    text = " ".join(str(error).split())[:_LONGEST_REASON]
    return ItemError(f"internal error in {label}: {type(error).__name__}: {text}")


def _cannot_write(what: object, error: OSError) -> FatalError:
    return FatalError(
        f"image work cannot write {what}: {error.strerror}",
        advice="see that there is space and that it may be written, then run again; what is done stays done",
    )


def _name(plugin: object) -> str:
    return type(plugin).__name__
