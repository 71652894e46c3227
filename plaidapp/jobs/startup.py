"""Prepare a worker's process before its first job, and tune it for what jobs do."""

import contextlib
import gc
import os
import sys
from pathlib import Path

from sqlalchemy.orm import configure_mappers

from plaidapp.bank import client

NICENESS = 10
"""How nice a worker is to other processes: each of them gets nine times its share. At 19 it would
be 68 times: on a machine that others keep busy, syncs would stand still."""
AUTOGROUP = Path("/proc/self/autogroup")
"""Where Linux keeps the niceness of a whole session of processes, if it compares those."""
COLLECT_EVERY = 40_000
"""New objects between two garbage collections. Rows come by the thousand and form no cycles. Most
other objects of a job are gone before it ends.
"""
SWITCH_AFTER = 0.001
"""Seconds that a thread may compute while another one waits. Turning a page into rows takes about
Python's default of 5 ms, and the thread that requests the next page would wait for all of it."""


def warm_up() -> None:
    """Do now what the first job would wait for, and exempt the result from garbage collection.

    Call this when everything is imported.
    """
    configure_mappers()
    client.warm_up()
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
    sys.setswitchinterval(SWITCH_AFTER)


def give_way() -> None:
    """Let others go first who share the processor, such as the web process, and clicks."""
    with contextlib.suppress(OSError):  # the system may not allow it
        if os.getpriority(os.PRIO_PROCESS, 0) < NICENESS:
            os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        if os.getsid(0) == os.getpid():  # otherwise the session may have the web process too
            AUTOGROUP.write_text(str(NICENESS))
