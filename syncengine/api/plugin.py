"""What plugins of every kind share.

A plugin keeps the promises of its kind, each of which is tested by the suites in ``syncengine.testing``. It raises
``ItemError`` for what concerns one item, ``RetryableError`` for what may pass, ``FatalError`` for what ends the run,
and lets nothing else out on purpose. Anything else that escapes is caught at the item's border, logged with its
traceback, and fails that item alone.
"""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from syncengine.api.options import PluginOptions

OptionsT = TypeVar("OptionsT", bound=PluginOptions)


class Plugin(Generic[OptionsT]):
    """What all kinds share: a class with an ``Options`` Struct, made with an instance of it.

    Args:
        options: already validated and converted.
    """

    #: The options' Struct; its docstring and field descriptions are what ``syncengine plugins`` shows.
    Options: ClassVar[type[PluginOptions]] = PluginOptions

    def __init__(self, options: OptionsT) -> None:
        self.options = options
