"""The processes that send what they count: which there are, and how they are."""

import json
from dataclasses import dataclass
from typing import Any

import redis

from plaidapp import policy

from .sending import PROCESSES


@dataclass(frozen=True)
class Process:
    role: str
    """web, worker or clock"""
    host: str
    process_id: str
    silent_for: float
    """Seconds since it last sent something. It does every policy.SEND_INTERVAL."""
    memory: int | None
    """Bytes, if its system says so."""

    @property
    def is_alive(self) -> bool:
        return self.silent_for < policy.PROCESS_GONE


def processes(connection: redis.Redis) -> list[Process]:
    """Return those that have sent something lately, and forget others. Raises redis.RedisError."""
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.hgetall(PROCESSES)
        (moment, _), stored = pipeline.execute()
    found = {key: _read(value, moment) for key, value in stored.items()}
    gone = [key for key, process in found.items() if not process or process.silent_for > FORGOTTEN]
    if gone:
        connection.hdel(PROCESSES, *gone)
    return [process for key, process in found.items() if process and key not in gone]


FORGOTTEN = policy.PROCESS_FORGOTTEN.total_seconds()


def _read(value: bytes, moment: int) -> Process | None:
    """Return None for something that no process of ours has written."""
    try:
        _number, sent, text = value.decode().split(" ", 2)
        described: dict[str, Any] = json.loads(text)
        memory = described["memory"]
        return Process(
            role=str(described["role"]),
            host=str(described["host"]),
            process_id=str(described["pid"]),
            silent_for=float(moment - int(sent)),
            memory=None if memory is None else int(memory),
        )
    except (ValueError, KeyError, TypeError):
        return None
