"""Count and time every request, by its route. First to see a request, and last."""

import time

from flask import Flask, Response, g, request

from .metrics.counted import REQUEST_SECONDS, REQUESTS


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_count)


def _begin() -> None:
    g.begun = time.perf_counter()


def _count(response: Response) -> Response:
    """Count an answer of which nothing is sent yet. An address that leads nowhere has no route."""
    route = request.url_rule.rule if request.url_rule else "none"
    REQUESTS.add(route, f"{response.status_code // 100}xx")
    REQUEST_SECONDS.observe(time.perf_counter() - g.begun, route)
    return response
