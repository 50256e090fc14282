"""Plugins for syncengine, as an example for authors: the source ``file-list`` and the transform ``shrink``."""
