"""Takes secrets out of text that is about to be written: log lines, tracebacks, messages.

This is the last line of defence. The first one is that nobody puts a secret into a message; but libraries log whole
requests when asked to be chatty, and exceptions carry addresses.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from functools import cache
from types import TracebackType

GONE = "<redacted>"

# What ends a value in a header, a query, a form, JSON, or the repr of any of them.
_VALUE = r"[^\s\"'&,;<>\\)}\]]+"
# What stands between a name and its value. Bounded, as everything here: a line may be long and mean.
_QUOTES = r"[\"'\\]{0,6}"
_IS = rf"{_QUOTES}\s{{0,4}}(?:=|:|%3D|(?<=[\"']),(?=\s{{0,4}}[\"']))\s{{0,4}}(?:b(?=[\"']))?{_QUOTES}"
_NAMES = (
    r"access_token|refresh_token|id_token|client_secret|code_verifier|device_code|user_code|assertion|passphrase"
    r"|password|secret|token|api_key|apikey|upload_token|uploadtoken"
    r"|syncengine_(?:old_)?(?:key|passphrase)"
)
_SIGNATURES = (
    r"sig|signature|x-goog-signature|x-goog-credential|x-goog-security-token|x-amz-signature|x-amz-credential"
    r"|x-amz-security-token|googleaccessid|awsaccesskeyid|key|code|state|sv|se|authuser|expires|policy"
)


@cache
def _rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return what to look for and what to put there; made at the first line that is written."""
    return (
        # tokens that say themselves what they are: Google's access, refresh, code and client secret; a JWT
        (re.compile(r"\bya29\.[A-Za-z0-9_\-.]+"), GONE),
        (re.compile(r"(?<![A-Za-z0-9])1(?://|%2F%2F|\\/\\/)[A-Za-z0-9_\-]{8,}", re.IGNORECASE), GONE),
        (re.compile(r"(?<![A-Za-z0-9/])4(?:/|%2F|\\/)[A-Za-z0-9_\-]{20,}", re.IGNORECASE), GONE),
        (re.compile(r"\bGOCSPX-[A-Za-z0-9_\-]+"), GONE),
        (re.compile(r"\beyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*"), GONE),
        # Authorization: Bearer x, 'Proxy-Authorization': 'Basic x', Cookie
        (
            re.compile(
                rf"((?:proxy-)?authorization{_IS})(?:(?:basic|bearer|digest|negotiate)\s+)?{_VALUE}", re.IGNORECASE
            ),
            rf"\1{GONE}",
        ),
        (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9_\-.~+/=]{12,}", re.IGNORECASE), rf"\1 {GONE}"),
        (re.compile(rf"((?:set-)?cookie{_IS})[^\"'\n\\]+", re.IGNORECASE), rf"\1{GONE}"),
        # name=value and "name": "value", also when it is escaped JSON or a repr
        (re.compile(rf"(?<![A-Za-z0-9])((?:{_NAMES}){_IS}){_VALUE}", re.IGNORECASE), rf"\1{GONE}"),
        # what signs an address, in its query only: "code" and "key" are ordinary words elsewhere
        (re.compile(rf"([?&](?:{_SIGNATURES})=){_VALUE}", re.IGNORECASE), rf"\1{GONE}"),
        # form bodies
        (re.compile(rf"((?:^|[\s\"'&])code=){_VALUE}"), rf"\1{GONE}"),
        # the addresses of a photo's bytes are secrets by themselves: whoever has one can fetch them
        (
            re.compile(
                r"([a-z0-9-]{1,63}\.(?:googleusercontent|googlevideo|ggpht)\.com(?::\d+)?\\?/)[^\s\"'<>]+",
                re.IGNORECASE,
            ),
            rf"\1{GONE}",
        ),
        (re.compile(r"(googleusercontent\.com(?::\d+)?\"? \"[A-Z]+ /)\S+", re.IGNORECASE), rf"\1{GONE}"),
        # user:password@host
        (re.compile(r"([a-z][a-z0-9+.-]{0,20}://)[^\s/@:\"']{1,200}:[^\s/@\"']{1,200}@", re.IGNORECASE), rf"\1{GONE}@"),
        # a path segment in an address that is as long as a token
        (re.compile(r"(/)[A-Za-z0-9_\-]{80,}(?==|/|\?|\s|\"|'|$)"), rf"\1{GONE}"),
    )


def redact(text: str) -> str:
    """Return ``text`` without what looks like a token, a password, a signature or the address of private bytes."""
    for pattern, replacement in _rules():
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Makes log lines with another formatter, and takes the secrets out of all of it: message, fields and traceback.

    Args:
        inner: what the lines look like.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, without secrets."""
        return redact(self._inner.format(record))


class RedactingFilter(logging.Filter):
    """Takes the secrets out of a record's message; for handlers whose formatter is not one's own.

    Put it on a handler: filters of a logger do not see what other loggers hand up to it. Tracebacks are made by the
    formatter, so ``RedactingFormatter`` is the safer choice.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, its message redacted."""
        record.msg = redact(record.getMessage())
        record.args = ()
        return True


def guard_tracebacks() -> None:
    """Take the secrets out of the tracebacks that Python itself prints for what nobody caught, in any thread."""
    sys.excepthook = _print_redacted
    threading.excepthook = _print_redacted_of_thread


def _print_redacted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


def _print_redacted_of_thread(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread is not None else "a thread"
    sys.stderr.write(f"Exception in {name}:\n")
    if args.exc_value is not None:
        _print_redacted(args.exc_type, args.exc_value, args.exc_traceback)
