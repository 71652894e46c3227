"""Log what persons and strangers do, for the operator: log-ins, refusals and the like."""

import logging

log = logging.getLogger(__name__)


def event(name: str, /, **fields: str | int | None) -> None:
    """Log one event. `fields` never hold names, email addresses, passwords or tokens.

    A person appears as `person`, their opaque id (User.opaque_id). A field that is None is left
    out. A log format finds the fields of a record in its attribute `event_fields`.
    """
    given = {field: value for field, value in fields.items() if value is not None}
    words = "".join(f" {field}={value}" for field, value in given.items())
    log.info("%s%s", name, words, extra={"event": name, "event_fields": given})
