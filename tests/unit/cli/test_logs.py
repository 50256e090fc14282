"""Log lines on stderr."""

from __future__ import annotations

import json
import logging
import sys

import click
import pytest

from syncengine.cli.logs import JsonLines, LogChoice, PeoplesLines


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """Leave the logging of the tests as it was."""
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    root.handlers = handlers
    root.setLevel(level)


def record_of(text, *arguments, error=None):
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("syncengine.x", logging.WARNING, "x.py", 1, text, arguments, info)


def raised():
    try:
        {}["oops"]
    except KeyError as error:
        return error


def test_json_lines_are_one_object_a_line():
    line = JsonLines().format(record_of("é %s\nsecond", 1, error=raised()))
    assert "\n" not in line
    found = json.loads(line)
    assert (found["level"], found["logger"], found["message"]) == ("warning", "syncengine.x", "é 1\nsecond")
    assert "KeyError: 'oops'" in found["traceback"]
    assert "traceback" not in json.loads(JsonLines().format(record_of("well")))


def test_people_see_one_line_and_the_traceback_only_when_they_debug():
    record = record_of("it failed", error=raised())
    logging.getLogger().setLevel(logging.WARNING)
    assert PeoplesLines().format(record) == "warning: syncengine.x: it failed"
    logging.getLogger().setLevel(logging.DEBUG)
    lines = PeoplesLines().format(record).splitlines()
    assert lines[0] == "warning: syncengine.x: it failed"
    assert lines[-1] == "KeyError: 'oops'"
    assert PeoplesLines().format(record_of("well")) == "warning: syncengine.x: well"


@pytest.mark.parametrize(
    ("line", "environment", "profile", "level"),
    [
        (None, None, None, logging.WARNING),
        (None, None, "INFO", logging.INFO),
        (None, "error", "INFO", logging.ERROR),
        ("DEBUG", "error", "INFO", logging.DEBUG),
    ],
)
def test_the_command_line_has_the_say_then_the_environment_then_the_profile(
    monkeypatch, line, environment, profile, level
):
    if environment:
        monkeypatch.setenv("LOG_LEVEL", environment)
    LogChoice(line, as_json=False).apply(fallback=profile)
    assert logging.getLogger().level == level


@pytest.mark.parametrize("level", ["loud", "warn ing", "10"])
def test_a_level_that_does_not_exist_is_a_wrong_command_line(level):
    with pytest.raises(click.UsageError, match="there is no log level"):
        LogChoice(level, as_json=False)


def test_a_level_of_the_environment_that_does_not_exist_is_refused_as_well(monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(click.UsageError, match="'loud'"):
        LogChoice(None, as_json=False)


@pytest.mark.parametrize("as_json", [False, True])
def test_records_go_to_stderr_in_the_chosen_form(capsys, as_json):
    LogChoice("info", as_json=as_json).apply()
    logging.getLogger("syncengine.x").info("hello")
    said = capsys.readouterr()
    assert said.out == ""
    assert ('"message": "hello"' if as_json else "info: syncengine.x: hello") in said.err
    assert logging.getLogger().handlers[0].stream is sys.stderr


def test_libraries_that_log_whole_requests_are_kept_quiet(capsys):
    LogChoice("debug", as_json=False).apply()
    logging.getLogger("urllib3").debug("GET /?access_token=1")
    logging.getLogger("oauthlib.x").info("token=1")
    assert capsys.readouterr().err == ""
