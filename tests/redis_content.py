"""Everything that is in Redis, as one text."""

import contextlib
import zlib

from redis import Redis


def redis_text(redis: Redis) -> str:
    """Return every key and value. RQ compresses some of them."""
    readers = {
        b"string": lambda key: {key: redis.get(key)},
        b"hash": redis.hgetall,
        b"list": lambda key: {key: redis.lrange(key, 0, -1)},
        b"set": lambda key: {key: redis.smembers(key)},
        b"zset": lambda key: {key: redis.zrange(key, 0, -1)},
        b"stream": lambda key: {key: redis.xrange(key)},
        b"none": lambda _key: {},  # it has just expired
    }
    found = {key: readers[redis.type(key)](key) for key in redis.scan_iter("*")}
    return repr({key: {k: _plain(v) for k, v in each.items()} for key, each in found.items()})


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        with contextlib.suppress(zlib.error):
            return zlib.decompress(value)
    return value
