# ruff: noqa: D102  (a test's name is its sentence)
"""Links, where the destination has them."""

from __future__ import annotations

from typing import Literal

import pytest

from syncengine.api import ItemError, TargetExistsError
from syncengine.testing.contracts.destination_base import (
    AnyDestination,
    DestinationSuite,
    content_of,
    everything,
    store,
)
from syncengine.testing.promises import raises, same

LinkKind = Literal["hardlink", "symlink"]

_PHOTO = "photos/2019/07/a.jpg"
_LINK = "albums/Rome 2019/a.jpg"


def _has(destination: AnyDestination, kind: LinkKind) -> bool:
    able = destination.capabilities
    return able.hardlinks if kind == "hardlink" else able.symlinks


_each_kind = pytest.mark.parametrize("kind", ["hardlink", "symlink"])


class LinkPromises(DestinationSuite):
    """Promises of ``link``."""

    @_each_kind
    def test_a_link_is_made_or_refused(self, destination: AnyDestination, kind: LinkKind) -> None:
        store(destination, _PHOTO, b"linked")
        if not _has(destination, kind):
            with raises("a link that cannot be is refused with ItemError", ItemError):
                destination.link(_PHOTO, _LINK, kind=kind)
            same("nothing was made", everything(destination), {_PHOTO: b"linked"})
            return
        destination.link(_PHOTO, _LINK, kind=kind)
        destination.link(_PHOTO, _LINK, kind=kind)
        same("the linked file is untouched", content_of(destination, _PHOTO), b"linked")
        destination.remove(_LINK)
        same("removing a link leaves the file", everything(destination), {_PHOTO: b"linked"})

    @_each_kind
    def test_a_link_never_replaces(self, destination: AnyDestination, kind: LinkKind) -> None:
        if not _has(destination, kind):
            return
        store(destination, _PHOTO, b"linked")
        store(destination, _LINK, b"something else")
        with raises("link raises TargetExistsError when something else is there", TargetExistsError):
            destination.link(_PHOTO, _LINK, kind=kind)
        same("what was there is untouched", content_of(destination, _LINK), b"something else")

    @_each_kind
    def test_a_link_to_another_file_is_something_else(self, destination: AnyDestination, kind: LinkKind) -> None:
        if not _has(destination, kind):
            return
        store(destination, _PHOTO, b"one")
        store(destination, "photos/b.jpg", b"two")
        destination.link("photos/b.jpg", _LINK, kind=kind)
        with raises("link raises TargetExistsError when another link is there", TargetExistsError):
            destination.link(_PHOTO, _LINK, kind=kind)

    @_each_kind
    def test_nothing_is_written_through_a_link(self, destination: AnyDestination, kind: LinkKind) -> None:
        if not _has(destination, kind):
            return
        store(destination, _PHOTO, b"linked")
        destination.link(_PHOTO, _LINK, kind=kind)
        with raises("a link is in the way like a file", TargetExistsError):
            store(destination, _LINK, b"through the link")
        same("the linked file is untouched", content_of(destination, _PHOTO), b"linked")

    def test_a_hardlink_is_a_file_of_its_own(self, destination: AnyDestination) -> None:
        if not destination.capabilities.hardlinks:
            return
        store(destination, _PHOTO, b"linked")
        destination.link(_PHOTO, _LINK, kind="hardlink")
        same("both names read alike", everything(destination), {_PHOTO: b"linked", _LINK: b"linked"})
        destination.remove(_PHOTO)
        same("the other name keeps the file", everything(destination), {_LINK: b"linked"})

    def test_a_symlink_is_no_file(self, destination: AnyDestination) -> None:
        if not destination.capabilities.symlinks:
            return
        store(destination, _PHOTO, b"linked")
        destination.link(_PHOTO, _LINK, kind="symlink")
        same("stat sees regular files only", destination.stat(_LINK), None)
        same("list sees regular files only", [found.path for found in destination.list("")], [_PHOTO])

    @_each_kind
    def test_a_link_says_where_it_leads(self, destination: AnyDestination, kind: LinkKind) -> None:
        store(destination, _PHOTO, b"linked")
        same("a file leads nowhere", destination.link_target(_PHOTO), None)
        same("what is not there leads nowhere", destination.link_target(_LINK), None)
        if not _has(destination, kind):
            return
        destination.link(_PHOTO, _LINK, kind=kind)
        leads = _PHOTO if kind == "symlink" else None
        same("a symbolic link leads to its file, a hard link is one", destination.link_target(_LINK), leads)
        destination.remove(_PHOTO)
        same("a link says so also when nothing is there", destination.link_target(_LINK), leads)
