"""What the names of media files and sidecars may mean, and whether a sidecar's title allows a media file's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from syncengine_plugins.sources.takeout.names import (
    SIDECAR_STEM_UNITS,
    SIDECAR_SUFFIX,
    Counted,
    NameKey,
    is_as_long_as,
    media_key,
    nfc,
    split_counter,
    split_end_counter,
    split_extension,
    title_keys,
)


class Agreement(IntEnum):
    """How well a sidecar's title goes with a media file's name."""

    CONTRADICTS = 0
    NO_TITLE = 1
    SAME_STEM = 2
    SAME_NAME = 3


class MediaFile:
    """A media file by its name, which is read both ways: with ``(n)`` as part of the title, and as Google's counter."""

    __slots__ = ("_readings", "keys", "name")

    def __init__(self, name: str, keys: Iterable[int] = ()) -> None:
        self.name = name
        self.keys = sorted(keys)
        self._readings: tuple[Counted, ...] = ()

    @property
    def readings(self) -> tuple[Counted, ...]:
        """The name in NFC: whole and, where it has a counter, without it."""
        if not self._readings:
            normal = nfc(self.name)
            plain = split_counter(normal)
            self._readings = (Counted(normal, 0), plain) if plain.counter else (plain,)
        return self._readings

    @property
    def plain(self) -> Counted:
        """The name in NFC without its counter, and the counter."""
        return self.readings[-1]


class Base(NamedTuple):
    """A media file's name as a sidecar's name tells it; ``sure`` when nothing of it can have been cut off."""

    name: str
    counter: int
    sure: bool


class Sidecar:
    """A sidecar by its name and title."""

    __slots__ = ("_bases", "_title_keys", "counter", "file_name", "instant", "keys", "stem", "title")

    def __init__(self, file_name: str, title: str, instant: int | None, keys: Iterable[int]) -> None:
        self.file_name = file_name
        self.title = title
        self.instant = instant
        self.keys = sorted(keys)
        self.stem, self.counter = split_end_counter(self._whole)
        if self.counter and nfc(title) == self._whole:
            self.stem, self.counter = self._whole, 0
        self._bases: tuple[Base, ...] = ()
        self._title_keys: frozenset[NameKey] | None = None

    @property
    def _whole(self) -> str:
        normal = nfc(self.file_name)
        return normal[:-5] if normal[-5:].lower() == ".json" else normal

    @property
    def bases(self) -> tuple[Base, ...]:
        """What the file name may say about the media file's name; ``(n)`` may belong to a title without extension."""
        if not self._bases:
            as_title = (Base(self._whole, 0, sure=False),) if self.counter else ()
            self._bases = (*_bases(self.stem, self.counter), *as_title)
        return self._bases

    @property
    def may_be_cut(self) -> bool:
        """Whether the name is as long as a cut one, in whichever normal form Google cut it."""
        return is_as_long_as(self.stem, SIDECAR_STEM_UNITS - 1)

    @property
    def title_keys(self) -> frozenset[NameKey]:
        """The names that the title allows for the media file; without a title, those that the file name tells."""
        if self._title_keys is None:
            titles = (self.title,) if self.title else (base.name for base in self.bases if base.sure)
            self._title_keys = frozenset(key for title in titles for key in title_keys(title))
        return self._title_keys

    def same_asset(self, other: Sidecar) -> bool:
        """Whether both tell of one photo: title and instant are known and equal."""
        mine, others = (self.title, self.instant), (other.title, other.instant)
        return mine == others and self.title != "" and self.instant is not None

    def agreement(self, media: MediaFile) -> Agreement:
        """Return how well the title goes with the media file's name."""
        if not self.title:
            return Agreement.NO_TITLE
        best = Agreement.CONTRADICTS
        for reading in media.readings:
            if reading.name == self.title:
                return Agreement.SAME_NAME
            key = media_key(reading.name)
            if key in self.title_keys:
                same = split_extension(reading.name)[1] == split_extension(self.title)[1]
                best = max(best, Agreement.SAME_NAME if same else Agreement.SAME_STEM)
            elif NameKey(key.stem, "") in self.title_keys:
                best = max(best, Agreement.SAME_STEM)
        return best


def _bases(stem: str, counter: int) -> Iterator[Base]:
    """Yield what the stem of a sidecar may say about its media file's name, any part of the suffix cut off or not."""
    may_be_cut = is_as_long_as(stem, SIDECAR_STEM_UNITS - 1)
    yield Base(stem, counter, sure=not may_be_cut and split_extension(stem)[1] != "")
    name, dot, tail = stem.rpartition(".")
    if name and (SIDECAR_SUFFIX.startswith(dot + tail) or tail == "metadata"):
        # A lone ".s" may be what is left of ".srw".
        yield Base(name, counter, sure=dot + tail == SIDECAR_SUFFIX or (len(tail) > 1 and may_be_cut))


class Found(NamedTuple):
    """The sidecar of a media file, the rule that found it, and the sidecars that say the same of it."""

    sidecar: Sidecar
    rule: str
    approximate: bool = False
    twins: tuple[Sidecar, ...] = ()
