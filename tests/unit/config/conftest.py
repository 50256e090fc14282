"""Plugins with every kind of option, and a way to load a profile from a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from syncengine.api import (
    Album,
    Asset,
    Capabilities,
    Deduplicator,
    Destination,
    Inventory,
    Match,
    MediaItem,
    Meta,
    PluginOptions,
    Registry,
    Selection,
    Sink,
    Source,
    Transform,
    hookimpl,
)
from syncengine.config.loading import load_profile
from syncengine.config.profile import Profile
from syncengine.host import PluginHost

Load = Callable[..., Profile]


class ArchiveOptions(PluginOptions):
    """A folder of archives.

    Args:
        path: where they are.
    """

    path: Annotated[str, Meta(description="Where the archives are.", min_length=1)]
    token: str = ""


class Archive(Source[ArchiveOptions]):
    Options = ArchiveOptions

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        return iter(())

    def inventory(self) -> Inventory:
        return Inventory()

    def fetch(self, item: MediaItem, into: Sink) -> None:
        raise NotImplementedError

    def albums(self) -> Iterator[Album]:
        return iter(())


class Border(PluginOptions):
    """A frame around the picture."""

    width: Annotated[int, Meta(ge=0)] = 1
    colour: str | None = None


class JpegOptions(PluginOptions):
    quality: Annotated[int, Meta(ge=1, le=100, description="JPEG quality.")] = 95
    keep_original: bool | Literal["when-lossy"] = False
    subsampling: Literal["4:4:4", "4:2:0"] = "4:2:0"
    border: Border | None = None
    sharpness: Annotated[float, Meta(gt=0)] = 1.0

    def __post_init__(self) -> None:
        if self.keep_original is True and self.quality == 100:
            raise ValueError("quality 100 and keep_original do the same work twice")


class ToJpeg(Transform[JpegOptions]):
    Options = JpegOptions

    def accepts(self, asset: Asset) -> bool:
        return False

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        return asset


class Exact(Deduplicator[PluginOptions]):
    @property
    def method(self) -> str:
        return "exact-1"

    def fingerprint(self, asset: Asset) -> bytes | None:
        return None

    def match(self, fingerprint: bytes) -> Match | None:
        return None


class DiskOptions(PluginOptions):
    path: str


class Disk(Destination[DiskOptions]):
    Options = DiskOptions

    def open(self, *, create: bool = True) -> None:
        """Nothing to open."""

    identity = "disk"
    location = "disk"
    capabilities = Capabilities()

    def _unused(self, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError

    begin = flush = stat = list = read = link = move = remove = free_space = set_mtime = _unused


class TestPlugins:
    __test__ = False

    @hookimpl
    def syncengine_register(self, registry: Registry) -> None:
        registry.add("source", "takeout", Archive)
        registry.add("transform", "heic-to-jpeg", ToJpeg)
        registry.add("dedup", "sha256", Exact)
        registry.add("destination", "filesystem", Disk)


@pytest.fixture
def plugins() -> PluginHost:
    """A host that knows the plugins above and nothing else."""
    host = PluginHost(lambda: ())
    host.add_module(TestPlugins())
    return host


@pytest.fixture
def load(tmp_path: Path, plugins: PluginHost, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a profile from a text; its file is ``p.yaml`` in the working directory."""
    monkeypatch.chdir(tmp_path)

    def load_text(text: str | bytes, environ: Mapping[str, str] | None = None) -> Profile:
        content = text.encode() if isinstance(text, str) else text
        Path("p.yaml").write_bytes(content)
        return load_profile(Path("p.yaml"), plugins, environ=environ or {})

    return load_text
