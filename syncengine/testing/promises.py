"""The words in which the suites say that a promise was not kept.

Not ``assert``: an installed package's asserts are not rewritten by pytest, and ``python -O`` drops them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def kept(promise: str, holds: bool) -> None:
    """Fail unless ``holds``.

    Args:
        promise: what the contract says.
        holds: whether it is so.

    Raises:
        AssertionError: it is not.
    """
    if not holds:
        raise AssertionError(f"the contract says: {promise}")


def same(promise: str, found: object, wanted: object) -> None:
    """Fail unless ``found`` equals ``wanted``. Raises ``AssertionError`` with both."""
    kept(f"{promise} (found {found!r:.500}, expected {wanted!r:.500})", found == wanted)


@contextmanager
def raises(promise: str, *kinds: type[BaseException]) -> Iterator[None]:
    """Fail unless the block raises one of ``kinds``; another error goes through."""
    try:
        yield
    except kinds:
        return
    kept(f"{promise} (nothing was raised)", holds=False)
