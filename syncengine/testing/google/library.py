"""What the user has at Google."""

from __future__ import annotations

from syncengine.testing.google.control.clock import Clock
from syncengine.testing.google.drive.files import Drive


class Library:
    """Everything of one user.

    Args:
        clock: dates what is added; ``None`` takes the machine's.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.drive = Drive(self.clock)
