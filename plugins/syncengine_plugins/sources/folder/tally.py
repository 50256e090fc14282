"""What a scan listed, what it left out, and what it could not read: the inventory."""

from __future__ import annotations

from collections import Counter

from syncengine.api import Inventory

_EXAMPLES = 3
_LARGEST_LIST = 100
_EXTENSIONS = 1000
_LEFT_OUT = {
    "hidden": "hidden or system files and folders were passed over",
    "links": "symbolic links were not followed",
    "special": "pipes, sockets and devices were passed over",
    "destinations": "folders are the destination of a backup and were passed over",
}


#: What a name that was found in a folder can turn out to be, unless it is a folder that is read itself.
_ENTRIES = ("media", "sidecars", "other", "hidden", "links", "special", "vanished", "unreadable")


class Tally:
    """Counts while a scan goes on; holds examples and totals only, so that it does not grow with the library."""

    def __init__(self) -> None:
        self.items = 0
        self.entries = 0
        self.vanished = 0
        self.unreadable = 0
        self.media = 0
        self.sidecars = 0
        self.albums = 0
        self.other = 0
        self._left_out: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}
        self._extensions: Counter[str] = Counter()
        self._missing: list[str] = []
        self._missed = 0

    def leave_out(self, why: str, path: str) -> None:
        """Count something that is passed over on purpose.

        Args:
            why: ``hidden``, ``links``, ``special`` or ``destinations``.
            path: relative to the root.
        """
        self._left_out[why] += 1
        examples = self._examples.setdefault(why, [])
        if len(examples) < _EXAMPLES:
            examples.append(path)

    def count_other(self, extension: str) -> None:
        """Count a file that is neither photo nor video."""
        self.other += 1
        if extension in self._extensions or len(self._extensions) < _EXTENSIONS:
            self._extensions[extension] += 1

    def miss(self, path: str, error: OSError) -> None:
        """Note a file or directory that should be listed and cannot be read."""
        self._missed += 1
        if len(self._missing) < _LARGEST_LIST:
            self._missing.append(f"{path or '.'}: {error.strerror}")

    def inventory(self, *, others_listed: bool) -> Inventory:
        """Return the totals.

        Args:
            others_listed: files that are neither photo nor video are items as well.
        """
        missing = list(self._missing)
        if self._missed > len(missing):
            missing.append(f"and {self._missed - len(missing)} more")
        counts = {
            "items": self.items,
            "entries": self.entries,
            "media": self.media,
            "sidecars": self.sidecars,
            "other": self.other,
            **self._left_out,
        }
        rare = {"vanished": self.vanished, "unreadable": self.unreadable, "albums": self.albums}
        counts |= {name: count for name, count in rare.items() if count}
        warnings = [
            f"{self._left_out[why]} {text} ({self._named(why)})"
            for why, text in _LEFT_OUT.items()
            if self._left_out[why]
        ]
        if self.other and not others_listed:
            warnings.append(f"{self.other} files are neither photo nor video and are not backed up ({self._kinds()})")
        return Inventory(
            complete=not self._missed,
            missing=tuple(missing),
            counts=counts,
            sums={"items": ("media", "other") if others_listed else ("media",), "entries": _ENTRIES},
            warnings=tuple(warnings),
        )

    def _named(self, why: str) -> str:
        examples = self._examples[why]
        return ", ".join(examples) + (", ..." if self._left_out[why] > len(examples) else "")

    def _kinds(self) -> str:
        common = self._extensions.most_common(6)
        named = ", ".join(
            f"{count} {'.' + extension if extension else 'without extension'}" for extension, count in common
        )
        return named + (", ..." if sum(count for _, count in common) < self.other else "")
