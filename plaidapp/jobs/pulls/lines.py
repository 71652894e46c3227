"""The lines of the queue in Redis: clicks, then pulls of webhooks, then all others, in one list."""

import os
import socket
from enum import IntEnum
from typing import Any

import redis
from flask import current_app

QUEUE_KEY = "rq:queue:default"
LAST_CLICK, LAST_WEBHOOK = "plaidapp:last-click", "plaidapp:last-webhook"
"""The keys that name the last click and the last pull of a webhook that were put in the queue."""
CLICK_BELL, WORK_BELL = "plaidapp:click-bell", "plaidapp:work-bell"
"""Lists with one entry after a click, or another job, was put in the queue: each wakes one process
that has nothing to do. It can't wait for the queue itself, which also has jobs that it leaves."""
IDLE = "plaidapp:idle-for-clicks"
"""The processes that take clicks only and have nothing to do, each with the second until which it
says so. If one is killed, the others leave no click to it any longer than IDLE_FOR."""
IDLE_FOR = 3
"""Seconds. A process looks again after LOOK_AGAIN, and then says so again."""
LOOK_AGAIN = 1
"""Seconds. A job for which no bell rang waits that long: RQ puts some back, and older versions of
the app had one bell."""
LATELY = f"plaidapp:clicks-lately:{socket.gethostname()}"
"""The key that exists while this host has clicks. Meanwhile, a process rests after each other job
(`REST` in `runner.py`): it leaves most of its time to clicks, which share the processor with it."""
LATELY_FOR = 1
"""Seconds after a click has begun."""
RESTS = 0
"""What `take` returns in place of a job's id while the process rests."""
KEYS = LAST_CLICK, LAST_WEBHOOK, CLICK_BELL, WORK_BELL, IDLE
_SHARED = """
local queue, last_click, last_webhook, click_bell, work_bell, idle = unpack(KEYS, 1, 6)
local second = tonumber(redis.call('TIME')[1])
local function ring(bell)
  redis.call('DEL', bell)
  redis.call('RPUSH', bell, 1)
end
local function clicks()  -- the number of clicks in the queue, which begins with them
  local last = redis.call('GET', last_click)
  return (last and redis.call('LPOS', queue, last) or -1) + 1
end
local function somebody_is_idle()
  return redis.call('ZCOUNT', idle, second, '+inf') > 0
end
"""
PUSH = f"""{_SHARED}
local job, place = ARGV[1], tonumber(ARGV[2])
if redis.call('LPOS', queue, job) then return end
local function goes_after(key)
  local last = redis.call('GET', key)
  return last and redis.call('LINSERT', queue, 'AFTER', last, job) > 0
end
if place == 1 then
  if not goes_after(last_click) then redis.call('LPUSH', queue, job) end
  redis.call('SET', last_click, job)
  ring(click_bell)
  if somebody_is_idle() then return end
elseif place == 0 then
  redis.call('RPUSH', queue, job)
else
  if not (goes_after(last_webhook) or goes_after(last_click)) then
    redis.call('LPUSH', queue, job)
  end
  redis.call('SET', last_webhook, job)
end
ring(work_bell)
"""
"""Redis runs a script without a break, so that no worker takes the last click in between."""
TAKE_CLICK = f"""{_SHARED}
local taken, lately, process = KEYS[7], KEYS[8], ARGV[1]
if clicks() == 0 then
  redis.call('ZREMRANGEBYSCORE', idle, '-inf', second - 1)  -- of processes that have ended
  redis.call('ZADD', idle, second + ARGV[2], process)
  return
end
redis.call('ZREM', idle, process)
redis.call('SET', lately, 1, 'EX', ARGV[3])
if clicks() > 1 and not somebody_is_idle() then ring(work_bell) end
return redis.call('LMOVE', queue, taken, 'LEFT', 'RIGHT')
"""
TAKE = f"""{_SHARED}
local taken, lately, may_rest = KEYS[7], KEYS[8], ARGV[1] == '1'
local clicks = clicks()
local place = somebody_is_idle() and clicks or 0
local job = redis.call('LINDEX', queue, place)
if not job then return end
if may_rest and place >= clicks and redis.call('EXISTS', lately) > 0 then return {RESTS} end
redis.call('LREM', queue, 1, job)
redis.call('RPUSH', taken, job)
if redis.call('LLEN', queue) > clicks then ring(work_bell) end  -- who rests may have missed it
return job
"""
"""Clicks go first, but are left to a process that has nothing else to do."""
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


def take(connection: redis.Redis, queue: str, taken: str, may_rest: bool, /) -> Any:
    """Move the first job of the queue to the list `taken`, and return its id. None if there is none
    but clicks that another process is about to take.

    If the process `may_rest`, RESTS while this host has clicks, unless the job is one.
    """
    keys = queue, *KEYS, taken, LATELY
    return connection.eval(TAKE, len(keys), *keys, int(may_rest))


def take_click(connection: redis.Redis, queue: str, taken: str, _may_rest: bool, /) -> Any:
    """Do so with the first click, without a rest. None if there is none: this process has nothing
    to do then."""
    keys = queue, *KEYS, taken, LATELY
    process = f"{socket.gethostname()}-{os.getpid()}"
    return connection.eval(TAKE_CLICK, len(keys), *keys, process, IDLE_FOR, LATELY_FOR)


def click_waits(running: int) -> bool:
    """Does a click other than the `running` pull wait for a worker? False if Redis is away."""
    connection: redis.Redis = current_app.extensions["redis"]
    try:
        return bool(connection.eval(WAITS, 2, QUEUE_KEY, LAST_CLICK, running))
    except redis.RedisError:
        return False
