"""How every process logs: one line of JSON for each record, or words if a person is reading.

A line is redacted after it is written out, tracebacks included, so nothing that a library says gets
past `redaction`. The texts of the database's errors are left out: they quote what is stored.
"""

import json
import logging
import logging.config
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from config import Config

from . import log_context
from .redaction import redactor

OF_LIBRARIES = ("gunicorn.error", "gunicorn.access", "rq", "rq.worker", "plaidapp")
"""Loggers that may have got handlers of their own before. `plaidapp` is also Flask's logger."""
QUOTING = ("sqlalchemy", "psycopg", "sqlite3")
"""Packages whose errors quote values."""


def configure(config: Config) -> None:
    """Set up this process's log. Call it again after a library has set up its own."""
    logging.config.dictConfig(settings(config))
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # it would print what it could not format, unredacted
    sys.excepthook = _log_end
    threading.excepthook = lambda args: _log_end(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )


def settings(config: Config) -> dict[str, Any]:
    """Return the settings, in the form of logging.config.dictConfig."""
    chosen = {"text": Words, "json": JsonLines}.get(config.log_format)
    usual = Words if sys.stderr.isatty() else JsonLines
    lines = {"()": chosen or usual, "secrets": secrets_of(config)}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": lines},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": config.log_level, "handlers": ["stderr"]},
        "loggers": {
            **{name: {"handlers": [], "propagate": True} for name in OF_LIBRARIES},
            "alembic.runtime.plugins": {"level": "WARNING"},  # seven lines for each migration
        },
    }


class JsonLines(logging.Formatter):
    """`time` (UTC), `level`, `logger`, `message`; `event` and its fields; `request` or `pull`."""

    def __init__(self, secrets: list[str]) -> None:
        super().__init__()
        self._redact = redactor(secrets)

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **log_context.current(),
        }
        if event := getattr(record, "event", None):
            line |= {"event": event, **getattr(record, "event_fields", {})}
        if error := _error(record):
            line["error"] = error
        return json.dumps({name: self._redacted(value) for name, value in line.items()})

    def _redacted(self, value: object) -> object:
        return value if isinstance(value, int) else self._redact(str(value))


class Words(logging.Formatter):
    """For a terminal: the time of day, the message, what it is about, then a traceback."""

    def __init__(self, secrets: list[str]) -> None:
        super().__init__()
        self._redact = redactor(secrets)

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        about = "".join(f" {name}={value}" for name, value in log_context.current().items())
        error = _error(record)
        text = f"{_time(record).astimezone():%H:%M:%S} {level}{_message(record)}{about}"
        return self._redact(f"{text}\n{error}" if error else text)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # a mistake in a library's call
        return str(record.msg)


def _error(record: logging.LogRecord) -> str:
    """Return the traceback, with the errors that led to this one first; empty if there is none."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return record.stack_info or ""
    return "\n".join(_described(each) for each in reversed([*_causes(error)]))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        seen.append(following)
        yield following
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)


def _described(error: BaseException) -> str:
    kind = type(error)
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{frames}{kind.__module__}.{kind.__qualname__}: {_text(error)}"


def _text(error: BaseException) -> str:
    """Return what the error says. Of the database's own, only the code."""
    if type(error).__module__.partition(".")[0] not in QUOTING:
        return str(error)
    return str(getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None) or "")


def _log_end(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    """Log what ends a process or a thread."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, frames)
    else:
        logging.getLogger(__name__).critical("Ended by an error", exc_info=(kind, error, frames))


def secrets_of(config: Config) -> list[str]:
    """Return what must never be in a line: keys, and the passwords in addresses."""
    addresses = (config.database_url, config.redis_url, config.plaid_url, config.mail_url or "")
    passwords = [password for each in addresses if (password := urlsplit(each).password)]
    return [
        *config.secret_keys,
        *config.token_keys,
        config.plaid_secret,
        config.metrics_token or "",
        *passwords,
        *map(unquote, passwords),
    ]
