"""A test that adds or removes a network device waits until no other test has a browser open.

Chromium breaks off its requests when the addresses of the machine change: ERR_NETWORK_CHANGED.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GATE, BROWSERS = (
    Path(tempfile.gettempdir()) / f"plaidapp-tests-{os.getuid()}-{name}.lock"
    for name in ("gate", "browsers")
)


@contextmanager
def browsing() -> Iterator[None]:
    """Keep the network as it is, together with others. Who waits to change it goes first."""
    with BROWSERS.open("a") as browsers:
        with GATE.open("a") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(browsers, fcntl.LOCK_SH)
        yield


@contextmanager
def changing() -> Iterator[None]:
    with GATE.open("a") as gate, BROWSERS.open("a") as browsers:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(browsers, fcntl.LOCK_EX)
        yield
