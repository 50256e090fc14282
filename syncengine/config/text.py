"""Reads a profile's file as text, with a plain word for everything that a file can be instead."""

from __future__ import annotations

import codecs
from pathlib import Path

from syncengine.errors import ConfigError, Problem

#: Far more than a person writes; less than what a parser chokes on.
LIMIT = 1 << 20

_FOREIGN_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """Return the text of a profile without its byte order mark.

    Args:
        path: as the user named it.

    Raises:
        ConfigError: missing, a directory, unreadable, empty, too large, binary or not UTF-8.
    """
    content = _read_bytes(path)
    if len(content) > LIMIT:
        raise _refused(path, f"larger than {LIMIT >> 20} MiB; this is no profile")
    if content.startswith(_FOREIGN_MARKS):
        raise _refused(path, "written in UTF-16 or UTF-32; save it as UTF-8")
    content = content.removeprefix(codecs.BOM_UTF8)
    if b"\0" in content:
        raise _refused(path, "a binary file, not a YAML profile")
    if not content.strip():
        raise _refused(path, "empty; a profile needs at least version, source and destination")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, start = before.count(b"\n") + 1, before.rfind(b"\n") + 1
        column = len(before[start:].decode()) + 1
        raise _refused(path, f"not UTF-8 (byte 0x{content[error.start]:02x}); save it as UTF-8", line, column) from None


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(LIMIT + 1)
    except FileNotFoundError:
        raise _refused(path, "no such file") from None
    except IsADirectoryError:
        raise _refused(path, "a directory; name the YAML file in it") from None
    except PermissionError:
        raise _refused(path, "may not be read by this user; check its permissions") from None
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from None
    except ValueError:  # a NUL in the name
        raise _refused(path, "not a file name") from None


def _refused(path: Path, message: str, line: int | None = None, column: int | None = None) -> ConfigError:
    return ConfigError([Problem(message, file=str(path), line=line, column=column)])
