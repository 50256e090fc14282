"""Pairs the still and the moving half of Live Photos and motion photos of one folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from syncengine_plugins.sources.takeout.names import companion_key, same_format, split_extension

STILLS = frozenset({".heic", ".heif", ".jpg"})
"""Formats of stills that phones take a movie with; ``.jpeg`` counts as ``.jpg``."""

APPLE_MOVIES = frozenset({".mov", ".mp4"})

_MOST_COPIES = 1000
"""Stills times movies of one identifier; more of them share a defect, not a moment."""


class Half(msgspec.Struct, frozen=True):
    """One half of what may be a pair.

    Args:
        key: the caller's.
        name: file name, with its counter.
        identifier: Apple's content identifier (MakerNote tag 0x0011 of a still, the QuickTime key
            ``com.apple.quicktime.content.identifier`` of a movie), when it was read and there is one.
        has_sidecar: a sidecar of its own was matched to it.
    """

    key: int
    name: str
    identifier: str | None = None
    has_sidecar: bool = False


class Pair(msgspec.Struct, frozen=True, order=True):
    """A still and its movie by their keys, and the rule that found them: ``identifier`` or ``name``."""

    still: int
    movie: int
    rule: str


class Candidates(msgspec.Struct, frozen=True):
    """Keys of the stills and movies whose content identifiers are worth reading."""

    stills: tuple[int, ...]
    movies: tuple[int, ...]


def candidates(stills: Sequence[Half], movies: Sequence[Half]) -> Candidates:
    """Return which halves are worth reading identifiers for: Apple's formats, one of each sharing a stem."""
    possible_stills = _by_stem(stills, STILLS)
    possible_movies = _by_stem(movies, APPLE_MOVIES)
    shared = sorted(possible_stills.keys() & possible_movies.keys())
    return Candidates(
        tuple(sorted(half.key for stem in shared for half in possible_stills[stem])),
        tuple(sorted(half.key for stem in shared for half in possible_movies[stem])),
    )


def pair(stills: Sequence[Half], movies: Sequence[Half]) -> list[Pair]:
    """Pair the halves of one folder; each is in one pair at most.

    Args:
        stills: its photos.
        movies: its videos.

    Returns:
        The pairs, sorted; first by identifier (several copies that share one: nearest names), then by name. By name a
        movie with a sidecar of its own stays alone, and so do halves whose identifiers differ or whose name has
        several takers.
    """
    by_identifier = _pair_by_identifier(stills, movies)
    taken_stills = {found.still for found in by_identifier}
    taken_movies = {found.movie for found in by_identifier}
    by_name = _pair_by_name(
        [half for half in stills if half.key not in taken_stills],
        [half for half in movies if half.key not in taken_movies and not half.has_sidecar],
    )
    return sorted(by_identifier + by_name)


def _pair_by_identifier(stills: Sequence[Half], movies: Sequence[Half]) -> list[Pair]:
    by_identifier: dict[str, tuple[list[Half], list[Half]]] = defaultdict(lambda: ([], []))
    for side, halves in enumerate((stills, movies)):
        for half in halves:
            if half.identifier:
                by_identifier[half.identifier][side].append(half)
    return [found for sharing in by_identifier.values() for found in _pair_nearest(*sharing)]


def _pair_nearest(stills: list[Half], movies: list[Half]) -> list[Pair]:
    """Pair copies that share an identifier: the nearest names first, each half once."""
    if len(stills) * len(movies) > _MOST_COPIES:
        return []
    ranked = sorted((*_distance(still.name, movie.name), still.key, movie.key) for still in stills for movie in movies)
    found: dict[int, int] = {}
    taken = set()
    for *_, still_key, movie_key in ranked:
        if still_key not in found and movie_key not in taken:
            found[still_key] = movie_key
            taken.add(movie_key)
    return [Pair(still_key, movie_key, "identifier") for still_key, movie_key in found.items()]


def _distance(still: str, movie: str) -> tuple[bool, bool, bool, str, str]:
    """Return how far two names are from being a pair's; sortable, nearest first."""
    left, right = companion_key(still), companion_key(movie)
    original = same_format(split_extension(still)[1]) in {".heic", ".heif"}
    return left != right, left.name != right.name, not original, still, movie


def _pair_by_name(stills: Sequence[Half], movies: Sequence[Half]) -> list[Pair]:
    possible_stills, possible_movies = defaultdict(list), defaultdict(list)
    for half in stills:
        if same_format(split_extension(half.name)[1]) in STILLS:
            possible_stills[companion_key(half.name)].append(half)
    for half in movies:
        possible_movies[companion_key(half.name)].append(half)
    found = []
    for key, sharing in possible_movies.items():
        if len(sharing) == 1 and len(possible_stills.get(key, ())) == 1:
            still, movie = possible_stills[key][0], sharing[0]
            if still.identifier is None or movie.identifier is None or still.identifier == movie.identifier:
                found.append(Pair(still.key, movie.key, "name"))
    return found


def _by_stem(halves: Iterable[Half], formats: frozenset[str]) -> dict[str, list[Half]]:
    """Group by stem, whatever the counter: two copies may have been numbered apart."""
    groups = defaultdict(list)
    for half in halves:
        if same_format(split_extension(half.name)[1]) in formats:
            groups[companion_key(half.name).name].append(half)
    return groups
