"""Signing a profile's source in and out: the composition root of ``syncengine auth``."""

from __future__ import annotations
