"""Report unexpected errors to Sentry, or to a service like it, if SENTRY_DSN is set.

Those are the errors whose traceback is in the log. Nothing private leaves this machine: a report
has only what is named here, and of texts only what can't be somebody's. It has no local variables,
no request and no person.
"""

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from config import Config

from . import log_context, logs
from .redaction import redactor

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

KEPT = frozenset(
    {
        *("event_id", "timestamp", "platform", "level", "logger", "transaction", "sdk"),
        *("environment", "release", "server_name"),
    }
)
"""Fields that only say where and when."""
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|“[^”]*”")
NUMBER = re.compile(r"\d[\d.,_]*")
EXPECTED = ["plaidapp.jobs.run.BrokenOffError"]
"""The error that led to it is reported already."""


def start(config: Config) -> None:
    """Do nothing, and import nothing, without SENTRY_DSN."""
    if config.sentry_dsn is None:
        return
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.flask import FlaskIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration
    from sentry_sdk.integrations.rq import RqIntegration

    sentry_sdk.init(
        config.sentry_dsn,
        environment=config.plaid_env,
        before_send=_cleaner(config),
        ignore_errors=EXPECTED,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            FlaskIntegration(transaction_style="url"),
            RqIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda _pending, _timeout: None),
        ],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        propagate_traces=False,
        auto_session_tracking=False,
        send_client_reports=False,
        enable_metrics=False,
    )


def _cleaner(config: Config) -> "Callable[[Event, Hint], Event | None]":
    redact = redactor(logs.secrets_of(config))

    def text(value: object) -> str:
        """Return a text without what it quotes and without numbers, which may be amounts."""
        return NUMBER.sub("0", QUOTED.sub("'...'", redact(str(value))))

    def clean(event: "Event", _hint: "Hint") -> "Event | None":
        """Return what may be sent. None for what is expected, such as a database that is away."""
        found: Any = event
        errors = (found.get("exception") or {}).get("values") or []
        if not errors:
            return None
        kept: Any = {name: found[name] for name in KEPT if name in found}
        kept["tags"] = {name: str(value) for name, value in log_context.current().items()}
        kept["exception"] = {"values": [_cleaned(error, text) for error in errors]}
        if message := (found.get("logentry") or {}).get("message"):
            kept["logentry"] = {"message": text(message)}  # without what was put in
        return kept  # type: ignore[no-any-return]

    return clean


def _cleaned(error: dict[str, Any], text: Callable[[object], str]) -> dict[str, Any]:
    """Return an error with its traceback. Of the database's own, not what it says."""
    package = str(error.get("module")).partition(".")[0]
    says = "" if package in logs.QUOTING else text(error.get("value") or "")
    names = ("module", "type", "mechanism", "stacktrace")
    return {name: error[name] for name in names if name in error} | {"value": says}
