"""The two files of a Live Photo or motion photo, by their names."""

from __future__ import annotations

from collections.abc import Sequence

# The preferred still first.
_RANKS = {"heic": 0, "heif": 1, "jpg": 2, "jpeg": 3}
_MOVIES = frozenset({"mov", "mp4", "mp", "mv"})
# Pixel phones write the still's whole stem as the movie's name: PXL_1.MP.jpg and PXL_1.MP.
_NAMED_AS_STEM = frozenset({"mp", "mv"})


def may_pair(extensions: set[str]) -> bool:
    """Return whether a directory with these lower-case extensions can hold a pair."""
    return not extensions.isdisjoint(_RANKS) and not extensions.isdisjoint(_MOVIES)


def live_pairs(names: Sequence[str]) -> dict[str, str]:
    """Return the other half of each file that is half of a pair.

    Args:
        names: the files of one directory, sorted.

    Returns:
        Both directions. A still and a movie are a pair when they share the stem, whatever the case; HEIC is preferred
        to JPEG where both are there (the JPEG is then an export of the still).
    """
    movies: dict[str, str] = {}
    for name in names:
        stem, _, extension = name.rpartition(".")
        extension = extension.lower()
        if extension in _MOVIES:
            movies.setdefault(stem.lower(), name)
            if extension in _NAMED_AS_STEM:
                movies.setdefault(name.lower(), name)
    stills: dict[str, tuple[int, str]] = {}
    for name in names:
        stem, _, extension = name.rpartition(".")
        stem = stem.lower()
        if stem in movies and (rank := _RANKS.get(extension.lower())) is not None:
            stills[stem] = min(stills.get(stem, (rank, name)), (rank, name))
    pairs: dict[str, str] = {}
    for stem, (_, still) in stills.items():
        movie = movies[stem]
        if movie not in pairs:
            pairs[still], pairs[movie] = movie, still
    return pairs
