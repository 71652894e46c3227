"""Checks of the other processes: Redis, workers and the clock."""

import redis
from flask import current_app
from flask_babel import lazy_gettext

from plaidapp.jobs import presence

from .result import Verdict, bad, good, unknown

AWAY = lazy_gettext("Redis can’t be reached.")
START = lazy_gettext(
    "Start it, and look whether REDIS_URL is right. Nothing is lost: pulls wait in the database."
)


def keeps_data(_patience: float) -> Verdict:
    """Does Redis write to its disk, and evict nothing when its memory is full?"""
    connection: redis.Redis = current_app.extensions["redis"]
    try:
        settings = _settings(connection)
    except redis.RedisError:
        return bad(AWAY, START)
    policy = settings.get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        return bad(
            lazy_gettext(
                "Redis deletes what it pleases (%(policy)s) when its memory is full.", policy=policy
            ),
            lazy_gettext("Set maxmemory-policy to noeviction in Redis."),
        )
    if "appendonly" not in settings:
        return unknown(lazy_gettext("Redis does not say whether it writes to its disk."))
    if settings["appendonly"] != "yes" and not settings.get("save"):
        return bad(
            lazy_gettext(
                "Redis keeps everything in memory only. A restart loses the queue, which the clock"
                " fills again, and what was counted."
            ),
            lazy_gettext("Set appendonly to yes in Redis."),
        )
    return good(lazy_gettext("Redis writes to its disk and evicts nothing."))


def _settings(connection: redis.Redis) -> dict[str, str]:
    """Many a provider forbids CONFIG. INFO has the most important ones too."""
    try:
        return {
            str(name): str(value)
            for wanted in ("appendonly", "save", "maxmemory-policy")
            for name, value in connection.config_get(wanted).items()
        }
    except redis.ResponseError:
        told = connection.info("persistence") | connection.info("memory")
    known = {}
    if "maxmemory_policy" in told:
        known["maxmemory-policy"] = str(told["maxmemory_policy"])
    if told.get("aof_enabled"):  # otherwise it may still save dumps, and doesn't say so here
        known["appendonly"] = "yes"
    return known


def worker(_patience: float) -> Verdict:
    try:
        running = presence.workers(current_app.extensions["redis"])
    except redis.RedisError:
        return bad(AWAY, START)
    if not running:
        return bad(
            lazy_gettext("No worker is running, so no pull is done."),
            lazy_gettext("Start one: python worker.py"),
        )
    busy = sum(each.is_busy for each in running)
    return good(
        lazy_gettext("Workers: %(number)s, of which %(busy)s busy.", number=len(running), busy=busy)
    )


def clock(_patience: float) -> Verdict:
    if not presence.clock_is_alive():
        return bad(
            lazy_gettext(
                "The clock is not running. Nothing is tried again, no mail is sent, and what a lost"
                " worker was doing stays undone."
            ),
            lazy_gettext("Start it: flask --app wsgi clock"),
        )
    if late := presence.late_duties():
        return bad(
            lazy_gettext(
                "The clock is running, but has not succeeded for half an hour in: %(duties)s.",
                duties=", ".join(late),
            ),
            lazy_gettext("Its log says why. Then start it again."),
        )
    return good(lazy_gettext("The clock is running."))
