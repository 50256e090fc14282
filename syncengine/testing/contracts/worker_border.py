"""What happens to a value on its way to a worker process."""

from __future__ import annotations

import pickle  # nosec B403: only what this module itself has pickled is read
from typing import TypeVar

ValueT = TypeVar("ValueT")


def crossed(value: ValueT) -> ValueT:
    """Return ``value`` as it arrives in a worker process. Raises what pickle raises when it cannot cross."""
    arrived: ValueT = pickle.loads(pickle.dumps(value))  # nosec B301: our own bytes
    return arrived
