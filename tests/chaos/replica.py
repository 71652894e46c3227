"""A second Redis, which has what the first one has, and may take over from it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from run import find_redis_server

from .world import World, poll

ROLE = "replica"


class Replica:
    def __init__(self, world: World) -> None:
        self._world = world
        self._directory = Path(tempfile.mkdtemp(prefix="replica-"))
        self._socket = self._directory / "redis.sock"
        world.formation.add(
            ROLE, find_redis_server(), "--port", "0", "--unixsocket", str(self._socket),
            "--dir", str(self._directory), "--save", "",
            "--replicaof", "127.0.0.1", str(world.redis_port),
        )  # fmt: skip
        self._first = redis.Redis(unix_socket_path=str(world.redis_socket))
        self._second = redis.Redis(unix_socket_path=str(self._socket))

    def is_complete(self) -> bool:
        try:
            return bool(self._second.info("replication")["master_link_status"] == "up")
        except redis.RedisError:
            return False

    def stop_following(self) -> None:
        self._second.replicaof("NO", "ONE")

    def lacks(self) -> int:
        """Return how many bytes of commands it has missed."""
        clients = (self._first, self._second)
        first, second = (each.info("replication")["master_repl_offset"] for each in clients)
        return int(first - second)

    def take_over(self) -> None:
        """Kill the first one, and answer at its socket."""
        self._world.formation.kill("redis", stay_down=True)
        self._socket.rename(self._world.redis_socket)

    def close(self) -> None:
        self._world.formation.kill(ROLE, stay_down=True)
        self._first.close()
        self._second.close()
        shutil.rmtree(self._directory)


@contextmanager
def replica_of(world: World) -> Iterator[Replica]:
    """Yield a replica. Afterwards the first one is back, with what it had on disk when it died."""
    replica = Replica(world)
    try:
        poll(replica.is_complete, 20, "a replica of Redis")
        yield replica
    finally:
        replica.close()
        world.formation.bring_back("redis")
        poll(world.redis_answers, 20, "redis-server")
