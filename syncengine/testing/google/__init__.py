"""Google's side of the conversation, on a loopback address: OAuth, Drive v3, Photos Library v1 and Photos Picker v1.

For tests, benchmarks and foreign clients: ``GoogleEmulator`` from Python, ``python -m syncengine.testing.google`` from
a shell. ``control.admin`` lists the switches over HTTP, ``control.effects`` what faults can do.
"""

from __future__ import annotations

from syncengine.testing.google.accounts.grants import Client
from syncengine.testing.google.content.archives import ArchiveMember, ZipContent
from syncengine.testing.google.content.bytes import BytesContent, Content, FileContent, PaddedContent
from syncengine.testing.google.content.samples import jpeg, mp4
from syncengine.testing.google.control.clock import Clock
from syncengine.testing.google.control.effects import (
    Corrupt,
    Cut,
    EmptyPage,
    ExpiredUrl,
    Garbage,
    IgnoreRange,
    Meanwhile,
    OtherEtag,
    Redirect,
    Refuse,
    TooLong,
    TooShort,
    WrongLength,
    stall,
)
from syncengine.testing.google.emulator import GoogleEmulator
from syncengine.testing.google.library import Library

__all__ = [
    "ArchiveMember",
    "BytesContent",
    "Client",
    "Clock",
    "Content",
    "Corrupt",
    "Cut",
    "EmptyPage",
    "ExpiredUrl",
    "FileContent",
    "Garbage",
    "GoogleEmulator",
    "IgnoreRange",
    "Library",
    "Meanwhile",
    "OtherEtag",
    "PaddedContent",
    "Redirect",
    "Refuse",
    "TooLong",
    "TooShort",
    "WrongLength",
    "ZipContent",
    "jpeg",
    "mp4",
    "stall",
]
