"""How Google Photos' Takeout names files: cutting, counters, suffixes, extensions.

Google documents none of it. The rules were read off exported names and the issue threads of other tools; each constant
says which. Lengths are in UTF-16 code units, as Google counts them.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import NamedTuple

from syncengine.api import Kind

MEDIA_STEM_UNITS = 47
"""Where Google cuts the stem of a media file's name (with ``.jpg``: 51 units in all)."""

SIDECAR_STEM_UNITS = 46
"""Where Google cuts a sidecar's name before the counter and ``.json`` (51 units in all). Not cut since mid 2026."""

SIDECAR_SUFFIX = ".supplemental-metadata"
"""What stands between the media's name and ``.json`` since late 2024; any part of it may be cut off."""

PHOTO_EXTENSIONS = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2",
    ".tif", ".tiff", ".bmp", ".ico", ".insp", ".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf",
    ".sr2", ".orf", ".ori", ".rw2", ".rwl", ".raf", ".pef", ".srw", ".x3f", ".3fr", ".fff", ".erf", ".kdc", ".dcr",
    ".mrw", ".mef", ".mos", ".iiq", ".raw",
})  # fmt: skip
"""Extensions of photos, lower case, RAW formats included."""

VIDEO_EXTENSIONS = frozenset({
    ".mp4", ".mov", ".m4v", ".qt", ".3gp", ".3g2", ".3gpp", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mpe",
    ".mts", ".m2ts", ".m2t", ".mod", ".tod", ".mmv", ".wmv", ".asf", ".divx", ".vob", ".ogv", ".flv", ".insv",
    ".lrv", ".mp", ".mv",
})  # fmt: skip
"""Extensions of videos, lower case; ``.mp`` and ``.mv`` hold the moving half of a Pixel's motion photo."""

EDITED_SUFFIXES = (
    "-edited", "-bearbeitet", "-modifié", "-modificato", "-editado", "-ha editado", "-editat", "-bewerkt",
    "-edytowane", "-編集済み", "-编辑", "-已修改", "-已編輯", "-muokattu", "-измененный", "-отредактировано",
    "-düzenlendi", "-redigeret", "-upravené", "-відредаговано", "-편집됨",
)  # fmt: skip
"""What Google appends to the stem of an edited copy, by the account's language (NFC)."""

CREATION_SUFFIXES = ("-COLLAGE", "-ANIMATION", "-MOVIE", "-EFFECTS", "-SMILE", "-MIX", "-MOTION")
"""What Google appends to its own creations, in English always. They have sidecars of their own: never strip these."""

_SAME_FORMAT = {".jpeg": ".jpg", ".jpe": ".jpg", ".tiff": ".tif", ".mpeg": ".mpg"}
_COUNTER = re.compile(r"\(([1-9][0-9]{0,5})\)(?=\.|$)")
_END_COUNTER = re.compile(r"\(([1-9][0-9]{0,5})\)$")
_UNSURE = re.compile(r"[^\w .()\-]")
_MOTION = re.compile(r"\.(?:mp|mv)(~[0-9]{1,3})?$", re.IGNORECASE)
_MOTION_COMPANION = re.compile(r"MVIMG_[^.]*", re.IGNORECASE)


class Counted(NamedTuple):
    """A name and the counter that was taken out of it; 0 where there was none."""

    name: str
    counter: int


class NameKey(NamedTuple):
    """What is left of a name for comparing: its stem as Google may have written it, its extension in one spelling."""

    stem: str
    extension: str


def nfc(text: str) -> str:
    """Return the text in Unicode normal form C; archives made on a Mac hold names in form D."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def is_as_long_as(text: str, limit: int) -> bool:
    """Whether the text has as many UTF-16 code units in one of its normal forms: Google cuts the form it was given."""
    return units(text) >= limit or (not text.isascii() and max(map(units, _normal_forms(text))) >= limit)


def cut(text: str, limit: int, *, up: bool = False) -> str:
    """Return the beginning of the text, cut as Google cuts names.

    Args:
        text: what to cut.
        limit: the most UTF-16 code units to keep.
        up: keep a character outside the basic plane whose first half still fits, so that the result may be one unit
            longer (what Google does with media stems); otherwise leave it out.

    Returns:
        The text where it fits, else its beginning; never half a character.
    """
    if len(text) <= limit and units(text) <= limit:
        return text
    kept = 0
    for index, char in enumerate(text):
        width = 2 if char > "\uffff" else 1
        if kept + width > limit:
            return text[: index + 1] if up and kept < limit else text[:index]
        kept += width
    return text


def split_extension(name: str) -> tuple[str, str]:
    """Return stem and extension; the extension is empty unless it is one of a photo or video, ``.MP~2`` included."""
    dot = name.rfind(".")
    if dot < 0:
        return name, ""
    extension = name[dot:].lower()
    if extension in PHOTO_EXTENSIONS or extension in VIDEO_EXTENSIONS or _MOTION.fullmatch(extension):
        return name[:dot], name[dot:]
    return name, ""


def same_format(extension: str) -> str:
    """Return the extension in the spelling under which equal formats compare: ``.JPEG`` is ``.jpg``."""
    lower = extension.lower()
    return _SAME_FORMAT.get(lower, lower)


def extension_fits(title: str, name: str) -> bool:
    """Whether a file of this title may have the extension of this name: it has none itself, or the same in any case."""
    own, other = split_extension(title)[1].lower(), split_extension(name)[1].lower()
    return own in {"", other}


def kind_of(name: str) -> Kind:
    """Return what a file is by its name alone.

    A name without a known extension is OTHER, except the moving half of an old motion photo, ``MVIMG_20190101_1200``,
    which Google exports without one.
    """
    stem, extension = split_extension(name)
    if not extension:
        return Kind.VIDEO if _MOTION_COMPANION.fullmatch(stem) else Kind.OTHER
    return Kind.PHOTO if extension.lower() in PHOTO_EXTENSIONS else Kind.VIDEO


def split_counter(name: str) -> Counted:
    """Take Google's counter out of a media file's name.

    Google sets ``(n)`` before whatever it takes for the extension, so it may stand in the middle of a name:
    ``21.12(1).11 - 1``. The right-most one counts.
    """
    if "(" not in name:
        return Counted(name, 0)
    found = None
    for found in _COUNTER.finditer(name):  # noqa: B007 - the last one is wanted
        pass
    if found is None or found.start() == 0:
        return Counted(name, 0)
    return Counted(name[: found.start()] + name[found.end() :], int(found[1]))


def split_end_counter(stem: str) -> Counted:
    """Take the counter off the end of a sidecar's stem or of a folder's name."""
    found = _END_COUNTER.search(stem) if stem.endswith(")") else None
    return Counted(stem[: found.start()], int(found[1])) if found else Counted(stem, 0)


def sanitised(text: str) -> str:
    """Return the text with every character that Google may replace in a file name set to ``_``; for comparing only."""
    return _UNSURE.sub("_", nfc(text))


def media_key(name: str) -> NameKey:
    """Return the comparable form of a media file's name, which must be without its counter."""
    stem, extension = split_extension(name)
    return NameKey(sanitised(stem), same_format(extension))


def title_keys(title: str) -> frozenset[NameKey]:
    """Return the comparable forms of the names that Google may give to the media file of this title.

    Raw and HTML-unescaped, cut in whichever normal form the title had when Google cut it. A title without an extension
    gives keys without one: Google adds an extension to the media file only.
    """
    keys = set()
    for spelling in {title, html.unescape(title)} if "&" in title else (title,):
        forms = (spelling,) if spelling.isascii() else {spelling, *_normal_forms(spelling)}
        for form in forms:
            stem, extension = split_extension(form)
            limits = {MEDIA_STEM_UNITS, MEDIA_STEM_UNITS + 4 - len(extension)} if extension else {MEDIA_STEM_UNITS}
            for limit in limits:
                keys.add(NameKey(sanitised(cut(stem, limit, up=True)), same_format(extension)))
    return frozenset(keys)


def cut_sidecar_stems(name: str) -> frozenset[str]:
    """Return the stems, in NFC, that Google may give to the sidecar of this media file, counter and ``.json`` left out.

    Args:
        name: the media file's name without its counter.
    """
    stems = set()
    for form in (name,) if name.isascii() else {name, *_normal_forms(name)}:
        for whole in (form + SIDECAR_SUFFIX, form):
            stems.add(nfc(cut(whole, SIDECAR_STEM_UNITS)))
            if not whole.isascii():
                stems.add(nfc(cut(whole, SIDECAR_STEM_UNITS, up=True)))
    return frozenset(stems)


def edited_stems(stem: str) -> tuple[str, ...]:
    """Return the stems that the original of an edited copy may have; empty for a name that is not one of a copy.

    Args:
        stem: of the copy's name, without counter and extension. A suffix that the cut at 47 units shortened
            counts only on a stem that is as long as a cut one.
    """
    plain = nfc(stem)
    whole = tuple(plain[: -len(suffix)] for suffix in EDITED_SUFFIXES if plain.endswith(suffix) and plain != suffix)
    if whole or not is_as_long_as(plain, MEDIA_STEM_UNITS - 1):
        return whole
    dash = plain.rfind("-")
    tail = plain[dash:]
    shortened = dash > 0 and any(suffix.startswith(tail) for suffix in EDITED_SUFFIXES)
    return (plain[:dash],) if shortened else ()


def companion_key(name: str) -> Counted:
    """Return what the two halves of a Live Photo or motion photo have in common: stem without counter, and counter.

    ``IMG_1.HEIC`` and ``IMG_1.MP4``, ``PXL_1.MP.jpg`` and ``PXL_1.MP``, ``MVIMG_1.jpg`` and ``MVIMG_1`` give the
    same; ``PXL_1.MP~2`` differs from ``PXL_1.MP``.
    """
    plain, counter = split_counter(nfc(name))
    stem, extension = split_extension(plain)
    own = _MOTION.fullmatch(extension)
    if own:
        return Counted(stem + (own[1] or ""), counter)
    inner = _MOTION.search(stem)
    return Counted(stem[: inner.start()] + (inner[1] or "") if inner else stem, counter)


def _normal_forms(text: str) -> tuple[str, str]:
    return unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
