"""Count tries in Redis, in one round trip; in the database while Redis is away.

A script in Redis runs without a break, so of parallel tries each sees what the one before has
counted. The rules are those of plaidapp/store/people/tries.py.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, cast
from weakref import WeakKeyDictionary

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.retry import Retry

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store.base.types import now
from plaidapp.store.people import tries
from plaidapp.store.people.tries import Limit, Verdict

log = logging.getLogger(__name__)

PREFIX = "plaidapp:tries:"
DELAYS = json.dumps([policy.guess_delay(excess).seconds for excess in range(1, 21)])
COUNT = """
local now, delays = tonumber(ARGV[1]), cjson.decode(ARGV[2])
local found, wait = {}, 0
for i, key in ipairs(KEYS) do
  local packed = redis.call('GET', key)
  found[i] = packed and cmsgpack.unpack(packed) or {0, 0, 0}
  wait = math.max(wait, found[i][2] - now)
end
if wait > 0 then return {0, wait} end
for i, key in ipairs(KEYS) do
  local limit = cjson.decode(ARGV[i + 2])
  local count, ends = found[i][1], found[i][3]
  if ends <= now then count = 0 end
  count = count + 1
  local delay = 0
  if count > limit.free then delay = delays[math.min(count - limit.free, #delays)] end
  if limit.renews or count == 1 then ends = now + limit.period end
  ends = math.max(ends, now + delay)
  redis.call('SET', key, cmsgpack.pack({count, now + delay, ends}), 'EX', ends - now)
  wait = math.max(wait, delay)
end
return {1, wait}
"""
TAKE_BACK = """
local packed = redis.call('GET', KEYS[1])
if not packed then return end
local found = cmsgpack.unpack(packed)
redis.call('SET', KEYS[1], cmsgpack.pack({found[1] - 1, 0, found[3]}), 'KEEPTTL')
"""


def count(limits: Sequence[Limit]) -> Verdict:
    """Count a try for each of `limits`, unless one of them is blocked. Commits."""
    moment = int(now().timestamp())
    rules = [
        json.dumps(
            {"free": each.free, "period": each.period.total_seconds(), "renews": each.renews}
        )
        for each in limits
    ]
    keys = [PREFIX + each.key for each in limits]
    try:
        answer = _ask(lambda there: there.eval(COUNT, len(keys), *keys, moment, DELAYS, *rules))
    except redis.RedisError as error:
        log.warning("Redis is away, the database counts log-ins: %s", type(error).__name__)
        verdict = tries.count(limits)
        db.session.commit()
        return verdict
    counted, wait = cast(Any, answer)
    return Verdict(bool(counted), timedelta(seconds=wait))


def forget(key: str) -> None:
    """Start the count of this key again, after a success. Commits."""
    try:
        _ask(lambda there: there.delete(PREFIX + key))
    except redis.RedisError:
        tries.forget(key)
        db.session.commit()


def take_back(key: str) -> None:
    """Take back one try, and the delay that it started. Commits."""
    try:
        _ask(lambda there: there.eval(TAKE_BACK, 1, PREFIX + key))
    except redis.RedisError:
        tries.take_back(key)
        db.session.commit()


class _Counter:
    """A client that asks Redis once: what is repeated after a timeout may count twice.

    After a failure it leaves Redis alone for a while, so that log-ins don't each wait for it.
    """

    def __init__(self, app_client: redis.Redis) -> None:
        pool = app_client.connection_pool
        settings = pool.connection_kwargs | {"retry": Retry(NoBackoff(), 0)}
        own = redis.ConnectionPool(connection_class=pool.connection_class, **settings)
        self.client = redis.Redis(connection_pool=own)
        self.away_until = 0.0

    def ask(self, command: Callable[[redis.Redis], Any]) -> Any:
        if time.monotonic() < self.away_until:
            raise redis.ConnectionError("Redis was away a moment ago")
        try:
            return command(self.client)
        except redis.RedisError:
            self.away_until = time.monotonic() + policy.REDIS_LEFT_ALONE
            raise


_counters: WeakKeyDictionary[redis.Redis, _Counter] = WeakKeyDictionary()


def _ask(command: Callable[[redis.Redis], Any]) -> Any:
    """Raises redis.RedisError if Redis is away."""
    app_client = cast(redis.Redis, current_app.extensions["redis"])
    if app_client not in _counters:
        _counters[app_client] = _Counter(app_client)
    return _counters[app_client].ask(command)
