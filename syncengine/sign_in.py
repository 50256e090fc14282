"""The composition root of ``syncengine auth``: signs a profile's source in and out."""

from __future__ import annotations

from typing import Any

from syncengine.api import NeedsSignIn, SignedIn, SignedOut, SignInScreen, SignInStatus, SignInWay
from syncengine.config.interpolation import environment
from syncengine.config.profile import Profile
from syncengine.errors import FatalError
from syncengine.security.vault import ProfileCredentials, Rekeyed, Vault
from syncengine.state.placement import default_state_directory


def sign_in(profile: Profile, screen: SignInScreen, *, way: SignInWay) -> SignedIn:
    """Sign in for a profile and keep the credentials in the vault.

    Args:
        profile: whose source needs it.
        screen: the person.
        way: how.

    Raises:
        FatalError: refused, out of reach, or the vault cannot be written; with what to do.
    """
    store = _credentials(profile)
    source = _source(profile)
    # a vault that cannot be opened is better known before somebody looks for the password
    source.sign_in_status(store)
    return source.sign_in(store, screen, way=way)


def sign_in_status(profile: Profile) -> SignInStatus | None:
    """Return what is known of a profile's sign-in without asking anybody; ``None`` when its source needs none.

    Raises:
        FatalError: the vault cannot be opened.
    """
    if not issubclass(profile.source.plugin, NeedsSignIn):
        return None
    return _source(profile).sign_in_status(_credentials(profile))


def sign_out(profile: Profile) -> SignedOut:
    """Give a profile's credentials up, at the service and here.

    Raises:
        FatalError: the vault cannot be written.
    """
    return _source(profile).sign_out(_credentials(profile))


def rekey(profile: Profile) -> Rekeyed:
    """Encrypt the credentials of all profiles anew, with the key that a profile's environment names now.

    Raises:
        FatalError: an entry cannot be opened; nothing was changed then.
    """
    return _vault(profile).rekey()


def _credentials(profile: Profile) -> ProfileCredentials:
    return _vault(profile).of(profile.name)


def _vault(profile: Profile) -> Vault:
    return Vault(default_state_directory(), environment(profile.file))


def _source(profile: Profile) -> NeedsSignIn:
    source: Any = profile.source.make()
    if not isinstance(source, NeedsSignIn):
        raise FatalError(
            f"the source {profile.source.name} needs no sign-in", advice=f"run 'syncengine run {profile.file}'"
        )
    return source
