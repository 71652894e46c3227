"""`/metrics`: one place for Prometheus to read everything, from whichever web process answers.

It is for who has METRICS_TOKEN. Without that variable there is no such page: an address is no
proof, as a proxy on this machine would make strangers look like it.
"""

import hmac
import itertools

import redis
from flask import Blueprint, Flask, Response, abort, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from config import Config

from .gauges import Gauges
from .jobs.pulls import outcomes
from .metrics import counted, sending
from .metrics.exposition import Sums
from .store.pulls import kinds

blueprint = Blueprint("metrics", __name__)
ZEROS: dict[str, list[tuple[str, ...]]] = {
    counted.JOBS.name: [*itertools.product(kinds.KINDS, outcomes.ALL)],
    counted.ROWS.name: [(change,) for change in counted.CHANGES],
}
"""What is worth an alarm the first time that it happens."""


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.get("/metrics")
def show() -> Response:
    config: Config = current_app.config["PLAIDAPP"]
    if config.metrics_token is None:
        abort(404)
    if not _is_right(config.metrics_token):
        refused = Response("This needs METRICS_TOKEN as a Bearer token.\n", 401)
        refused.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refused
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Gauges(current_app))
    connection: redis.Redis = current_app.extensions["redis"]
    try:
        sending.send(connection)  # so that what this process did is there at once
        registry.register(Sums(connection, ZEROS))
    except redis.RedisError:
        pass  # a gauge says so
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=content_type)


def _is_right(token: str) -> bool:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        return False
    return hmac.compare_digest(given.token.encode(), token.encode())
