"""File names that are safe on every target: ext4, NTFS, APFS, exFAT, SMB shares."""

from __future__ import annotations

import re
import unicodedata

#: The limit of most file systems is 255 bytes; a metadata file adds ``.json`` to the name of its photo.
MAX_NAME_BYTES = 255 - len(".json")

#: Forbidden on Windows and SMB, or invisible and able to mislead (controls, bidi overrides, zero-width, unassigned
#: surrogates); https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_FORBIDDEN = re.compile(
    '[<>:"/\\\\|?*\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]'
)
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)
#: An extension is short; what is longer after a dot belongs to the stem.
_MAX_EXTENSION_BYTES = 24
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_ .()~+,=@-]{0,99}")


def split_extension(name: str) -> tuple[str, str]:
    """Return (stem, extension with its dot); the extension is empty when the name has none worth the word."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem.strip(".") or not extension or len(extension.encode()) > _MAX_EXTENSION_BYTES:
        return name, ""
    return stem, "." + extension


def safe_name(name: str, *, fallback: str = "unnamed") -> str:
    """Return ``name`` as a single path component that every file system takes.

    Args:
        name: whatever a source says.
        fallback: used when nothing is left.

    Returns:
        NFC, no forbidden or control characters, not reserved on Windows, no leading or trailing space, no trailing
        dot, not ``.`` or ``..``, at most 250 bytes of UTF-8 with the extension kept. A safe name stays as it is.
    """
    if _PLAIN.fullmatch(name) and name[-1] not in ". " and not _RESERVED.match(name):
        return name
    clean = unicodedata.normalize("NFC", _FORBIDDEN.sub("_", name)).strip(" ").rstrip(". ")
    if not clean or not clean.strip("."):
        return fallback
    if _RESERVED.match(clean):
        clean = "_" + clean
    return fit(clean)


def fit(name: str, suffix: str = "", limit: int = MAX_NAME_BYTES) -> str:
    """Return stem + ``suffix`` + extension, the stem cut so that the whole has at most ``limit`` bytes of UTF-8.

    A cut never splits a character, nor leaves a space or a dot at the stem's end.
    """
    stem, extension = split_extension(name)
    room = limit - len(suffix.encode()) - len(extension.encode())
    encoded = stem.encode()
    if len(encoded) > room:
        stem = encoded[:room].decode(errors="ignore").rstrip(" .") or "_"
    return stem + suffix + extension


def path_key(path: str) -> str:
    """Return the form in which paths are compared: NFC, without regard to case."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
