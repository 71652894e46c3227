"""Add what this process has counted to the sums in Redis: one round trip every few seconds.

Each batch has a number, so that one whose answer was lost is not added twice. If Redis comes back
without the last batches, all sums begin at 0 again: Prometheus understands that. Sums that only
went down a little would look to it as if everything had happened once more.
"""

import atexit
import json
import logging
import os
import secrets
import socket
import threading
import time
from pathlib import Path

import redis

from plaidapp import policy

from . import counted, pending

log = logging.getLogger(__name__)

SUMS = "plaidapp:metrics:sums"
PROCESSES = "plaidapp:metrics:processes"
ADD = """
local sums, processes, id, number = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
if id ~= '' then
  local before = tonumber(string.match(redis.call('HGET', processes, id) or '', '^%d+')) or 0
  if before == number then return end
  if before ~= number - 1 then redis.call('DEL', sums) end
  redis.call('HSET', processes, id, ARGV[2] .. ' ' .. redis.call('TIME')[1] .. ' ' .. ARGV[3])
end
for i = 4, #ARGV, 2 do
  local added = redis.pcall('HINCRBYFLOAT', sums, ARGV[i], ARGV[i + 1])
  if type(added) == 'table' and added.err then redis.call('HSET', sums, ARGV[i], ARGV[i + 1]) end
end
"""
"""Redis runs this without a break. The value of a process has the number of its last batch, when
that came, and who it is."""
STATM = Path("/proc/self/statm")


class Sender:
    """What one process sends. Its threads may all call it."""

    def __init__(self, connection: redis.Redis, role: str) -> None:
        self._connection = connection
        self._id = secrets.token_hex(8)
        self._role = role
        self._number = 0
        self._unsent: list[str | float] | None = None
        self._cpu = 0.0
        self._lock = threading.Lock()
        self._over = threading.Event()

    def send(self) -> None:
        """Raises redis.RedisError. Then the same batch is sent again with the next call."""
        with self._lock:
            if self._unsent is None:
                self._number += 1
                self._unsent = _flat(self._take())
            who = {"role": self._role, "host": socket.gethostname(), "pid": os.getpid()}
            described = json.dumps(who | {"memory": _memory()})
            numbered = self._id, self._number, described
            self._connection.eval(ADD, 2, SUMS, PROCESSES, *numbered, *self._unsent)
            self._unsent = None

    def run(self) -> None:
        while not self._over.wait(policy.SEND_INTERVAL):
            try:
                self.send()
            except redis.RedisError as error:
                log.debug("Sums are sent later: %s", type(error).__name__)

    def end(self) -> None:
        """Send what is left, and that this process is gone."""
        self._over.set()
        try:
            self.send()
            self._connection.hdel(PROCESSES, self._id)
        except redis.RedisError as error:
            log.info("What was counted last is lost: %s", type(error).__name__)

    def _take(self) -> dict[str, float]:
        cpu = time.process_time()
        counted.CPU_SECONDS.add(self._role, amount=cpu - self._cpu)
        self._cpu = cpu
        return pending.take()


_senders: list[Sender] = []
"""At most one, of this process."""
os.register_at_fork(after_in_child=_senders.clear)  # a thread does not survive a fork


def start(connection: redis.Redis, role: str) -> None:
    """Send from now on until the process ends. Call it after the last fork."""
    sender = Sender(connection, role)
    _senders.append(sender)
    threading.Thread(target=sender.run, name="metrics", daemon=True).start()
    atexit.register(end)


def end() -> None:
    """Send what is left. A process that replaces itself has to call this."""
    while _senders:
        _senders.pop().end()


def send(connection: redis.Redis) -> None:
    """Send now, even from a process that has not started to. Raises redis.RedisError."""
    if _senders:
        _senders[0].send()
    else:
        connection.eval(ADD, 2, SUMS, PROCESSES, "", 0, "", *_flat(pending.take()))


def send_if_alone(connection: redis.Redis) -> None:
    """Send now if no thread does, as in a process that a plain `rq worker` forks for one job."""
    if not _senders:
        try:
            send(connection)
        except redis.RedisError as error:
            log.info("What was counted is lost: %s", type(error).__name__)


def _flat(sums: dict[str, float]) -> list[str | float]:
    return [part for each in sums.items() for part in each]


def _memory() -> int | None:
    """Return the bytes of memory that this process uses, where the system says so."""
    try:
        pages = int(STATM.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
