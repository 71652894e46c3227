"""Whether this process is up, and whether the services it needs are up too."""

import redis
from flask import Blueprint, Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from . import schema

blueprint = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> tuple[dict[str, str], int]:
    """200 if the database, its migrations and Redis are ready; otherwise 503, with what is not."""
    checks = {"database": _database(), "redis": _redis()}
    return checks, 200 if set(checks.values()) == {"ok"} else 503


def _database() -> str:
    try:
        return "ok" if schema.current() == schema.newest() else "not migrated"
    except SQLAlchemyError:
        return "away"


def _redis() -> str:
    try:
        current_app.extensions["redis"].ping()
    except redis.RedisError:
        return "away"
    return "ok"
