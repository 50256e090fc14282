"""From a request to its answer: endpoint, faults, token, quota, handler."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from syncengine.testing.google.control.effects import Redirect, Refuse
from syncengine.testing.google.wire.message import Answer, Request, json_answer, redirect, text_answer
from syncengine.testing.google.wire.problems import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncengine.testing.google.accounts.authority import Authority
    from syncengine.testing.google.control.faults import Faults
    from syncengine.testing.google.control.quotas import Quotas
    from syncengine.testing.google.wire.routing import Route, Router


class Dispatcher:
    """Answers requests.

    Args:
        router: the endpoints.
        authority: checks tokens.
        faults: what goes wrong.
        quotas: what is used up.
    """

    def __init__(self, router: Router, authority: Authority, faults: Faults, quotas: Quotas) -> None:
        self._router = router
        self._authority = authority
        self._faults = faults
        self._quotas = quotas
        self.on_answer: Callable[[Request, Answer], None] | None = None

    def answer(self, request: Request) -> Answer:
        """The answer to a request; its ``endpoint`` and ``effects`` are set on the way."""
        found = self._router.find(request)
        if found is None:
            request.endpoint = "unknown"
            return json_answer(ApiError(404, "The requested URL was not found on this server.").body("drive"), 404)
        if found.family != "emulator":
            request.effects = self._faults.due(found.endpoint)
            time.sleep(self._faults.wait_for(found.endpoint))
        try:
            answer = self._handle(found, request)
        except ApiError as problem:
            return problem_answer(found.family, problem)
        if self.on_answer is not None and answer.status < 300:
            self.on_answer(request, answer)
        return answer

    def _handle(self, found: Route, request: Request) -> Answer:
        """The handler's answer, when nothing stands before it.

        Raises:
            ApiError: something does.
        """
        refusal, elsewhere = request.effect(Refuse), request.effect(Redirect)
        if refusal is not None:
            raise refusal.problem
        if elsewhere is not None:
            return redirect(elsewhere.location)
        if found.scopes:
            if found.family == "media" and not bearer(request):
                raise ApiError(403, "This URL opens with an Authorization header only.")
            access = self._authority.check(bearer(request), found.scopes)
            request.scopes, request.account = access.scopes, access.grant.account
        self._quotas.check(found.endpoint)
        return found.handler(request)


def bearer(request: Request) -> str:
    """The access token of a request; empty when it has none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else request.one("access_token")


def problem_answer(family: str, problem: ApiError) -> Answer:
    """An error as its family of endpoints writes it."""
    if family == "media":
        answer = text_answer(f"<h1>Error {problem.status}</h1>{problem.message}", problem.status)
        answer.headers |= problem.headers
        return answer
    return json_answer(problem.body(family), problem.status, problem.headers)
