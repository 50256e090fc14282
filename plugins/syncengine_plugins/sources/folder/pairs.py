"""The two files of a Live Photo or motion photo, by their names."""

from __future__ import annotations

from collections.abc import Iterable

_STILLS = frozenset({"heic", "heif", "jpg", "jpeg"})
_MOVIES = frozenset({"mov", "mp4", "mp", "mv"})
# Pixel phones write the still's whole stem as the movie's name: PXL_1.MP.jpg and PXL_1.MP.
_NAMED_AS_STEM = frozenset({"mp", "mv"})


def may_pair(extensions: set[str]) -> bool:
    """Return whether a directory with these lower-case extensions can hold a pair."""
    return not _STILLS.isdisjoint(extensions) and not _MOVIES.isdisjoint(extensions)


def live_pairs(names: Iterable[str]) -> dict[str, str]:
    """Return the other half of each file that is half of a pair.

    Args:
        names: the files of one directory, sorted.

    Returns:
        Both directions. A still and a movie are a pair when they share the stem, whatever the case; HEIC is preferred
        to JPEG where both are there (the JPEG is then an export of the still).
    """
    stills: dict[str, tuple[bool, str]] = {}
    movies: dict[str, str] = {}
    for name in names:
        stem, _, extension = name.lower().rpartition(".")
        if extension in _STILLS:
            candidate = (extension not in ("heic", "heif"), name)
            stills[stem] = min(stills.get(stem, candidate), candidate)
        elif extension in _MOVIES:
            movies.setdefault(stem, name)
            if extension in _NAMED_AS_STEM:
                movies.setdefault(name.lower(), name)
    pairs: dict[str, str] = {}
    for stem, (_, still) in stills.items():
        movie = movies.get(stem)
        if movie is not None and movie not in pairs:
            pairs[still], pairs[movie] = movie, still
    return pairs
