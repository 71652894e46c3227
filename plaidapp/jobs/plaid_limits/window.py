"""How many calls were made in the last minute: one round trip to Redis checks and counts a call.

Redis keeps the moments of the last calls in a list for each endpoint and Item, and for each
endpoint. A fixed or estimated window would allow twice the number around its edge. The library
`limits` has such a list too, but needs a round trip for each limit and one more to learn how long
to wait, and counts a call for the Item that it then refuses for the client.
"""

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

import redis

from plaidapp import policy

log = logging.getLogger(__name__)

TAKE = """
local time = redis.call('TIME')
local now, length, wait = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[1]), 0
for number, key in ipairs(KEYS) do
  local oldest = redis.call('LINDEX', key, ARGV[2 * number] - 1)
  if oldest and oldest - now < length then wait = math.max(wait, oldest + length - now) end
end
if wait > 0 then return wait end
for number, key in ipairs(KEYS) do
  redis.call('LPUSH', key, now)
  redis.call('LTRIM', key, 0, ARGV[2 * number + 1] - 1)
  redis.call('PEXPIRE', key, length)
end
return 0
"""
"""Redis runs it without a break, by its own clock: those of the workers may differ. A moment far
ahead is from before that clock was set back, and would hold back all calls until then."""


class Count(NamedTuple):
    """What is counted under `key`: there may be `most` calls, and this one only if there are fewer
    than `share`.
    """

    key: str
    share: int
    most: int


class Window:
    """While Redis is away, all calls are made: Plaid's 429 then says when it is too many."""

    def __init__(self, connection: redis.Redis) -> None:
        self._take = connection.register_script(TAKE)
        self._left_alone_until = 0.0

    def take(self, counts: Sequence[Count]) -> float:
        """Count a call and return 0, or return after how many seconds there is room for it."""
        if time.monotonic() < self._left_alone_until:
            return 0.0
        arguments = [number for count in counts for number in (count.share, count.most)]
        length = int(1000 * policy.PLAID_MINUTE)
        try:
            wait = self._take([count.key for count in counts], [length, *arguments])
        except redis.RedisError as error:
            log.warning("Plaid's limits are not kept for now: %s", type(error).__name__)
            self._left_alone_until = time.monotonic() + policy.REDIS_LEFT_ALONE
            return 0.0
        return int(wait) / 1000
