"""Requests to Google's APIs: what is tried again, what ends the run, what fails one item, and where tokens go."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest

from syncengine.api import FatalError, ItemError, QuotaError, RetryableError
from syncengine.testing.google.control.clock import Clock as SharedClock
from syncengine_plugins.google import limits
from syncengine_plugins.google.account import GoogleAccount
from syncengine_plugins.google.answers import GoogleAnswerError
from syncengine_plugins.google.call import Call
from syncengine_plugins.google.client_file import OAuthClient
from syncengine_plugins.google.endpoints import GoogleEndpoints
from syncengine_plugins.google.grant import Grant, save_grant
from syncengine_plugins.google.quota import DailyQuota, MemoryCounters
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.google.token_endpoint import TokenAnswer
from syncengine_plugins.google.transport import Timeouts, Transport
from tests.unit.plugins.google.people import FakeClock
from tests.unit.plugins.google.scripted import Reply, ScriptedServer

WELL = Reply(body=b'{"name": "Rome"}')


class Album(msgspec.Struct):
    name: str


def error(status: int, reason: str = "", message: str = "no", **headers: str) -> Reply:
    body = {"error": {"code": status, "message": message, "errors": [{"domain": "global", "reason": reason}]}}
    return Reply(status, json.dumps(body).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


class Renewals:
    """A token endpoint that always has a new token."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.count = 0

    def renew(self, client: OAuthClient, refresh_token: str) -> TokenAnswer:
        self.count += 1
        return TokenAnswer(access_token=f"ya29.{self.count}", expires_in=3600)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SharedClock())


@pytest.fixture
def account(clock, store) -> GoogleAccount:
    now = clock.now()
    save_grant(
        store,
        Grant(
            client_id="1-a",
            client_secret="GOCSPX-s",
            refresh_token="1//r",
            access_token="ya29.0",
            renew_at=now + 3600,
            scopes=(),
            issued_at=now,
            refreshed_at=now,
        ),
    )
    return GoogleAccount(store, Renewals(clock))


@pytest.fixture
def session(server, account, clock) -> Iterator[GoogleSession]:
    """A session whose API is the scripted server."""
    transport = Transport(GoogleEndpoints.at(server.url), timeouts=Timeouts(2, 0.3))
    made = GoogleSession(account, transport, DailyQuota("1", MemoryCounters(), clock), clock)
    yield made
    made.close()


def call(server: ScriptedServer, path: str = "/v1/albums/1", **more) -> Call:
    return Call(what="the album", url=server.url + path, **more)


def test_an_answer_becomes_a_value(session, server):
    server.replies(WELL)
    assert session.json(call(server, params=(("a", "1"), ("a", "2"))), Album) == Album("Rome")
    asked = server.asked[0]
    assert asked.path == "/v1/albums/1?a=1&a=2"
    assert asked.headers["authorization"] == f"Bearer {session.account.token()}"
    assert asked.headers["accept-encoding"] == "identity"


def test_a_body_is_sent_as_json(session, server):
    server.replies(WELL)
    session.json(call(server, method="POST", body={"pageSize": 100}), Album)
    assert server.asked[0].body == b'{"pageSize":100}'
    assert server.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "reply",
    [
        error(500),
        error(502),
        error(503),
        error(504),
        error(408),
        error(403, "rateLimitExceeded"),
        error(403, "userRateLimitExceeded", "User rate limit exceeded"),
        Reply(hang_up=True),
        Reply(body=b'{"name": "Rome"', cut=5),
        Reply(body=b"<html>garbage"),
        Reply(body=b'{"name": 3}'),
        Reply(body=b"[]"),
        Reply(503, b"<html>busy</html>"),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:12]!r}-{reply.hang_up}",
)
def test_what_may_pass_is_tried_again(session, server, clock, reply):
    server.replies(reply, reply, WELL)
    assert session.json(call(server), Album) == Album("Rome")
    assert len(clock.waits) == 2
    assert 1 <= clock.waits[0] < clock.waits[1]


def test_no_answer_in_time_is_tried_again(session, server, clock):
    server.replies(Reply(body=b"{}", headers={"Content-Length": "500"}), WELL)
    assert session.json(call(server), Album) == Album("Rome")


def test_trying_ends(session, server):
    server.replies(error(503, message="Backend Error"))
    with pytest.raises(RetryableError, match=r"the album: 127.0.0.1 answered 503: Backend Error"):
        session.json(call(server, tries=3), Album)
    assert len(server.asked) == 3


def test_429_waits_half_a_minute_at_least_and_longer_each_time(session, server, clock):
    server.replies(error(429, "rateLimitExceeded", "Quota exceeded for limit 'Queries per minute'"), error(429), WELL)
    session.json(call(server), Album)
    assert clock.waits[0] >= 30
    assert clock.waits[1] >= 45


def test_retry_after_is_kept_but_not_beyond_reason(session, server, clock):
    server.replies(
        error(429, Retry_After="77"), error(503, Retry_After="5"), error(503, Retry_After="99999999999"), WELL
    )
    session.json(call(server), Album)
    assert clock.waits[0] >= 77
    assert clock.waits[1] >= 5
    assert clock.waits[2] == 900


def test_retry_after_a_date_is_reckoned_by_googles_clock(session, server, clock):
    clock.offset = 3600
    reply = error(503, Retry_After="Sun, 01 Jan 2040 00:00:50 GMT", Date="Sun, 01 Jan 2040 00:00:10 GMT")
    server.replies(reply, WELL)
    session.json(call(server), Album)
    assert clock.waits[0] == pytest.approx(40, abs=1)


def test_a_caller_that_repeats_by_itself_is_told_how_long_to_wait(session, server, clock):
    server.replies(error(429, Retry_After="40"))
    with pytest.raises(RetryableError) as caught:
        session.json(call(server, tries=1), Album)
    assert caught.value.after == 40
    assert clock.waits == []


@pytest.mark.parametrize(
    "reply",
    [
        error(
            429, "rateLimitExceeded", "Quota exceeded for quota metric 'All requests' and limit 'All requests per day'"
        ),
        error(403, "dailyLimitExceeded", "Daily Limit Exceeded"),
        error(403, "downloadQuotaExceeded", "The download quota for this file has been exceeded."),
        Reply(
            429,
            b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"reason": "RATE_LIMIT_EXCEEDED", '
            b'"metadata": {"quota_limit": "ApiCallsPerProjectPerDay"}}]}}',
        ),
    ],
)
def test_a_day_that_is_used_up_ends_the_run_with_the_time_to_try_again(session, server, clock, reply):
    server.replies(reply)
    with pytest.raises(QuotaError) as caught:
        session.json(call(server), Album)
    assert len(server.asked) == 1
    assert clock.now() < caught.value.again.timestamp() <= clock.now() + 25 * 3600
    assert caught.value.again.hour == 0
    assert "run again after" in caught.value.advice


def test_401_gets_a_new_token_once(session, server, clock):
    first = session.account.token()
    server.replies(error(401, "authError"), WELL)
    assert session.json(call(server), Album) == Album("Rome")
    tokens = [asked.headers["authorization"].removeprefix("Bearer ") for asked in server.asked]
    assert tokens[0] == first
    assert tokens[1] == session.account.token() != first
    assert clock.waits == []


def test_401_with_a_new_token_ends_the_run(session, server):
    server.replies(error(401, "authError", "Request had invalid authentication credentials."))
    with pytest.raises(FatalError) as caught:
        session.json(call(server), Album)
    assert "syncengine auth login" in caught.value.advice
    assert len(server.asked) == 2


def test_401_for_bytes_concerns_them_alone(session, server):
    server.replies(error(401))
    with pytest.raises(GoogleAnswerError) as caught:
        session.run(call(server, api=limits.PICKER_BYTES))
    assert caught.value.status == 401


@pytest.mark.parametrize(
    "reply",
    [
        error(403, "insufficientPermissions", "Insufficient Permission"),
        error(403, "", "Request had insufficient authentication scopes."),
        error(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        Reply(403, b"", {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}),
    ],
)
def test_a_missing_scope_ends_the_run_with_what_to_do(session, server, reply):
    server.replies(reply)
    with pytest.raises(FatalError) as caught:
        session.json(call(server), Album)
    assert "auth login PROFILE" in caught.value.advice
    assert "tick every box" in caught.value.advice


def test_an_api_that_is_off_says_where_to_turn_it_on(session, server):
    server.replies(error(403, "accessNotConfigured", "Drive API has not been used in project 12 before"))
    with pytest.raises(FatalError) as caught:
        session.json(call(server), Album)
    assert "enable this API" in caught.value.advice


@pytest.mark.parametrize("status", [400, 403, 404, 410, 412, 416])
def test_a_refusal_concerns_one_item(session, server, status):
    server.replies(error(status, "notFound", "File not found: x"))
    with pytest.raises(GoogleAnswerError, match=f"the album: 127.0.0.1 answered {status}: File not found") as caught:
        session.json(call(server), Album)
    assert caught.value.status == status
    assert caught.value.codes == {"notfound"}
    assert not isinstance(caught.value, RetryableError)
    assert len(server.asked) == 1


def test_a_status_may_be_allowed(session, server):
    server.replies(error(416, Content_Range="bytes */10"))
    with session.stream(call(server, allow=frozenset({416}))) as answer:
        assert answer.status == 416
        assert answer.headers["content-range"] == "bytes */10"


def test_googles_words_are_made_fit_for_showing(session, server):
    message = "see https://evil.example/x?token=1 \x1b[31m and " + "A1b2" * 20 + "\nsecond line"
    server.replies(error(404, message=message))
    with pytest.raises(GoogleAnswerError) as caught:
        session.run(call(server))
    assert str(caught.value) == "the album: 127.0.0.1 answered 404: see … [31m and … second line"


def test_bytes_come_piece_by_piece(session, server):
    server.replies(Reply(206, bytes(range(256)) * 20, {"Content-Range": "bytes 0-5119/9000"}))
    with session.stream(call(server, headers={"Range": "bytes=0-5119"})) as answer:
        assert (answer.status, answer.length) == (206, 5120)
        pieces = list(answer.chunks(1000))
    assert [len(piece) for piece in pieces] == [1000] * 5 + [120]
    assert b"".join(pieces) == bytes(range(256)) * 20
    assert server.asked[0].headers["range"] == "bytes=0-5119"


def test_bytes_that_are_cut_are_noticed(session, server):
    server.replies(Reply(body=b"x" * 5000, cut=100))
    with session.stream(call(server)) as answer, pytest.raises(RetryableError, match="failed or was cut"):
        list(answer.chunks(1000))


def test_bytes_that_stop_coming_are_noticed(session, server):
    server.replies(Reply(body=b"x" * 10, headers={"Content-Length": "5000"}))
    with session.stream(call(server)) as answer, pytest.raises(RetryableError, match=r"did not answer in time|was cut"):
        list(answer.chunks(1000))


def test_bytes_that_come_encoded_are_refused(session, server):
    server.replies(Reply(body=b"x", headers={"Content-Encoding": "gzip"}))
    with session.stream(call(server)) as answer, pytest.raises(RetryableError, match="encoded"):
        list(answer.chunks())


def test_an_endless_json_answer_is_cut_short(session, server, monkeypatch):
    monkeypatch.setattr("syncengine_plugins.google.session._LARGEST_JSON", 1000)
    server.replies(Reply(body=b" " * 2000))
    with pytest.raises(RetryableError, match="longer than 1,000 bytes"):
        session.json(call(server, tries=1), Album)


def test_a_redirect_within_google_keeps_the_token(session, server):
    server.replies(Reply(302, b"", {"Location": "/elsewhere?x=1"}), WELL)
    assert session.json(call(server), Album) == Album("Rome")
    assert server.asked[1].path == "/elsewhere?x=1"
    assert "authorization" in server.asked[1].headers


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/x",
        "http://127.0.0.1:1/x",
        "//evil.example/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "http://user@127.0.0.1/x",
        "http://127.0.0.1\\@evil.example/x",
    ],
)
def test_a_redirect_to_anybody_else_is_not_followed(session, server, target):
    server.replies(Reply(302, b"", {"Location": target}))
    with pytest.raises(ItemError, match="nothing is fetched from there"):
        session.run(call(server))
    assert len(server.asked) == 1


def test_redirects_end(session, server):
    server.replies(Reply(302, b"", {"Location": "/again"}))
    with pytest.raises(RetryableError, match="redirects without end"):
        session.run(call(server, tries=1))


def test_what_is_posted_is_not_carried_to_a_redirect(session, server):
    server.replies(Reply(307, b"", {"Location": "/elsewhere"}))
    with pytest.raises(ItemError, match="redirect, which is not followed"):
        session.run(call(server, method="POST", body={}))
    assert len(server.asked) == 1


def test_a_call_without_the_token_sends_none_even_if_netrc_has_a_password(session, server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    session._transport._session.trust_env = True
    server.replies(WELL)
    session.json(call(server, bearer=False), Album)
    assert "authorization" not in server.asked[0].headers


def test_cookies_are_not_kept(session, server):
    server.replies(Reply(body=b"{}", headers={"Set-Cookie": "a=b"}))
    session.run(call(server))
    session.run(call(server))
    assert "cookie" not in server.asked[1].headers


def test_the_days_limit_is_kept_without_asking(session, server):
    session.quota.spend(limits.LIBRARY, 9_999)
    server.replies(WELL)
    session.json(call(server, api=limits.LIBRARY), Album)
    with pytest.raises(QuotaError, match="10,000 Photos Library API requests"):
        session.json(call(server, api=limits.LIBRARY), Album)
    assert len(server.asked) == 1


def test_a_certificate_that_nobody_trusts_ends_the_run(account, clock, monkeypatch):
    import requests

    transport = Transport(GoogleEndpoints())

    def refuse(*args, **options):
        raise requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED /secret-path")

    monkeypatch.setattr(transport._session, "request", refuse)
    session = GoogleSession(account, transport, DailyQuota("1", MemoryCounters(), clock), clock)
    with pytest.raises(FatalError, match=r"certificate of www.googleapis.com is not trusted") as caught:
        session.run(Call(what="the files", url="https://www.googleapis.com/drive/v3/files"))
    assert "clock" in caught.value.advice
    assert "secret-path" not in str(caught.value)
    session.close()
