"""What a fault does to an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from syncengine.testing.google.wire.problems import ApiError


@dataclass(frozen=True)
class Refuse:
    """Answer with an error.

    Args:
        problem: the error.
    """

    problem: ApiError


@dataclass(frozen=True)
class Cut:
    """Send the beginning of the body, then close the connection.

    Args:
        after: how many bytes of the body are sent.
        reset: end with a TCP reset instead of an orderly close.
    """

    after: int
    reset: bool = False


@dataclass(frozen=True)
class TooLong:
    """Send more than was asked for, in good order: the header counts the extra bytes.

    Args:
        extra: how many zero bytes follow the body.
    """

    extra: int


@dataclass(frozen=True)
class TooShort:
    """Send less than was asked for, in good order: the header counts only what is sent.

    Args:
        missing: how many bytes are left out at the end.
    """

    missing: int


@dataclass(frozen=True)
class WrongLength:
    """Write a ``Content-Length`` that is not the body's; the connection closes after the body.

    Args:
        by: what is added to the true length; may be negative.
    """

    by: int


@dataclass(frozen=True)
class Corrupt:
    """Turn one byte of the body over.

    Args:
        at: which byte, from 0.
    """

    at: int = 0


@dataclass(frozen=True)
class OtherEtag:
    """Send this ``ETag``.

    Args:
        value: with its quotation marks.
    """

    value: str = '"another"'


@dataclass(frozen=True)
class Garbage:
    """Send something that is no JSON, as JSON and with status 200.

    Args:
        text: what is sent.
    """

    text: str = '<html>{"files": ['


@dataclass(frozen=True)
class IgnoreRange:
    """Overlook the ``Range`` header: 200 and the whole content."""


@dataclass(frozen=True)
class EmptyPage:
    """List nothing, and hand out a token for a page that goes on where this one would have begun."""


@dataclass(frozen=True)
class ExpiredUrl:
    """Treat a media URL as one that is older than its hour."""


@dataclass(frozen=True)
class Redirect:
    """Answer 302.

    Args:
        location: to where.
    """

    location: str


@dataclass(frozen=True)
class Meanwhile:
    """Do something while the body is on its way: replace or delete the file, move the clock.

    Args:
        action: what is done.
        after: how many bytes of the body have been sent by then.
    """

    action: Callable[[], object]
    after: int = 0


def stall(seconds: float, after: int = 0) -> Meanwhile:
    """Fall silent for a while in the middle of a body.

    Args:
        seconds: how long.
        after: how many bytes of the body have been sent by then.
    """
    return Meanwhile(lambda: time.sleep(seconds), after)


Effect: TypeAlias = (
    Refuse
    | Cut
    | TooLong
    | TooShort
    | WrongLength
    | Corrupt
    | OtherEtag
    | Garbage
    | IgnoreRange
    | EmptyPage
    | ExpiredUrl
    | Redirect
    | Meanwhile
)
