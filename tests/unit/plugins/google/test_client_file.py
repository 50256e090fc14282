"""The OAuth client file, and everything that is taken for one."""

from __future__ import annotations

import json

import pytest

from syncengine.api import FatalError
from syncengine_plugins.google.client_file import OAuthClient, read_client_file

GOOD = {
    "client_id": "123-abc.apps.googleusercontent.com",
    "client_secret": "GOCSPX-x",
    "token_uri": "https://evil.example",
}


def written(tmp_path, content):
    path = tmp_path / "credentials.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_desktop_client(tmp_path):
    client = read_client_file(written(tmp_path, {"installed": GOOD}))
    assert client == OAuthClient(GOOD["client_id"], GOOD["client_secret"])
    assert client.project == "123"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"web": GOOD}, "type 'Web application'"),
        ({"type": "service_account", "private_key": "x", "client_id": "1"}, "service account"),
        ({"type": "authorized_user", "refresh_token": "1//x", "client_id": "1"}, "a token of another program"),
        ({"access_token": "ya29.x"}, "a token of another program"),
        (GOOD, "not as downloaded"),
        ({"installed": {**GOOD, "client_secret": ""}}, "has no 'client_secret'"),
        ({"installed": {"client_secret": "x"}}, "has no 'client_id'"),
        ({"installed": {**GOOD, "client_id": 5}}, "has no 'client_id'"),
        ({"installed": {**GOOD, "client_id": "two words"}}, "'client_id' that is none"),
        ({"installed": []}, "no 'installed' part"),
        ({}, "no 'installed' part"),
        ([1], "no JSON object"),
        ("installed: yes", "is not JSON"),
        ("", "is not JSON"),
    ],
)
def test_anything_else_is_explained(tmp_path, content, complaint):
    path = written(tmp_path, content)
    with pytest.raises(FatalError, match=complaint) as caught:
        read_client_file(path)
    assert str(path) in caught.value.reason
    assert "Desktop app" in caught.value.advice
    assert "1//x" not in caught.value.reason


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FatalError, match="cannot be read: No such file"):
        read_client_file(tmp_path / "credentials.json")


def test_a_directory(tmp_path):
    with pytest.raises(FatalError, match="cannot be read"):
        read_client_file(tmp_path)
