"""The lines of the queue in Redis: clicks, then pulls of webhooks, then all others, in one list."""

from enum import IntEnum
from typing import Any

import redis
from flask import current_app

QUEUE_KEY = "rq:queue:default"
LAST_CLICK, LAST_WEBHOOK = "plaidapp:last-click", "plaidapp:last-webhook"
"""The keys that name the last click and the last pull of a webhook that were put in the queue."""
BELL = "plaidapp:click-bell"
"""A list with one entry after a click was put in the queue: it wakes one process that takes clicks
only. Such a process can't wait for the queue itself, where other jobs are too."""
PUSH = """
local queue, last_click, last_webhook, bell = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local job, place = ARGV[1], tonumber(ARGV[2])
if redis.call('LPOS', queue, job) then return end
local function goes_after(key)
  local last = redis.call('GET', key)
  return last and redis.call('LINSERT', queue, 'AFTER', last, job) > 0
end
if place == 0 then
  redis.call('RPUSH', queue, job)
elseif place == 1 then
  if not goes_after(last_click) then redis.call('LPUSH', queue, job) end
  redis.call('SET', last_click, job)
  redis.call('DEL', bell)
  redis.call('RPUSH', bell, 1)
else
  if not (goes_after(last_webhook) or goes_after(last_click)) then
    redis.call('LPUSH', queue, job)
  end
  redis.call('SET', last_webhook, job)
end
"""
"""Redis runs this script without a break, so that no worker takes the last click in between."""
TAKE = """
local last = redis.call('GET', KEYS[2])
if last and redis.call('LPOS', KEYS[1], last) then
  return redis.call('LMOVE', KEYS[1], KEYS[3], 'LEFT', 'RIGHT')
end
"""
"""Clicks go first, so the first job is a click if the last click is still in the queue."""
WAITS = """
local first, last = redis.call('LINDEX', KEYS[1], 0), redis.call('GET', KEYS[2])
if not (first and last) or string.find(first, 'pull-' .. ARGV[1] .. '-', 1, true) == 1 then
  return 0
end
return redis.call('LPOS', KEYS[1], last) and 1 or 0
"""


class Place(IntEnum):
    """Where a job goes. RQ passes it on as `at_front`."""

    END, CLICKS, WEBHOOKS = range(3)


def take_click(connection: redis.Redis, queue: str, taken: str) -> Any:
    """Move the first click of the queue to the list `taken`, and return its job. None if there is
    none."""
    return connection.eval(TAKE, 3, queue, LAST_CLICK, taken)


def click_waits(running: int) -> bool:
    """Does a click other than the `running` pull wait for a worker? False if Redis is away."""
    connection: redis.Redis = current_app.extensions["redis"]
    try:
        return bool(connection.eval(WAITS, 2, QUEUE_KEY, LAST_CLICK, running))
    except redis.RedisError:
        return False
