"""Which addresses are Google's."""

from __future__ import annotations

import pytest

from syncengine.api import FatalError
from syncengine_plugins.google.answers import retry_after
from syncengine_plugins.google.device import presentable_page
from syncengine_plugins.google.endpoints import GoogleEndpoints, host_of

GOOGLE = GoogleEndpoints()
BYTES = "https://lh3.googleusercontent.com/lr/AAA=d"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.googleapis.com/drive/v3/files?q='root'%20in%20parents",
        "https://photoslibrary.googleapis.com/v1/albums",
        "https://photospicker.googleapis.com:443/v1/sessions",
        "https://oauth2.googleapis.com/token",
        BYTES,
        "https://video-downloads.googleusercontent.com/AAA",
        "https://rr4---sn-4g5e6nsz.googlevideo.com/videoplayback?id=1",
    ],
)
def test_google_is_google(url):
    GOOGLE.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://www.googleapis.com/drive/v3/files",
        "https://www.googleapis.com:8443/",
        "https://www.googleapis.com.evil.example/",
        "https://evilgoogleapis.com/",
        "https://storage.googleapis.com/anybodys-bucket/x",
        "https://4.3.2.1.bc.googleusercontent.com/",  # a rented machine
        "https://googleusercontent.com/",
        "https://lh3.googleusercontent.com@evil.example/",
        "https://lh3.googleusercontent.com\\@evil.example/",
        "https://evil.example\\.googleusercontent.com/",
        "https://lh3.googleusercontent.com:pass@evil.example/",
        "https://127.0.0.1/",
        "http://localhost/",
        "https://[::1]/",
        "https:///nothing",
        "https://lh3.googleusercontent.com\r\nHost: evil.example/",
        "https://lh3.googleusercontent.com /",
        "https://lh3.googleusercontent.com:99999/",
        "https://lh3.googleusercontent.com:x/",
        "//lh3.googleusercontent.com/",
        "file:///etc/passwd",
        "gopher://lh3.googleusercontent.com/",
        "https://lh3。googleusercontent.com/",
        "https://\u0131h3.googleusercontent.com/",
        "",
    ],
)
def test_nobody_else_is(url):
    with pytest.raises(ValueError, match=r"."):
        GOOGLE.check(url)


def test_the_token_does_not_go_where_videos_lie():
    assert GOOGLE.may_have_token(BYTES)
    assert GOOGLE.may_have_token("https://www.googleapis.com/drive/v3/files")
    assert not GOOGLE.may_have_token("https://rr4---sn-4g5e6nsz.googlevideo.com/videoplayback?id=1")


@pytest.mark.parametrize(
    "root", ["http://127.0.0.1:8443", "http://localhost:8443", "http://[::1]:8443", "https://x.example"]
)
def test_one_origin_can_stand_for_google(root):
    endpoints = GoogleEndpoints.at(root + "/")
    endpoints.check(f"{root}/lr/AAA=d")
    assert endpoints.token_uri == f"{root}/token"
    assert endpoints.is_loopback is (root != "https://x.example")
    for other in (BYTES, "https://www.googleapis.com/", "http://127.0.0.1:9/", "https://x.example:8443/"):
        with pytest.raises(ValueError, match="not one of Google's hosts"):
            endpoints.check(other)


@pytest.mark.parametrize(
    "endpoint",
    ["http://nas.local:8443", "http://192.168.1.2", "ftp://127.0.0.1", "127.0.0.1:8443", "https://a@b.example", "x",
     "https://x.example/path", "https://x.example?query", "http://127.0.0.1.evil.example", "http://2130706433.example"],
)  # fmt: skip
def test_plain_http_is_for_loopback_addresses_only(endpoint):
    with pytest.raises(FatalError, match="cannot be used"):
        GoogleEndpoints.at(endpoint)


def test_no_endpoint_is_google():
    assert GoogleEndpoints.at("") == GOOGLE


def test_messages_name_the_host_alone():
    assert host_of("https://lh3.googleusercontent.com/secret?token=secret") == "lh3.googleusercontent.com"
    assert host_of("https://[") == "an address without a host"


def test_the_page_for_device_codes_is_googles():
    assert presentable_page("https://www.google.com/device", GOOGLE) == "https://www.google.com/device"
    for url in (
        "https://evil.example/device",
        "http://www.google.com/device",
        "https://www.google.com@evil.example/",
        "[",
    ):
        assert presentable_page(url, GOOGLE) == "https://www.google.com/device"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("5", 5),
        (" 5 ", 5),
        ("0", 0),
        ("100000", 900),
        ("9" * 5000, 900),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("Thu, 01 Jan 1970 00:01:10 GMT", 10),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0),
        ("Thu, 99 Jan 1970 00:00:10 GMT", None),
        ("", None),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after(value, now=60) == seconds
