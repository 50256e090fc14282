"""Drive's search language, as far as backups and rclone use it.

``and`` and ``or`` are taken from left to right with equal weight; brackets group. Names are compared without regard
to case, and ``contains`` finds a name by the beginning of one of its words (both as users of the API report; the
reference page says neither).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from syncengine.testing.google.control.clock import parse_rfc3339
from syncengine.testing.google.drive.files import Drive, DriveFile
from syncengine.testing.google.wire.problems import ApiError, bad_request

Test: TypeAlias = Callable[[DriveFile], bool]

_TOKEN = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|(!=|<=|>=|=|<|>|\(|\))|([A-Za-z]\w*))")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def parse(query: str, drive: Drive, account: str) -> Test:
    """Make a test of a query.

    Args:
        query: the parameter ``q``; empty finds everything.
        drive: resolves ``root``, and knows what is in the trash.
        account: what ``me`` means.

    Raises:
        ApiError: 400 ``invalid``, it cannot be understood.
    """
    if not query.strip():
        return lambda file: True
    return _Parser(query, drive, account).parse()


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, query: str, drive: Drive, account: str) -> None:
        self._tokens = _tokens(query)
        self._place = 0
        self._drive = drive
        self._account = account

    def parse(self) -> Test:
        """The whole query."""
        test = self._expression()
        if self._place != len(self._tokens):
            raise _invalid()
        return test

    def _next(self) -> tuple[str, str]:
        """The next token: its kind (``text``, ``sign``, ``word``) and itself."""
        if self._place >= len(self._tokens):
            raise _invalid()
        self._place += 1
        return self._tokens[self._place - 1]

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("", "")

    def _expression(self) -> Test:
        """Terms joined by ``and`` and ``or``."""
        test = self._factor()
        while self._peek() in (("word", "and"), ("word", "or")):
            joint = self._next()[1]
            test = _both(test, self._factor()) if joint == "and" else _either(test, self._factor())
        return test

    def _factor(self) -> Test:
        """A term, a negated one or one in brackets."""
        kind, token = self._next()
        if (kind, token) == ("word", "not"):
            inner = self._factor()
            return lambda file: not inner(file)
        if (kind, token) == ("sign", "("):
            test = self._expression()
            if self._next() != ("sign", ")"):
                raise _invalid()
            return test
        if kind == "text":
            return self._membership(token)
        if kind == "word":
            return self._comparison(token)
        raise _invalid()

    def _membership(self, value: str) -> Test:
        """``'id' in parents`` and ``'me' in owners``."""
        if self._next() != ("word", "in"):
            raise _invalid()
        collection = self._next()[1]
        if collection == "parents":
            parent = self._drive.resolve(value)
            return lambda file: file.parent == parent
        if collection in ("owners", "writers", "readers"):
            mine = value in ("me", self._account)
            return lambda file: mine and not (collection == "owners" and file.drive_id)
        raise _invalid()

    def _comparison(self, term: str) -> Test:
        """``term operator value``."""
        operator, (kind, value) = self._next()[1], self._next()
        if term in ("trashed", "starred", "sharedWithMe"):
            return self._flag(term, operator, value)
        if kind != "text":
            raise _invalid()
        if term in ("modifiedTime", "createdTime"):
            return _time_test(term, operator, value)
        if term in ("name", "fullText", "mimeType"):
            return _text_test(term, operator, value)
        if term == "visibility" and operator in ("=", "!="):
            return lambda file: (value == "limited") == (operator == "=")
        raise _invalid()

    def _flag(self, term: str, operator: str, value: str) -> Test:
        """``trashed = false`` and the like."""
        if operator not in ("=", "!=") or value not in ("true", "false"):
            raise _invalid()
        wanted = (value == "true") == (operator == "=")
        if term == "trashed":
            return lambda file: self._drive.in_trash(file) == wanted
        if term == "starred":
            return lambda file: file.starred == wanted
        return lambda file: not wanted


def _tokens(query: str) -> list[tuple[str, str]]:
    """Split a query."""
    found, place = [], 0
    text = query.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _invalid()
        quoted, sign, word = match.groups()
        if quoted is not None:
            found.append(("text", re.sub(r"\\(.)", r"\1", quoted)))
        else:
            found.append(("sign", sign) if sign else ("word", word))
        place = match.end()
    return found


def _both(left: Test, right: Test) -> Test:
    return lambda file: left(file) and right(file)


def _either(left: Test, right: Test) -> Test:
    return lambda file: left(file) or right(file)


def _time_test(term: str, operator: str, value: str) -> Test:
    """Compare a time."""
    compare = _COMPARE.get(operator)
    try:
        at = parse_rfc3339(value)
    except ValueError:
        raise _invalid() from None
    if compare is None:
        raise _invalid()
    if term == "modifiedTime":
        return lambda file: compare(file.modified, at)
    return lambda file: compare(file.created, at)


def _text_test(term: str, operator: str, value: str) -> Test:
    """Compare a name or a type."""
    wanted = value.casefold()
    if operator == "contains" and term in ("name", "fullText"):
        word_start = re.compile(r"(?:^|[\W_])" + re.escape(wanted))
        return lambda file: bool(word_start.search(file.name.casefold()))
    if operator == "contains":
        return lambda file: wanted in file.mime_type.casefold()
    if operator not in ("=", "!=") or term == "fullText":
        raise _invalid()
    equal = operator == "="
    if term == "name":
        return lambda file: (file.name.casefold() == wanted) == equal
    return lambda file: (file.mime_type.casefold() == wanted) == equal


def _invalid() -> ApiError:
    return bad_request("Invalid Value", "invalid")
