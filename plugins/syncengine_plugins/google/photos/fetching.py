"""Fetching the bytes of a photo or video by an address that may be too old, and looking whether they can be right."""

from __future__ import annotations

from syncengine.api import ItemError, Kind, MediaItem, RetryableError, Sink
from syncengine_plugins.google.answers import GoogleAnswerError
from syncengine_plugins.google.call import Call
from syncengine_plugins.google.download import Download
from syncengine_plugins.google.photos.addresses import Addresses
from syncengine_plugins.google.photos.ending import Ending
from syncengine_plugins.google.photos.oddities import Oddities
from syncengine_plugins.google.session import GoogleSession

#: What an address that is too old, or not any more the user's, is answered with.
_TOO_OLD = frozenset({400, 401, 403, 404, 410})
_NO_MEDIA = ("text/", "application/json", "application/xml")
_TRIES = 3


class PhotoFetcher:
    """Fetches from Google's servers of photo bytes. May be used from several threads.

    Args:
        session: asks.
        api: whose limits the requests count against.
        bearer: the addresses open only to the signed-in user.
    """

    def __init__(self, session: GoogleSession, api: str, *, bearer: bool) -> None:
        self._session = session
        self._api = api
        self._bearer = bearer
        self._oddities = Oddities()

    def fetch(self, item: MediaItem, addresses: Addresses, into: Sink) -> None:
        """Write the bytes of an item.

        Args:
            item: a photo, or a video that is ready.
            addresses: where it is.
            into: takes the bytes.

        Raises:
            ItemError: refused, or the answer is something else.
            RetryableError: cut, or out of reach for a moment.
        """
        address = addresses.of(item.id)
        try:
            self._take(item, address, into)
        except GoogleAnswerError as error:
            if error.status not in _TOO_OLD:
                raise
            self._take(item, addresses.instead_of(address, item.id), into)

    def _take(self, item: MediaItem, address: str, into: Sink) -> None:
        call = Call(
            what=f"the bytes of {item.name}",
            url=f"{address}={'dv' if item.kind is Kind.VIDEO else 'd'}",
            api=self._api,
            bearer=self._bearer,
            tries=_TRIES,
        )
        with self._session.stream(call) as download:
            _check_type(item, download)
            ending = Ending()
            for piece in download.chunks():
                ending.add(piece)
                into.write(piece)
        self._check(item, download, ending)

    def _check(self, item: MediaItem, download: Download, ending: Ending) -> None:
        if not ending.size:
            raise RetryableError(f"the bytes of {item.name}: Google sent none")
        if download.length is not None and download.length != ending.size:
            raise RetryableError(f"the bytes of {item.name}: {ending.size:,} came of {download.length:,}")
        wrong = ending.oddity()
        if wrong and not self._oddities.is_known(item.id, ending.mark()):
            raise RetryableError(f"the bytes of {item.name} look incomplete: {wrong}")


def _check_type(item: MediaItem, download: Download) -> None:
    """Refuse what is no photo or video; Google has answered with pages for people, and with pictures of videos."""
    content_type = download.headers.get("Content-Type", "").strip().lower()
    if content_type.startswith(_NO_MEDIA):
        raise RetryableError(f"the bytes of {item.name}: Google sent {content_type.partition(';')[0]} instead")
    if item.kind is Kind.VIDEO and content_type.startswith("image/"):
        raise ItemError(f"Google sent a picture instead of the video {item.name}", advice="the next run tries again")


def refuse_unready(name: str, status: str) -> None:
    """Raise ``ItemError`` for a video that Google has not made ready, by ``video.status`` or ``processingStatus``."""
    if status == "PROCESSING":
        raise ItemError(f"Google is still processing the video {name}", advice="the next run tries again")
    if status == "FAILED":
        raise ItemError(
            f"Google could not process the video {name} and hands out nothing of it", advice="get it with Takeout"
        )
