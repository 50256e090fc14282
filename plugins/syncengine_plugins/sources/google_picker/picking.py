"""One picking, from the link to the list: a session is begun or taken up again, and waited for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from syncengine.api import FatalError, ItemError, RunContext
from syncengine_plugins.google.answers import GoogleAnswerError
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.photos.facts import instant
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.sources.google_picker.invitation import checked_link, invitation, shows_codes
from syncengine_plugins.sources.google_picker.memory import Memory, OpenSession
from syncengine_plugins.sources.google_picker.picker_api import PickerApi, is_session_id
from syncengine_plugins.sources.google_picker.records import PickingSession, seconds

_LOG = logging.getLogger(__name__)
_USUAL_INTERVAL = 5.0
_USUAL_PATIENCE = 1800.0
_SHORTEST, _LONGEST = 1.0, 60.0
_SLICE = 1.0


class Picking:
    """Waits for a person to pick.

    Args:
        api: the Picker.
        session: whose account it is.
        memory: knows a session that an earlier run left open.
        clock: tells the time and waits.
        context: shows the link.
    """

    def __init__(
        self, api: PickerApi, session: GoogleSession, memory: Memory, clock: Clock, context: RunContext
    ) -> None:
        self._api = api
        self._session = session
        self._memory = memory
        self._clock = clock
        self._context = context

    def picked(self) -> OpenSession | None:
        """Return the session in which somebody picked, or ``None`` when the run is asked to end meanwhile.

        Raises:
            FatalError: nobody did in time, or Google opens no session; with what to do.
        """
        session = self._taken_up() or self._begun()
        if not session.media_items_set and not self._wait(session):
            return None
        kept = self._memory.session()
        return kept if kept is not None and kept.id == session.id else OpenSession(session.id)

    def _taken_up(self) -> PickingSession | None:
        """Return the session that an earlier run left open, if it still lives."""
        kept = self._memory.session()
        if kept is None:
            return None
        try:
            session = self._asked(kept.id) if is_session_id(kept.id) else None
        except GoogleAnswerError:
            session = None  # it has ended, or belongs to another account
        if session is not None and (session.media_items_set or self._patience(session) > 0):
            return session
        if session is not None:
            self._close_unused(session.id)
        self._memory.forget()
        return None

    def _close_unused(self, session_id: str) -> None:
        """Close a session that Google would have us ask no more, so that open ones do not add up."""
        try:
            self._api.delete(session_id)
        except ItemError as error:
            _LOG.warning("an unused picking session could not be closed: %s", error)

    def _begun(self) -> PickingSession:
        try:
            session = self._api.create()
        except ItemError as error:
            if isinstance(error, GoogleAnswerError) and "failed_precondition" in error.codes:
                advice = "open https://photos.google.com once with this account, or sign in with another one"
                raise FatalError(f"this account cannot pick photos ({error.reason})", advice=advice) from None
            raise FatalError(
                f"Google opens no picking session: {error.reason}", advice="run again in a few minutes"
            ) from None
        self._memory.keep(OpenSession(session.id))
        return session

    def _wait(self, session: PickingSession) -> bool:
        """Show the link and ask now and then, as often and as long as Google says, until the user is done."""
        patience = self._patience(session)
        end = self._clock.steady() + patience
        minutes = max(1, round(patience / 60))
        link = checked_link(session.picker_uri, self._session.endpoints)
        account = self._session.account.grant.account
        self._context.say(invitation(link, account, minutes, with_code=shows_codes()))
        while not session.media_items_set:
            left = end - self._clock.steady()
            if left <= 0 or self._patience(session) <= 0:
                raise self._nobody(session, minutes)
            self._context.tick(f"waiting for you to pick photos ({max(1, round(left / 60))} minutes left)")
            if not self._pause(min(_interval(session), left)):
                return False
            session = self._asked_again(session.id)
        return True

    def _asked_again(self, session_id: str) -> PickingSession:
        try:
            return self._asked(session_id)
        except GoogleAnswerError as error:
            self._memory.forget()
            raise FatalError(
                f"nobody picked any photos before the link ended ({error.reason})", advice="run again for a new link"
            ) from None

    def _asked(self, session_id: str) -> PickingSession:
        try:
            return self._api.get(session_id)
        except GoogleAnswerError as error:
            if error.status in (400, 403, 404, 410):
                raise
            raise FatalError(error.reason, advice="run again later: the same link stays good") from None
        except ItemError as error:
            raise FatalError(error.reason, advice="run again later: the same link stays good") from None

    def _pause(self, length: float) -> bool:
        """Let some time pass; return whether the run goes on."""
        end = self._clock.steady() + length
        while (left := end - self._clock.steady()) > 0:
            if self._context.stopping():
                return False
            self._clock.wait(min(_SLICE, left))
        return not self._context.stopping()

    def _patience(self, session: PickingSession) -> float:
        """Return how many seconds there are for the user: what Google says, and not beyond the session's end."""
        config = session.polling_config
        said = seconds(config.timeout_in) if config is not None else None
        patience = _USUAL_PATIENCE if said is None else said
        expires = instant(session.expire_time)
        if expires is not None and expires.instant is not None:
            # by Google's clock, as far as it is known how wrong this machine's is
            patience = min(patience, expires.instant / 1000 - self._clock.now() - self._session.account.grant.skew)
        return patience

    def _nobody(self, session: PickingSession, minutes: int) -> FatalError:
        expires = instant(session.expire_time)
        until = ""
        if expires is not None and expires.instant is not None:
            until = f" until {_local(expires.instant / 1000 - self._session.account.grant.skew)}"
        return FatalError(
            f"nobody picked any photos within {minutes} minutes",
            advice=f"the link stays good{until} or until the next run: pick there, then run again",
        )


def _interval(session: PickingSession) -> float:
    config = session.polling_config
    said = seconds(config.poll_interval) if config is not None else None
    return min(max(said or _USUAL_INTERVAL, _SHORTEST), _LONGEST)


def _local(moment: float) -> str:
    return datetime.fromtimestamp(min(max(moment, 0.0), 4e9), UTC).astimezone().strftime("%Y-%m-%d %H:%M")
