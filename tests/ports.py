"""Ports of 127.0.0.1 for servers that tests start."""

import itertools
import os
import random
import socket

SHARE = 1000
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_FIRST = 11_000 + SHARE * (_WORKER % 21)  # browsers refuse 10080, and none from here on
_START = random.randrange(SHARE)  # two runs at once begin at different places
_numbers = itertools.cycle(_FIRST + (_START + number) % SHARE for number in range(SHARE))


def free_port() -> int:
    """Return a port where nothing listens, and which stays free until the test uses it.

    If a test asked the system for one, the system could give it to another socket too: before the
    test's server listens, and whenever that server is down. So each process of pytest has a share
    of the ports below 32768, where Linux and macOS by default choose none.
    """
    return next(filter(_is_free, itertools.islice(_numbers, SHARE)))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
