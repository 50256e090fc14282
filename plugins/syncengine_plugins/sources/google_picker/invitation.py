"""What the person sees who is to pick: the link, and on a terminal a code for the phone's camera."""

from __future__ import annotations

import io
import sys
from urllib.parse import urlsplit

from syncengine.api import FatalError
from syncengine_plugins.google.endpoints import GoogleEndpoints

#: What is lost on this way; said at every sign-in and with every link.
PLAINLY = (
    "what you pick comes without its place (Google removes GPS), and videos come as Google encoded them anew; "
    "the originals are in Takeout"
)
_HOSTS = frozenset({"photos.google.com", "www.google.com", "accounts.google.com"})
_LONGEST = 2000
_BLOCKS = "█▀▄"


def checked_link(link: str, endpoints: GoogleEndpoints) -> str:
    """Return the link that Google gave, if it leads to Google.

    Raises:
        FatalError: it does not; nobody should be sent there.
    """
    try:
        if endpoints.origin:
            endpoints.check(link)
            return link
        parts = urlsplit(link)
        is_google = parts.scheme == "https" and parts.netloc in _HOSTS
    except ValueError:
        is_google = False
    if not is_google or not link.isascii() or not link.isprintable() or " " in link or len(link) > _LONGEST:
        raise FatalError(
            "the link to pick photos does not lead to Google, so it is not shown", advice="run again later"
        )
    return link


def invitation(link: str, account: str, minutes: int, *, with_code: bool) -> str:
    """Return the text that asks a person to pick.

    Args:
        link: to Google's page.
        account: who signed in, as far as it is known; the page opens only for them.
        minutes: how long the run waits.
        with_code: draw the link as a QR code as well.
    """
    whose = f" (signed in as {account})" if account else ""
    code = f"{drawn(link)}\n" if with_code else ""
    return (
        f"Pick the photos and videos to back up{whose}, 2,000 at most, and press Done:\n\n  {link}\n\n{code}"
        f"This run waits {minutes} minutes for it. Know that {PLAINLY}."
    )


def shows_codes() -> bool:
    """Return whether a person looks at a terminal that has the characters a code is drawn with."""
    screen = sys.__stderr__  # what stands in for it while progress is shown says that it is no terminal
    if screen is None or not screen.isatty():
        return False
    try:
        _BLOCKS.encode(screen.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def drawn(link: str) -> str:
    """Return a QR code of a link, drawn with half blocks."""
    # Imported here: only a picking session on a terminal needs it.
    import segno

    stream = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(stream, border=2, compact=True)
    return stream.getvalue()
