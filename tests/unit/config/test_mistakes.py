from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.errors import ConfigError

MISTAKES = Path(__file__).with_name("mistakes.txt")
ENVIRONMENT = {"Q": "best", "EMPTY": "", "API_TOKEN": "hunter2"}


def _mistakes() -> Iterator[tuple[str, str, list[str]]]:
    for part in MISTAKES.read_text(encoding="utf-8").split("\n=== ")[1:]:
        name, _, rest = part.partition("\n")
        profile, _, says = rest.partition("--- says\n")
        yield name, profile, says.strip().splitlines()


@pytest.mark.parametrize(("profile", "says"), [pytest.param(p, s, id=name) for name, p, s in _mistakes()])
def test_each_mistake_is_named_with_its_place(load, profile: str, says: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(profile, ENVIRONMENT)
    lines = [re.sub(r"^p\.yaml:[ ]?", "", str(problem)) for problem in caught.value.problems]
    assert lines == says


def test_all_mistakes_are_found_at_once_in_the_order_of_the_file(load) -> None:
    text = """\
versoin: 1
source:
  takeout: {path: 3}
transforms:
  - heic-to-jpeg: {quality: "${MISSING}", sharpness: -1}
  - sepia
dedup:
  - sha256: {depth: 1}
destination: {filesystem: {path: ./a, path: ./b}}
timezone: Nowhere
"""
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert [(problem.line, problem.column, problem.path) for problem in caught.value.problems] == [
        (1, 1, "$.versoin"),
        (1, 1, "$"),
        (3, 19, "$.source.takeout.path"),
        (5, 29, "$.transforms[0].heic-to-jpeg.quality"),
        (5, 54, "$.transforms[0].heic-to-jpeg.sharpness"),
        (6, 5, "$.transforms[1]"),
        (8, 14, "$.dedup[0].sha256.depth"),
        (9, 39, "$.destination.filesystem.path"),
        (10, 11, "$.timezone"),
    ]


def test_no_message_shows_a_secret(load) -> None:
    secrets = {"NAS_PASSWORD": "correct horse", "API_TOKEN": "hunter2", "SECRET_KEY": "7777"}
    text = """\
version: 1
source: {takeout: {path: ./in, token: [a]}}
destination: {filesystem: {path: ./out}}
transforms:
  - heic-to-jpeg: {quality: "${NAS_PASSWORD}", subsampling: "${API_TOKEN}", border: {width: "-${SECRET_KEY}"}}
execution: {downloads: "${SECRET_KEY}", bandwidth: "${API_TOKEN}"}
timezone: ${NAS_PASSWORD}
"""
    with pytest.raises(ConfigError) as caught:
        load(text, secrets)
    said = str(caught.value)
    assert len(caught.value.problems) == 7
    assert not [secret for secret in secrets.values() if secret in said]
    assert all(name in said for name in secrets)
