"""Each request has an id: in its answer's X-Request-Id, in its lines of the log, on error pages.

A proxy may have given it one. That counts only if TRUSTED_PROXIES names a proxy: otherwise a
stranger could give theirs the id of somebody else's request. No id looks like something private,
or the log would not show it.
"""

import re
import secrets

from flask import Flask, Response, g, request

from config import Config

from . import log_context
from .redaction import redact

HEADER = "X-Request-Id"
GIVEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
BYTES = 8
"""Of the ids that are made here. They have a letter, and two characters for each byte."""


def init_app(app: Flask) -> None:
    config: Config = app.config["PLAIDAPP"]
    trusts_proxy = config.trusted_proxies > 0

    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "") if trusts_proxy else ""
        counts = GIVEN.fullmatch(given) and redact(given) == given
        g.request_id = given if counts else f"r{secrets.token_hex(BYTES)}"
        log_context.begin(request=g.request_id)

    app.after_request(_name)
    app.teardown_request(lambda _error: log_context.end())


def _name(response: Response) -> Response:
    response.headers.add(HEADER, g.request_id)
    return response
