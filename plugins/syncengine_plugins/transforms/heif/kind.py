"""Whether a file is a HEIF photo, by its bytes and never by its name."""

from __future__ import annotations

from pathlib import Path

from syncengine_plugins.media.sniff import extension, sniff

# The item list stands in the first box after ``ftyp``; real files keep it within the first few KiB.
_HEAD = 64 << 10
_EXTENSIONS = frozenset({"heic", "heics", "heif", "heifs", "hif"})


def is_heif(path: Path, name: str = "") -> bool:
    """Return whether the file holds HEVC images in a HEIF container; reads its first 64 KiB at most.

    Files that name only a general brand (``mif1``) count when an item of theirs is coded with HEVC. AVIF does not.

    Args:
        path: the file.
        name: its original name; when it is a HEIF name, bytes of no known format count as a damaged HEIF file.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    media_type = sniff(head)
    if not media_type:
        return extension(name) in _EXTENSIONS
    return media_type == "image/heic" or (media_type == "image/heif" and b"hvc1" in head)
