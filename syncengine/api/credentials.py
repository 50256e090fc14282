"""How a source signs in and where its credentials are kept.

A source that needs a sign-in also implements ``NeedsSignIn``; ``syncengine auth`` then calls it. What it has to keep it
puts into the ``CredentialStore``, which encrypts it and belongs to one profile; a run gets the same store in
``RunContext.credentials``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Literal, Protocol

import msgspec

#: ``browser``: one on this machine is opened and answers to this machine. ``paste``: any browser, the address that it
#: ends on is pasted. ``device``: a code is typed into a page on another device.
SignInWay = Literal["browser", "paste", "device"]


class CredentialStore(Protocol):
    """One profile's secrets, encrypted at rest. All methods may be called from several threads and processes."""

    def load(self, name: str) -> bytes | None:
        """Return what was saved under ``name``, or ``None`` when nothing is.

        Args:
            name: lower-case letters, digits and ``-``, at most 40.

        Raises:
            FatalError: the key is missing or another one, or the entry is damaged; with what to do.
        """
        ...

    def save(self, name: str, value: bytes) -> None:
        """Keep ``value``, in one step, in place of what was there; it survives a power cut when this returns.

        Raises:
            FatalError: the key is missing, or the store cannot be written.
        """
        ...

    def delete(self, name: str) -> None:
        """Forget what was saved under ``name``; nothing happens when nothing was."""
        ...


class SignInScreen(Protocol):
    """The person who signs in, as a source sees them."""

    def show(self, text: str) -> None:
        """Show a line, or a few."""
        ...

    def ask(self, question: str) -> str:
        """Return the line that the person answers with; nothing of it is kept or logged."""
        ...

    def browse(self, url: str) -> bool:
        """Open a browser on this machine and return whether one was found."""
        ...


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that worked.

    Args:
        account: who signed in, as the service calls them; empty when it does not say.
        scopes: what was granted.
        warnings: what the user should know, each one line.
    """

    account: str
    scopes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class SignInStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a sign-in without asking the service.

    Args:
        signed_in: there are credentials.
        account: who signed in; empty when it is not known.
        wanted: the scopes that the source needs as the profile has it now.
        granted: the scopes that it got.
        missing: the wanted ones that the granted ones do not cover.
        issued: when the user signed in.
        refreshed: when the service last renewed the credentials.
        expires: when the user will have to sign in again unless a run comes before, as far as it can be told.
        warnings: what will go wrong, each one line with what to do.
    """

    signed_in: bool
    account: str = ""
    wanted: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    issued: datetime | None = None
    refreshed: datetime | None = None
    expires: datetime | None = None
    warnings: tuple[str, ...] = ()


class SignedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of credentials that were given up.

    Args:
        deleted: there were some, and they are gone from this machine.
        revoked: the service confirmed that they are worth nothing any more.
        note: one line for the user when the service did not confirm it, with what to do; empty otherwise.
    """

    deleted: bool
    revoked: bool
    note: str = ""


class NeedsSignIn(ABC):
    """What a source implements beside ``Source`` when it needs somebody to sign in.

    The methods are called on a source that is made with its options and not opened.
    """

    @abstractmethod
    def sign_in(self, store: CredentialStore, screen: SignInScreen, *, way: SignInWay = "browser") -> SignedIn:
        """Sign in and keep the credentials; those of an earlier sign-in stay until the new ones are there.

        Args:
            store: where to keep them.
            screen: the person.
            way: how; a source that does not know a way refuses it with what to use instead.

        Raises:
            FatalError: refused, not granted, or out of reach; with what to do.
        """

    @abstractmethod
    def sign_in_status(self, store: CredentialStore) -> SignInStatus:
        """Return what is known of the sign-in; touches no network."""

    @abstractmethod
    def sign_out(self, store: CredentialStore) -> SignedOut:
        """Delete the credentials, and ask the service to forget them too."""
