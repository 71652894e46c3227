"""Clicks that people wait for at this moment: webhooks give way to them (server/webhook_line.py).

The processes of one gunicorn share this: it imports the module before it forks them.
"""

import mmap
import time

_until = memoryview(mmap.mmap(-1, 8)).cast("d")
"""Until when somebody waits, as far as is known, on the monotonic clock, which is the system's."""


def expect(seconds: float) -> float:
    """Somebody waits, probably for so long. Return what `ended` needs."""
    _until[0] = moment = time.monotonic() + seconds
    return moment


def ended(expected: float) -> None:
    """Nobody waits for that click anymore. If another one was expected since then, it goes on."""
    if _until[0] == expected:
        _until[0] = 0.0


def are_there() -> bool:
    return _until[0] > time.monotonic()
