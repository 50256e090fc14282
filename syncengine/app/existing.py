"""Opening a destination that has to be there already."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

from syncengine.api import Destination
from syncengine.config.profile import Profile
from syncengine.engine.steady_destination import SteadyDestination


def open_existing(profile: Profile, stop: threading.Event, stack: ExitStack) -> Destination[Any]:
    """Open a profile's destination, and make none; ``stack`` closes it. Raises ``FatalError``."""
    destination: Destination[Any] = SteadyDestination(profile.destination.make(), stop)
    stack.callback(destination.close)
    destination.open(create=False)
    return destination
