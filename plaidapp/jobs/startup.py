"""Prepare a worker's process before its first job, and tune it for what jobs do."""

import gc
import sys

from sqlalchemy.orm import configure_mappers

from plaidapp.bank import client

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
