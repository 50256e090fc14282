"""The command line: ``syncengine``. One module per command; ``output`` has the words for people."""

from __future__ import annotations

from syncengine.cli.entry import main

__all__ = ["main"]
