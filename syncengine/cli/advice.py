"""What to do about items that failed, by the kind of failure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

#: What a reason says, and what helps; the first that fits counts. Reasons that carry their own advice need none.
_ADVICE = (
    (r"when the plan was made", "make a new plan with 'syncengine plan PROFILE -o FILE'"),
    (
        r"untouched original is kept|could not be made again",
        "look at them; what opens nowhere is damaged in the source too (select.exclude.names leaves it out)",
    ),
    (
        r"checksum|compressed bytes|archive ends|instead of \d+|ends after|holds more than|MD5|incomplete|truncated",
        "its bytes are damaged or cut off: download that archive, or that file, again",
    ),
    (r"took longer|timed out|more memory|out of memory|worker", "raise execution.item_timeout or item_memory"),
    (r"[Pp]ermission", "give the user that runs syncengine the right to read and write there"),
    (r"taken by another file|already exists|no directory|neither a file nor a link", "move away what is in its place"),
    (r"refuses the name|too long|is no path", "choose another layout.path, with shorter names"),
    (r"larger than the destination|No space|quota", "make room, or choose a destination that takes larger files"),
    (r"capture time makes no sense", "correct its date in the source"),
    (r"changed (since|while)|not there any more|was replaced", "run again when nothing else writes to the source"),
    (r"connection|did not answer|answered \d+|answer|Google|cannot be asked", "run again; later, if it is the service"),
    (r"internal error", "run again with --debug, and report what it says"),
)
_ANYTHING = "run again; --debug says more"


def advice_for(reasons: Iterable[str]) -> list[tuple[str, int]]:
    """Return what to do, and for how many of the failures, that of most failures first."""
    return Counter(map(_advice, reasons)).most_common()


def _advice(reason: str) -> str:
    return next((advice for pattern, advice in _ADVICE if re.search(pattern, reason)), _ANYTHING)
