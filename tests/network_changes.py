"""A test that adds or removes a network device waits until no other test has a browser open.

Chromium breaks off its requests when the addresses of the machine change: ERR_NETWORK_CHANGED.
"""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GATE, BROWSERS = (
    Path(tempfile.gettempdir()) / f"plaidapp-tests-{name}.lock" for name in ("gate", "browsers")
)


@contextmanager
def browsing() -> Iterator[None]:
    """Keep the network as it is, together with others. Who waits to change it goes first."""
    with BROWSERS.open("w") as browsers:
        with GATE.open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(browsers, fcntl.LOCK_SH)
        yield


@contextmanager
def changing() -> Iterator[None]:
    with GATE.open("w") as gate, BROWSERS.open("w") as browsers:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(browsers, fcntl.LOCK_EX)
        yield
