"""What may be wrong with an archive, or with one member of it; caught inside this plugin."""

from __future__ import annotations


class PartDamagedError(Exception):
    """A part cannot be read (any further); the message says why. What was read before is good."""


class PartUnreachableError(Exception):
    """A part cannot be read now, which may pass: the next run tries again. The message says why."""


class MemberDamagedError(Exception):
    """A member's bytes are not what its archive promised; the message says how."""
