"""Logging: to stderr, as text for people or JSON for collectors, one line per event."""

from __future__ import annotations

import json
import logging
import logging.config
from datetime import UTC, datetime

from stream.log_events import fields_of
from stream.settings import LoggingSettings
from stream.shown import json_shown, shown, shown_traceback

__all__ = ["JsonFormatter", "TextFormatter", "logging_config", "set_up_logging"]


def _drop_empty_exception(record: logging.LogRecord) -> bool:
    """Faust logs a crash as an exception when none is being handled; leave out the resulting `NoneType: None`."""
    if record.exc_info and record.exc_info[0] is None:
        record.exc_info = None
    return True


class TextFormatter(logging.Formatter):
    """
    A line per record for people: time, level, logger, message; then the exception's lines, if any.

    Whatever a message quotes, it stays one line: nobody's key or exception can write a line of the log.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Turn a record into its lines."""
        time, name = self.formatTime(record), record.name
        # An error of ours has its hint on a line of its own.
        message = shown(record.getMessage().rstrip().replace("\n  try: ", "; try: "))
        lines = [f"{time} {record.levelname:<7} {name}: {message}"]
        if record.exc_info and record.exc_info[1]:
            lines += [f"  {line}" for line in shown_traceback(record.exc_info[1])]
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """
    One JSON object per line: time (RFC 3339, UTC), level, logger, message; an event's name and fields, the exception.

    See `stream.log_events` for the events.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Turn a record into its line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json_shown(json.dumps(line, ensure_ascii=False))


def logging_config(settings: LoggingSettings) -> dict[str, object]:
    """The configuration for `logging.config.dictConfig`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"text": {"()": TextFormatter}, "json": {"()": JsonFormatter}},
        "filters": {"exception": {"()": lambda: _drop_empty_exception}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": settings.format,
                "filters": ["exception"],
            }
        },
        "root": {"handlers": ["stderr"], "level": settings.level.upper()},
        # At info, Faust and its service library log every service, httpx every request, uvicorn every
        # connection: too much here. httpcore's debug shows headers.
        "loggers": {
            name: {"level": "WARNING"}
            for name in ("faust", "mode", "aiokafka", "asyncio", "httpx", "httpcore", "uvicorn")
        },
    }


def set_up_logging(settings: LoggingSettings) -> None:
    """Send the log to stderr in the chosen form."""
    logging.config.dictConfig(logging_config(settings))
    logging.captureWarnings(True)
