"""Routing, framing and the command."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from syncengine.testing.google import GoogleEmulator, Library, jpeg
from syncengine.testing.google.shapes import ANSWERS, SHAPES, violations
from syncengine.testing.google.wire.routing import locate
from syncengine.testing.google.wire.server import EmulatorHandler


@contextmanager
def connection(emulator: GoogleEmulator) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=10)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("host", "path", "found"),
    [
        ("www.googleapis.com", "/drive/v3/files", ("www.googleapis.com", "/drive/v3/files", True)),
        ("Drive.googleapis.com:8443", "/drive/v3/files", ("www.googleapis.com", "/drive/v3/files", True)),
        ("127.0.0.1:1", "/photospicker.googleapis.com/v1/x", ("photospicker.googleapis.com", "/v1/x", False)),
        ("[::1]:1", "/drive/v3/files", ("www.googleapis.com", "/drive/v3/files", False)),
        ("localhost", "/token", ("oauth2.googleapis.com", "/token", False)),
        ("localhost:1", "/o/oauth2/v2/auth", ("accounts.google.com", "/o/oauth2/v2/auth", False)),
        ("localhost:1", "/v1/sessions", ("photospicker.googleapis.com", "/v1/sessions", False)),
        ("localhost:1", "/v1/mediaItems", ("photoslibrary.googleapis.com", "/v1/mediaItems", False)),
        ("www.googleapis.com", "/_emulator/counters", ("emulator", "/_emulator/counters", False)),
        ("localhost:1", "/nonsense", ("", "/nonsense", False)),
    ],
)
def test_which_host_is_meant(host: str, path: str, found: tuple[str, str, bool]) -> None:
    assert locate(host, path, {}) == found


def test_the_session_in_the_query_tells_the_picker() -> None:
    assert locate("localhost", "/v1/mediaItems", {"sessionId": ["x"]})[0] == "photospicker.googleapis.com"


@pytest.mark.parametrize(
    ("real", "host", "start"),
    [
        (False, "photoslibrary.googleapis.com", "http://lh3.googleusercontent.com/"),
        (False, "photoslibrary.googleapis.com:99", "http://lh3.googleusercontent.com:99/"),
        (False, "127.0.0.1:99", "http://127.0.0.1:99/lh3.googleusercontent.com/"),
        (True, "127.0.0.1:99", "https://lh3.googleusercontent.com/"),
    ],
)
def test_urls_lead_back_the_way_that_the_client_came(real: bool, host: str, start: str) -> None:
    library = Library()
    library.photos.add("a.jpg")
    with GoogleEmulator(library, real_names=real) as emulator, connection(emulator) as client:
        token = emulator.authority.mint()["access_token"]
        client.request("GET", "/v1/mediaItems", headers={"Host": host, "Authorization": f"Bearer {token}"})
        (item,) = json.loads(client.getresponse().read())["mediaItems"]
    assert item["baseUrl"].startswith(start)


def test_one_connection_serves_many_requests(emulator: Any) -> None:
    token = emulator.authority.mint()["access_token"]
    with connection(emulator) as client:
        for path in ("/drive/v3/files", "/nonsense", "/drive/v3/about?fields=user"):
            client.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            client.getresponse().read()
        client.request("POST", "/v1/mediaItems:search", iter([b'{"page', b'Size":1}']), encode_chunked=True, headers={
            "Authorization": f"Bearer {token}", "Transfer-Encoding": "chunked",
        })  # fmt: skip
        assert client.getresponse().read() == b"{}\n"
        client.request("POST", "/v1/mediaItems:search", b"[1]", headers={"Authorization": f"Bearer {token}"})
        assert client.getresponse().status == 400
    assert emulator.counters.requests["unknown"] == 1


def test_a_length_that_is_none_ends_the_connection(emulator: Any) -> None:
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=10) as raw:
        raw.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400")


def test_five_downloads_run_side_by_side(caller: Any, emulator: Any) -> None:
    photo = emulator.library.photos.add("a.jpg", jpeg("a", 2_000_000))
    url = caller.library(f"mediaItems/{photo.id}").json["baseUrl"] + "=d"
    emulator.faults.latency(0.2, "media.*")
    with ThreadPoolExecutor(5) as pool:
        sizes = list(pool.map(lambda _: len(caller.get(url).body), range(5)))
    assert sizes == [2_000_000] * 5
    assert emulator.counters.most_in_flight == 5


def test_the_shapes_name_only_what_exists() -> None:
    kinds = {kind.rstrip("_") for shape in SHAPES.values() for kind in shape.values()} | set(ANSWERS.values())
    assert kinds - set(SHAPES) <= {"string", "boolean", "integer", "number", "object", "int64", "time", "duration"}


@pytest.mark.parametrize(
    ("shape", "value", "count"),
    [
        ("File", {"size": "3", "createdTime": "2026-01-01T00:00:00.000Z", "parents": ["x"]}, 0),
        ("File", {"size": 3}, 1),
        ("File", {"colour": "red"}, 1),
        ("File", {"parents": "x"}, 1),
        ("File", {"trashed": "false", "createdTime": "yesterday"}, 2),
        ("FileList", {"files": [{"id": "1"}, {"id": 1}, 2]}, 2),
        ("MediaItem", {"mediaMetadata": {"width": 5}}, 1),
        ("MediaFileMetadata", {"width": "5"}, 1),
        ("PollingConfig", {"pollInterval": "5"}, 1),
        ("Photo", {"exposureTime": "0.008s", "isoEquivalent": True}, 1),
    ],
)
def test_violations_are_found(shape: str, value: Any, count: int) -> None:
    assert len(violations(shape, value, "x")) == count


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "drive" / "Takeout").mkdir(parents=True)
    (tmp_path / "drive" / "Takeout" / "part.zip").write_bytes(b"bytes")
    command = [sys.executable, "-m", "syncengine.testing.google", "--port", "0", "--library", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
            assert (told["drive_files"], told["photos"]) == (2, 0)
            form = f"grant_type=refresh_token&refresh_token={told['refresh_token']}&client_id={told['client_id']}"
            form += f"&client_secret={told['client_secret']}"
            with urllib.request.urlopen(told["url"] + "/token", form.encode(), timeout=10) as answer:
                assert json.load(answer)["access_token"]
        finally:
            process.send_signal(2)
    assert process.returncode == 0


def test_a_client_that_is_gone_leaves_nothing_open() -> None:
    ours, theirs = socket.socketpair()
    handler = EmulatorHandler.__new__(EmulatorHandler)
    handler.request, handler.disable_nagle_algorithm = ours, False  # which a pair of local sockets does not know
    handler.setup()
    handler.wfile.write(b"an answer that nobody reads")
    theirs.close()
    handler.finish()
    assert handler.rfile.closed
    ours.close()
    assert ours.fileno() == -1
