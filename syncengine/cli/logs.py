"""Log lines on stderr, for people or as JSON."""

from __future__ import annotations

import json
import logging
import os

import click

from syncengine.security.redaction import RedactingFormatter

LEVELS = ("debug", "info", "warning", "error", "critical")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class PeoplesLines(logging.Formatter):
    """Level, logger and message; the traceback only where debugging was asked for."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, or more with a traceback."""
        line = f"{record.levelname.lower()}: {record.name}: {record.getMessage()}"
        if logging.getLogger().level > logging.DEBUG:
            return line.partition("\n")[0]
        return line + "\n" + self.formatException(record.exc_info) if record.exc_info else line


class LogChoice:
    """What the command line says about log lines; a profile may say the level where the command line does not.

    Args:
        level: by the command line, or ``None``.
        as_json: one JSON object a line.

    Raises:
        click.UsageError: there is no such level.
    """

    def __init__(self, level: str | None, *, as_json: bool) -> None:
        self._level = level or os.environ.get("LOG_LEVEL")
        self._as_json = as_json
        if self._level is not None and self._level.lower() not in LEVELS:
            raise click.UsageError(f"there is no log level {self._level!r}; choose {', '.join(LEVELS)}")

    def apply(self, *, fallback: str | None = None) -> None:
        """Send log records to stderr, from the chosen level up, or ``fallback``, or warnings."""
        handler = logging.StreamHandler()
        handler.setFormatter(RedactingFormatter(JsonLines() if self._as_json else PeoplesLines()))
        level = self._level or fallback or "warning"
        logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
        # these log whole requests, with the tokens in them
        for chatty in ("PIL", "filelock", "asyncio", "urllib3", "requests_oauthlib", "oauthlib", "google"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
