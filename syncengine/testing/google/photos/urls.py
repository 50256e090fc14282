"""``baseUrl``: addresses of bytes that open for an hour, and what their suffixes mean."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal

from syncengine.testing.google.content.bytes import BytesContent, Content
from syncengine.testing.google.content.samples import jpeg
from syncengine.testing.google.control.clock import Clock
from syncengine.testing.google.control.effects import ExpiredUrl
from syncengine.testing.google.drive.ranges import ranged
from syncengine.testing.google.photos.items import PhotoItem, Photos
from syncengine.testing.google.wire.message import Answer, Request
from syncengine.testing.google.wire.problems import ApiError
from syncengine.testing.google.wire.routing import MEDIA

LIFE = 3600
Kind = Literal["library", "picker"]
_SIZE = re.compile(r"(?:w\d+|h\d+|s\d+|c|no|d|dv|k|p|-)+")


@dataclass(frozen=True)
class SignedName:
    """What a URL stands for.

    Args:
        item_id: which item.
        issued: when it was handed out, seconds since 1970.
        generation: how often all URLs had been withdrawn by then.
    """

    item_id: str
    issued: int
    generation: int


class MediaUrls:
    """Hands out URLs and opens them.

    ``life`` is in seconds.

    Args:
        photos: the items.
        clock: by which URLs age.
    """

    def __init__(self, photos: Photos, clock: Clock) -> None:
        self._photos = photos
        self._clock = clock
        self._generation = 0
        self.life = LIFE

    def expire_all(self) -> None:
        """Withdraw every URL that was handed out so far."""
        self._generation += 1

    def base_url(self, request: Request, item: PhotoItem, kind: Kind) -> str:
        """A fresh URL, as the asking client reaches it.

        Args:
            request: who asks.
            item: what for.
            kind: the Picker's need the ``Authorization`` header.
        """
        text = f"{item.id}.{int(self._clock.now())}.{self._generation}"
        place = "lr" if kind == "library" else "ppa"
        return f"{request.base(MEDIA)}/{place}/{text}.{_signature(place, text)}"

    def open(self, request: Request, kind: Kind) -> Answer:
        """The bytes behind a URL.

        Raises:
            ApiError: 403, it is too old or forged or has no suffix; 404, the item is gone.
        """
        name, _, suffix = request.parts["name"].partition("=")
        signed = self._read(name, "lr" if kind == "library" else "ppa")
        old = signed is None or self._clock.now() - signed.issued >= self.life
        if signed is None or old or signed.generation != self._generation or request.effect(ExpiredUrl) is not None:
            raise ApiError(403, "Your client does not have permission to get this URL from this server.")
        item = self._photos.items.get(signed.item_id)
        if item is None:
            raise ApiError(404, "The requested URL was not found on this server.")
        content, mime_type = _rendition(item, suffix)
        named = f'attachment;filename="{item.filename}"'
        etag = f'"{hashlib.sha256(signed.item_id.encode()).hexdigest()[:8]}"'
        headers = {"Content-Type": mime_type, "Content-Disposition": named, "Cache-Control": "private, max-age=86400"}
        return ranged(request, content, headers, etag)

    def _read(self, name: str, place: str) -> SignedName | None:
        """Take a URL's name apart; ``None`` when it is none of ours."""
        text, _, signature = name.rpartition(".")
        if not hmac.compare_digest(signature.encode(), _signature(place, text).encode()):
            return None
        item_id, issued, generation = text.split(".")
        return SignedName(item_id, int(issued), int(generation))


def _signature(place: str, text: str) -> str:
    return hmac.new(b"emulator", f"{place}:{text}".encode(), hashlib.sha256).hexdigest()[:24]


def _rendition(item: PhotoItem, suffix: str) -> tuple[Content, str]:
    """What a suffix asks for: the download, the video, or a picture of some size.

    Raises:
        ApiError: the suffix is missing or unknown (403), or the video is not ready (404).
    """
    wanted = suffix.split("-")
    if not suffix or not _SIZE.fullmatch(suffix):
        raise ApiError(403, "A baseUrl needs its parameters.")
    if "dv" in wanted:
        if item.is_video and item.status != "READY":
            raise ApiError(404, "The video is not ready.")
        if not item.is_video and item.transcoded is None:
            raise ApiError(404, "This item has no video.")
        return item.transcoded or item.content, item.mime_type if item.is_video else "video/mp4"
    if "d" in wanted and not item.is_video:
        return item.content, item.mime_type
    picture = jpeg(f"{item.id} {suffix}")
    return BytesContent(picture.read(0, picture.size)), "image/jpeg"
